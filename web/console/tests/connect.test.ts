/** The stream that was begun before the console was there. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { connect } from "@/live/connect";

function port() {
  return { postMessage: vi.fn(), close: vi.fn(), onmessage: null as ((message: MessageEvent) => void) | null };
}
const made: { port: ReturnType<typeof port> }[] = [];

beforeEach(() => {
  made.length = 0;
  vi.stubGlobal("SharedWorker", class {
    port = port();
    onerror = null;
    constructor() {
      made.push(this);
    }
  });
  vi.stubGlobal("navigator", { locks: undefined });
});
afterEach(() => {
  window.gatehouseStream = undefined;
  vi.unstubAllGlobals();
});

const begun = (url: string, failed = false, who = "u-1") => {
  const stream = { url, who, worker: { port: port(), onerror: null }, release: vi.fn(), failed };
  window.gatehouseStream = stream as unknown as NonNullable<Window["gatehouseStream"]>;
  return stream;
};

it("is taken over with all that it has told meanwhile", () => {
  const stream = begun("/api/live?site=demo");
  const heard = vi.fn();
  const connection = connect("/api/live?site=demo", heard, "u-1");
  expect(made).toEqual([]);
  expect(stream.worker.port.postMessage).not.toHaveBeenCalled();
  stream.worker.port.onmessage?.({ data: { type: "reset" } } as MessageEvent);
  expect(heard).toHaveBeenCalledWith({ type: "reset" });
  connection.close();
  expect(stream.worker.port.postMessage).toHaveBeenCalledWith({ do: "close" });
});

it.each([
  ["another site is shown after all", "/api/live?site=annex", false, "u-1"],
  ["its worker failed", "/api/live?site=demo", true, "u-1"],
  ["somebody else is here", "/api/live?site=demo", false, "u-2"],
])("is let go where %s", (_, url, failed, who) => {
  const stream = begun(url, failed, who);
  connect("/api/live?site=demo", vi.fn(), "u-1");
  expect(stream.worker.port.postMessage).toHaveBeenCalledWith({ do: "close" });
  expect(stream.release).toHaveBeenCalled();
  expect(made[0]?.port.postMessage).toHaveBeenCalledWith({ do: "open", url: "/api/live?site=demo", who: "u-1", lock: null });
});

it("is taken once: the next site's stream is one of its own", () => {
  begun("/api/live?site=demo");
  connect("/api/live?site=demo", vi.fn(), "u-1").close();
  connect("/api/live?site=annex", vi.fn(), "u-1");
  expect(made.length).toBe(1);
});

it("is shared by the tabs of one account, and by no other's, also where the old tab still listens", async () => {
  vi.stubGlobal("self", {});
  const fetched = vi.fn(() => new Promise<Response>(() => undefined));
  vi.stubGlobal("fetch", fetched);
  await import("@/live/shared-worker");
  const tab = (who: string) => {
    const own = { ...port(), start: vi.fn() };
    (self as unknown as { onconnect: (event: unknown) => void }).onconnect({ ports: [own] });
    own.onmessage?.({ data: { do: "open", url: "/api/live", who, lock: null } } as MessageEvent);
    return own;
  };
  const tabs = [tab("u-1"), tab("u-1"), tab("u-2")];
  expect(fetched).toHaveBeenCalledTimes(2);
  for (const own of tabs) own.onmessage?.({ data: { do: "close" } } as MessageEvent);
});

it("is begun by the page's first script for the account that was here last, and for another once the server names it", async () => {
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  const known = { session: { user: { id: "u-1" } }, stream: "/api/live?site=demo" };
  for (const [name, value] of Object.entries(known))
    localStorage.setItem(`gatehouse.known.${name}`, JSON.stringify({ at: 0, value }));
  const begin = async (answer: () => Promise<unknown>): Promise<unknown> => {
    made.length = 0;
    vi.stubGlobal("fetch", vi.fn(answer));
    const script = readFileSync(join(import.meta.dirname, "../public/first-paint.js"), "utf8");
    new Function(script.replace("window.gatehouseParts || {}", '{ stream: ["worker.js"] }'))();
    return window.gatehouseStart;
  };
  const start = (id: string) => {
    const body = { session: { user: { id } }, sites: [{ id: "demo" }], about: { server: "hub" } };
    return () => Promise.resolve({ ok: true, json: () => Promise.resolve(body) });
  };
  const opened = (): unknown[] => made.map(({ port: { postMessage } }) => (postMessage.mock.calls[0] as [{ who: string }])[0].who);
  await begin(start("u-1"));
  expect(opened()).toEqual(["u-1"]);
  await begin(start("u-2"));
  expect(opened()).toEqual(["u-1", "u-2"]);
  // A network that swallows everything is given up, and is no refusal.
  expect(await begin(() => Promise.reject(new DOMException("", "TimeoutError")))).toBeUndefined();
  expect(vi.mocked(fetch).mock.calls[0]?.[1]?.signal).toBeInstanceOf(AbortSignal);
  localStorage.clear();
});
