/** When something was asked for, by the server's clock, whatever becomes of this machine's clocks meanwhile. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { ACT_MS, api, type ApiError } from "@/api/client";
import { watchSite, stopWatching } from "@/shell/stores/live";

const wire = vi.hoisted(() => ({ status: (_: "live" | "lost") => undefined as void }));
vi.mock("@/live/connect", () => ({
  connect: (_: string, hear: (message: unknown) => void) => {
    wire.status = (state) => hear({ type: "status", status: { state, since: 0, retryAt: null, heardAt: 0 } });
    return { close: () => undefined, retry: () => undefined };
  },
}));

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 5, 1, 8);
/** What the server says, and how both clocks of this machine run from there. */
let server = 0;
let wall = 0;
let run = 0;
let sent: { path: string; askedAt: string | undefined }[] = [];
let dead = false;

function pass(ms: number, asleep = false): void {
  server += ms;
  wall += ms;
  if (!asleep) run += ms;
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  [server, wall, run] = [START, START + 7_000, 5_000];
  vi.spyOn(Date, "now").mockImplementation(() => wall);
  vi.spyOn(performance, "now").mockImplementation(() => run);
  dead = false;
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    sent.push({ path, askedAt: (init.headers as Record<string, string> | undefined)?.["Asked-At"] });
    if (dead) return new Promise(() => undefined);
    return Promise.resolve(new Response("{}", { headers: { "Server-Time": new Date(server).toISOString() } }));
  });
  watchSite("demo");
  wire.status("live");
  await api.get("/api/about");
  sent = [];
});
afterEach(() => {
  stopWatching();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

let count = 0;
const act = () => api.post("/api/tickets", { title: `t-${(count += 1)}` });
const at = (ms: number) => new Date(ms).toISOString();

it("time that passes makes it no other", async () => {
  pass(9 * HOUR_MS);
  await act();
  expect(sent).toEqual([{ path: "/api/tickets", askedAt: at(server) }]);
});

it.each([HOUR_MS, -HOUR_MS])("a clock that is set by %i ms changes nothing", async (by) => {
  wall += by;
  await act();
  expect(sent.map(({ path }) => path)).toEqual(["/api/about", "/api/tickets"]);
  expect(sent[1]?.askedAt).toBe(at(server));
  await act();
  expect(sent).toHaveLength(3);
  expect(sent[2]?.askedAt).toBe(at(server));
});

it("after a sleep in which the running clock stood the server is asked first", async () => {
  pass(8 * HOUR_MS, true);
  await act();
  expect(sent.map(({ path }) => path)).toEqual(["/api/about", "/api/tickets"]);
  expect(sent[1]?.askedAt).toBe(at(server));
});

it("an answer that was on its way during the sleep does not settle it", async () => {
  const reading = api.get("/api/alarms");
  pass(8 * HOUR_MS, true);
  await reading;
  await act();
  expect(sent.map(({ path }) => path)).toEqual(["/api/alarms", "/api/about", "/api/tickets"]);
  expect(sent[2]?.askedAt).toBe(at(server));
});

it("a server that began anew with another clock is asked once the link is back", async () => {
  wire.status("lost");
  server += HOUR_MS;
  pass(5_000);
  wire.status("live");
  await act();
  expect(sent.map(({ path }) => path)).toEqual(["/api/about", "/api/tickets"]);
  expect(sent[1]?.askedAt).toBe(at(server));
  server -= 2 * HOUR_MS;
  wire.status("lost");
  wire.status("live");
  await api.get("/api/alarms");
  await act();
  expect(sent.map(({ path }) => path).slice(2)).toEqual(["/api/alarms", "/api/tickets"]);
  expect(sent[3]?.askedAt).toBe(at(server));
});

it("the waiting for the time counts to the press, and on a dead wire nothing is sent", async () => {
  wall += HOUR_MS;
  dead = true;
  const asking = act().catch((error: unknown) => error as ApiError);
  await vi.advanceTimersByTimeAsync(ACT_MS);
  expect([((await asking) as ApiError).code, sent.map(({ path }) => path)]).toEqual(["unreachable", ["/api/about"]]);
});

it("a press is as old as it is when the time was told late", async () => {
  wall += HOUR_MS;
  const pressedAt = server;
  const asking = act();
  pass(6_000);
  await asking;
  expect(Date.parse(sent[1]?.askedAt ?? "")).toBeLessThanOrEqual(pressedAt);
});
