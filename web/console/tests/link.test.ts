import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { frameOf, judged, LiveLink, pauseBefore, type LinkStatus } from "@/live/link";
import { LiveRoom, type LiveMessage } from "@/live/room";
import { snapshot } from "./items";

/** A server that answers with one stream after another; a test writes into the newest. */
class Stub {
  asked: Headers[] = [];
  private feed: ReadableStreamDefaultController<Uint8Array> | null = null;
  status = 200;

  readonly fetch = ((_: string, init?: RequestInit) => {
    this.asked.push(new Headers(init?.headers));
    if (this.status !== 200) return Promise.resolve(new Response(null, { status: this.status }));
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.feed = controller) });
    init?.signal?.addEventListener("abort", () => this.cut());
    return Promise.resolve(new Response(body));
  }) as typeof fetch;

  async write(text: string): Promise<void> {
    this.feed?.enqueue(new TextEncoder().encode(text));
    await vi.advanceTimersByTimeAsync(1);
  }

  cut(): void {
    try {
      this.feed?.error(new Error("cut"));
    } catch {
      // cut already
    }
  }
}

const SNAPSHOT = `id: 41\nevent: snapshot\ndata: ${JSON.stringify(snapshot())}\n\n`;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("one link", () => {
  it("is live once a snapshot has come, and resumes after the last event", async () => {
    const server = new Stub();
    const frames: string[] = [];
    let status: LinkStatus | null = null;
    const link = new LiveLink(
      "/api/live",
      (frame) => frames.push(frame.type),
      (now) => (status = now),
      server.fetch,
    );
    link.start();
    await vi.advanceTimersByTimeAsync(1);
    expect(status).toMatchObject({ state: "connecting" });
    await server.write(SNAPSHOT);
    expect(status).toMatchObject({ state: "live" });
    await server.write("id: 42\nevent: events\ndata: []\n\n");

    server.cut();
    await vi.advanceTimersByTimeAsync(1);
    expect(status).toMatchObject({ state: "lost" });
    await vi.advanceTimersByTimeAsync(1000);
    expect(server.asked.map((headers) => headers.get("Last-Event-ID"))).toEqual([null, "42"]);
    await server.write(SNAPSHOT);
    expect(status).toMatchObject({ state: "live", retryAt: null });
    expect(frames).toEqual(["snapshot", "events", "snapshot"]);
    link.stop();
  });

  it.each([401, 403])("ends at %i: only a person can mend that", async (code) => {
    const server = new Stub();
    server.status = code;
    const states: string[] = [];
    new LiveLink(
      "/api/live",
      () => undefined,
      (status) => states.push(status.state),
      server.fetch,
    ).start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(states.at(-1)).toBe("refused");
    expect(server.asked).toHaveLength(1);
  });

  it("takes a silent stream for dead within 10 s, whatever came before, and one that never began too", async () => {
    const server = new Stub();
    const states: string[] = [];
    const link = new LiveLink(
      "/api/live",
      () => undefined,
      (status) => states.push(status.state),
      server.fetch,
    );
    link.start();
    await vi.advanceTimersByTimeAsync(9_500);
    expect(states).toEqual(["connecting", "lost"]);
    await vi.advanceTimersByTimeAsync(1_000);
    await server.write(SNAPSHOT);
    // Traffic alone, without a beat; then beats alone.
    for (let passed = 0; passed < 20; passed += 1) {
      await vi.advanceTimersByTimeAsync(5_000);
      await server.write(passed < 10 ? "id: 42\nevent: events\ndata: []\n\n" : ": beat\n\n");
    }
    expect(states.slice(2).every((state) => state === "live")).toBe(true);
    await vi.advanceTimersByTimeAsync(9_500);
    expect(states.at(-1)).toBe("lost");
    link.stop();
  });

  it("does not wait for a request that never answers, nor for one that ignores being aborted", async () => {
    let asked = 0;
    const states: string[] = [];
    const link = new LiveLink(
      "/api/live",
      () => undefined,
      (status) => states.push(status.state),
      (() => ((asked += 1), new Promise(() => undefined))) as typeof fetch,
    );
    link.start();
    await vi.advanceTimersByTimeAsync(9_500);
    expect(states).toEqual(["connecting", "lost"]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked).toBeGreaterThanOrEqual(3);
    link.stop();
  });

  it("hears at once that the machine has no network, and comes back with it", async () => {
    const server = new Stub();
    const states: string[] = [];
    const link = new LiveLink(
      "/api/live",
      () => undefined,
      (status) => states.push(status.state),
      server.fetch,
    );
    link.start();
    await vi.advanceTimersByTimeAsync(1);
    await server.write(SNAPSHOT);
    dispatchEvent(new Event("offline"));
    expect(states.at(-1)).toBe("lost");
    dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(1);
    await server.write(SNAPSHOT);
    expect(states.at(-1)).toBe("live");
    link.stop();
    dispatchEvent(new Event("offline"));
    expect(states.at(-1)).toBe("live");
  });

  it("is lost for a tab when whoever holds the connection says nothing any more", () => {
    const status: LinkStatus = { state: "live", since: 0, retryAt: null, heardAt: 50_000 };
    expect(judged(status, 59_000)).toBe(status);
    expect(judged(status, 63_000)).toMatchObject({ state: "lost", since: 50_000 });
    expect(judged({ ...status, state: "connecting" }, 900_000).state).toBe("connecting");
  });

  it("waits longer after each failure, but never longer than 20 s", () => {
    const pauses = Array.from({ length: 10 }, (_, attempt) => pauseBefore(attempt, 0.5));
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauseBefore(99, 1)).toBeLessThanOrEqual(20_000);
  });

  it("passes over frames that it cannot read", () => {
    expect(frameOf({ event: "state", data: "{broken", id: null })).toBeNull();
    expect(frameOf({ event: "state", data: '{"no":"kind"}', id: null })).toBeNull();
    expect(frameOf({ event: "events", data: "{}", id: null })).toBeNull();
    expect(frameOf({ event: "weather", data: "{}", id: null })).toBeNull();
    expect(frameOf({ event: "reset", data: "", id: null })).toEqual({ type: "reset" });
  });
});

describe("tabs behind one link", () => {
  it("open one stream; who comes later is told what is known", async () => {
    const server = new Stub();
    const room = new LiveRoom("/api/live", server.fetch);
    const first: LiveMessage[] = [];
    const second: LiveMessage[] = [];
    const hear = (message: LiveMessage) => void first.push(message);
    room.join(hear);
    await vi.advanceTimersByTimeAsync(1);
    await server.write(SNAPSHOT);
    const later = (message: LiveMessage) => void second.push(message);
    room.join(later);
    expect(second.map((message) => message.type)).toEqual(["status", "snapshot"]);
    expect(server.asked).toHaveLength(1);

    room.leave(hear);
    expect(room.empty).toBe(false);
    room.leave(later);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toHaveLength(1);
  });
});
