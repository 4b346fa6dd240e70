/** Whoever signs out is out, also where the server hears of it later; whoever comes next is shown nothing of theirs. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { endedAt, nextFor } from "@/shell/next";
import SignIn from "@/shell/SignIn.vue";
import { loadSession, session, signIn, signOut } from "@/shell/stores/session";
import { T } from "@/testids";
import { mount, server, settled } from "./mounting";

const USER = { id: "u-1", username: "wang", name: "王", role: "guard", language: "zh", sites: ["demo"] } as const;
const ABOUT = { server: "hub", site: null, version: "1", hub_connected: null, working_alone_since: null, backlog: null };
const whole = (id: string) => ({ user: { ...USER, id }, weak_password: false, can: ["watch"] });

/** A server that knows one session, behind a signal that may be away. */
function desk() {
  const state = { signal: true, who: "u-1" as string | null };
  const asked = server(({ method, path }) => {
    if (!state.signal) throw new TypeError("no signal");
    if (path.startsWith("/api/start"))
      return { status: 200, body: { about: ABOUT, session: state.who && whole(state.who), sites: [], layouts: [] } };
    if (path !== "/api/session") return { status: 404 };
    if (method === "POST") return { status: 200, body: whole((state.who = "u-2")) };
    state.who = null;
    return { status: 204 };
  });
  return { state, told: () => asked.map(({ method, path }) => `${method} ${path.split("?")[0]}`) };
}

let leave = (): void => undefined;

beforeEach(() => localStorage.clear());
afterEach(() => {
  leave();
  leave = () => undefined;
  session.user = null;
  session.leaving = false;
  vi.unstubAllGlobals();
});

async function gone() {
  const { state, told } = desk();
  await loadSession();
  expect(session.user?.id).toBe("u-1");
  state.signal = false;
  await signOut();
  return { state, told };
}

it("is out at once without a signal, and says that the server does not know it yet", async () => {
  await gone();
  expect([session.user, session.leaving]).toEqual([null, true]);
  leave = mount(SignIn);
  await settled();
  expect(document.querySelector(`[data-testid="${T.signInError}"]`)?.textContent).toContain("服务器上尚未退出");
});

it("takes no session until the server has ended the one that was left, also after a reload", async () => {
  const { state, told } = await gone();
  session.leaving = false; // as a page that has just been loaded
  await expect(loadSession()).rejects.toMatchObject({ status: 0 });
  expect([session.user, session.known, session.leaving]).toEqual([null, true, true]);
  state.signal = true;
  await loadSession();
  expect([session.user, session.leaving, state.who]).toEqual([null, false, null]);
  expect(told().slice(-2)).toEqual(["DELETE /api/session", "GET /api/start"]);
  await loadSession();
  expect(told().at(-2)).toBe("GET /api/start");
});

it("does not take the session whose question was under way when its person signed out", async () => {
  const { state } = desk();
  let answer = (_: object): void => undefined;
  window.gatehouseStart = new Promise((resolve) => (answer = resolve as typeof answer));
  const loading = loadSession();
  state.signal = false;
  await signOut();
  answer({ about: ABOUT, session: whole("u-1"), sites: [], layouts: [] });
  await expect(loading).rejects.toMatchObject({ status: 0 });
  expect(session.user).toBeNull();
});

it("ends that session also before the next person signs in", async () => {
  const { state, told } = await gone();
  state.signal = true;
  await signIn("li", "secret");
  expect(told().slice(-3)).toEqual(["DELETE /api/session", "POST /api/session", "GET /api/start"]);
  expect([session.user?.id, session.leaving]).toEqual(["u-2", false]);
});

it("draws the page anew where another tab signed in somebody else, and leaves it where it is the same person", async () => {
  const { state, told } = desk();
  await loadSession();
  const reload = vi.spyOn(location, "reload").mockImplementation(() => undefined);
  const other = new BroadcastChannel("gatehouse-session");
  other.postMessage("in");
  await vi.waitFor(() => expect(told()).toHaveLength(2));
  await settled();
  expect([session.user?.id, reload.mock.calls.length]).toEqual(["u-1", 0]);
  state.who = "u-2";
  other.postMessage("in");
  await vi.waitFor(() => expect(reload).toHaveBeenCalledOnce());
  expect([session.user?.id, localStorage.length]).toEqual(["u-1", 0]);
  other.close();
  reload.mockRestore();
});

it("waits no second time for a network that swallows everything: who was here last is", async () => {
  const { told } = desk();
  await loadSession();
  Object.assign(session, { user: null, known: false });
  window.gatehouseStart = Promise.resolve(undefined);
  await expect(loadSession()).rejects.toMatchObject({ status: 0 });
  expect([session.known, session.user?.id, told().length]).toEqual([true, "u-1", 1]);
});

it("leads only the person whose session ended back into what they had open", () => {
  const ended = endedAt("/people?form=new", "u-1") as Record<string, string>;
  expect(nextFor(ended, "u-1")).toBe("/people?form=new");
  expect(nextFor(ended, "u-2")).toBe("/");
  expect(nextFor({ next: "/alarms/7" }, "u-2")).toBe("/alarms/7");
  expect(nextFor({ next: "//elsewhere" }, "u-2")).toBe("/");
});
