/** The stream that was begun before the console was there. */

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

const begun = (url: string, failed = false) => {
  const stream = { url, worker: { port: port(), onerror: null }, release: vi.fn(), failed };
  window.gatehouseStream = stream as unknown as NonNullable<Window["gatehouseStream"]>;
  return stream;
};

it("is taken over with all that it has told meanwhile", () => {
  const stream = begun("/api/live?site=demo");
  const heard = vi.fn();
  const connection = connect("/api/live?site=demo", heard);
  expect(made).toEqual([]);
  expect(stream.worker.port.postMessage).not.toHaveBeenCalled();
  stream.worker.port.onmessage?.({ data: { type: "reset" } } as MessageEvent);
  expect(heard).toHaveBeenCalledWith({ type: "reset" });
  connection.close();
  expect(stream.worker.port.postMessage).toHaveBeenCalledWith({ do: "close" });
});

it.each([
  ["another site is shown after all", "/api/live?site=annex", false],
  ["its worker failed", "/api/live?site=demo", true],
])("is let go where %s", (_, url, failed) => {
  const stream = begun(url, failed);
  connect("/api/live?site=demo", vi.fn());
  expect(stream.worker.port.postMessage).toHaveBeenCalledWith({ do: "close" });
  expect(stream.release).toHaveBeenCalled();
  expect(made[0]?.port.postMessage).toHaveBeenCalledWith({ do: "open", url: "/api/live?site=demo", lock: null });
});

it("is taken once: the next site's stream is one of its own", () => {
  begun("/api/live?site=demo");
  connect("/api/live?site=demo", vi.fn()).close();
  connect("/api/live?site=annex", vi.fn());
  expect(made.length).toBe(1);
});
