/** A press on a dead wire: told within ten seconds as what it is, unknown, and looked up once the link is back. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { abandonActs, ACT_MS, actsBegun, api, ApiError, READ_MS } from "@/api/client";
import { now } from "@/kit/clock";
import { faultText } from "@/kit/faults";
import ReasonDialog from "@/shell/ReasonDialog.vue";
import { ask, dismiss, shownCommands } from "@/shell/stores/commands";
import { question } from "@/shell/stores/asking";
import { watchSite, stopWatching } from "@/shell/stores/live";
import { T } from "@/testids";
import { at, mount, settled } from "./mounting";

const START = Date.UTC(2026, 5, 1, 8);
/** The server's clock is an hour ahead of this machine's. */
const AHEAD_MS = 3_600_000;
const OPENING = { site: "demo", target: "gate-in", kind: "barrier.open", reason: "访客来访", ttl_s: 15 };

const wire = vi.hoisted(() => ({ status: (_: "live" | "lost") => undefined as void }));
vi.mock("@/live/connect", () => ({
  connect: (_: string, hear: (message: unknown) => void) => {
    wire.status = (state) => hear({ type: "status", status: { state, since: Date.now(), retryAt: null, heardAt: Date.now() } });
    return { close: () => undefined, retry: () => undefined };
  },
}));

interface Sent {
  path: string;
  method: string;
  headers: Record<string, string>;
  signal: AbortSignal;
}
let sent: Sent[] = [];
let dead = false;
let answer: { status: number; body: unknown } = { status: 200, body: {} };

beforeEach(async () => {
  vi.useFakeTimers({ now: START });
  sent = [];
  dead = false;
  answer = { status: 200, body: {} };
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    sent.push({ path, method: init.method!, headers: init.headers as Record<string, string>, signal: init.signal! });
    if (dead) return new Promise(() => undefined);
    const headers = { "Server-Time": new Date(Date.now() + AHEAD_MS).toISOString() };
    return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status, headers }));
  });
  watchSite("demo");
  now.value = Date.now();
  wire.status("live");
  await api.get("/api/about");
  sent = [];
});
afterEach(() => {
  for (const { id } of shownCommands.value) dismiss(id);
  stopWatching();
  question.value = null;
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

/** The page's own clock ticks by a timer of before the test. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  now.value = Date.now();
  await settled();
}

const faultOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error as ApiError,
  );

it("no request is waited for without end", async () => {
  dead = true;
  const reading = faultOf(api.get("/api/alarms"));
  const acting = faultOf(api.post("/api/tickets", { title: "x" }));
  await pass(ACT_MS);
  expect(sent[1]?.signal.aborted).toBe(true);
  expect(ACT_MS).toBeLessThan(10_000);
  const unknown = await acting;
  expect([unknown.status, unknown.code]).toEqual([0, "unanswered"]);
  expect(faultText(unknown)).toContain("不会重复");
  await pass(READ_MS);
  expect((await reading).code).toBe("unreachable");
});

it("an act says when it was asked, by the server's clock, and a read does not", async () => {
  await api.post("/api/tickets", { title: "y" });
  await api.get("/api/tickets");
  expect(sent[0]?.headers["Asked-At"]).toBe(new Date(START + AHEAD_MS).toISOString());
  expect(sent[1]?.headers["Asked-At"]).toBeUndefined();
});

it("a command without an answer is unknown, and looked up by its key when it is over and the link is back", async () => {
  dead = true;
  const asking = faultOf(ask(OPENING));
  await pass(ACT_MS);
  expect(faultText(await asking)).toContain("不知道是否送到");
  expect(shownCommands.value.map(({ state, target }) => [state, target])).toEqual([["unknown", "gate-in"]]);
  wire.status("lost");
  await pass(60_000);
  expect(sent).toHaveLength(1);
  dead = false;
  answer = { status: 202, body: { ...OPENING, id: "c-9", state: "expired", result: { at: "", why: { zh: "晚了", en: "late" } } } };
  wire.status("live");
  await pass(0);
  const [press, looked] = sent;
  expect(looked?.headers["Idempotency-Key"]).toBe(press?.headers["Idempotency-Key"]);
  expect(looked?.headers["Asked-At"]).toBe(press?.headers["Asked-At"]);
  expect(shownCommands.value.map(({ id, state }) => [id, state])).toEqual([["c-9", "expired"]]);
});

it("looking does not do it: nothing is sent again before the press has outlived itself", async () => {
  dead = true;
  const asking = faultOf(ask(OPENING));
  await pass(ACT_MS);
  await asking;
  dead = false;
  answer = { status: 202, body: { ...OPENING, id: "c-8", state: "done" } };
  wire.status("lost");
  wire.status("live");
  await pass(15_000 - ACT_MS);
  expect(sent).toHaveLength(1);
  wire.status("live");
  await pass(6_000);
  expect(sent).toHaveLength(2);
  expect(shownCommands.value[0]?.state).toBe("done");
});

it("who lets it be waits no longer, and what was sent stays in sight", async () => {
  dead = true;
  const asking = faultOf(ask(OPENING));
  await pass(1000);
  abandonActs(0);
  expect((await asking).code).toBe("unanswered");
  expect(sent[0]?.signal.aborted).toBe(true);
  expect(shownCommands.value[0]?.state).toBe("unknown");
});

it("who lets a dialog be goes on waiting for what was begun before it opened", async () => {
  dead = true;
  const before = faultOf(ask(OPENING));
  const opened = actsBegun();
  const within = faultOf(ask({ ...OPENING, target: "gate-out" }));
  await pass(1000);
  abandonActs(opened);
  expect((await within).code).toBe("unanswered");
  expect(sent.map(({ signal }) => signal.aborted)).toEqual([false, true]);
  await pass(ACT_MS);
  await before;
});

it("the dialog says it within ten seconds", async () => {
  dead = true;
  mount(ReasonDialog);
  question.value = { opening: "unlock", site: "demo", target: "lobby" };
  await settled();
  at(T.askReason(1)).click();
  await settled();
  at(T.askSend).click();
  await settled();
  await pass(10_000);
  await settled();
  expect(at(T.askError).textContent).toContain("不知道是否送到");
});
