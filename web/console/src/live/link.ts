/** One connection to GET /api/live: reads, resumes after the last event, waits longer after each failure. */

import type { EventItem, Snapshot } from "@/api/types";
import type { Frame } from "@/live/fold";
import type { StateItem } from "@/live/table";
import { SseParser, type SseFrame } from "@/live/sse";

export type LinkState = "connecting" | "live" | "lost" | "refused";

export interface LinkStatus {
  state: LinkState;
  /** Unix ms since when it is so. */
  since: number;
  /** Unix ms of the next try while lost. */
  retryAt: number | null;
  /** Unix ms of the last byte that came, whatever it said; null before the first. */
  heardAt: number | null;
}

const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15000];
/** The server beats every 3 s: after so long a silence nothing comes any more, whatever the connection claims. */
export const SILENCE_MS = 8_000;
/** How often those who listen are told that something still comes. */
const TELL_MS = 2_000;

/** The pause before try number `attempt` (0 is the first retry), spread so that many consoles do not come at once. */
export function pauseBefore(attempt: number, random: number): number {
  const step = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? 15000;
  return Math.round(step * (0.75 + random * 0.5));
}

/** The frame that an SSE frame carries; null for what is not known or cannot be read. */
export function frameOf(raw: SseFrame): Frame | null {
  let body: unknown;
  try {
    body = JSON.parse(raw.data);
  } catch {
    return raw.event === "reset" ? { type: "reset" } : null;
  }
  switch (raw.event) {
    case "snapshot":
      return { type: "snapshot", snapshot: body as Snapshot };
    case "events":
      return Array.isArray(body) ? { type: "events", events: body as EventItem[] } : null;
    case "state":
      return isState(body) ? { type: "state", state: body } : null;
    case "reset":
      return { type: "reset" };
    default:
      return null;
  }
}

function isState(body: unknown): body is StateItem {
  if (typeof body !== "object" || body === null) return false;
  const item = body as Record<string, unknown>;
  return typeof item.kind === "string" && typeof item.id === "string";
}

export class LiveLink {
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private lastId: string | null = null;
  private running = false;
  private toldAt = 0;
  status: LinkStatus = { state: "connecting", since: Date.now(), retryAt: null, heardAt: null };

  constructor(
    private readonly url: string,
    private readonly onFrame: (frame: Frame) => void,
    private readonly onStatus: (status: LinkStatus) => void,
    private readonly request: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    this.attempt = 0;
    addEventListener("offline", this.offline);
    addEventListener("online", this.online);
    void this.open();
  }

  stop(): void {
    this.running = false;
    removeEventListener("offline", this.offline);
    removeEventListener("online", this.online);
    clearTimeout(this.timer);
    clearTimeout(this.silence);
    this.abort?.abort();
    this.abort = null;
  }

  /** Tries at once (a person asked, or the network came back). */
  retry(): void {
    if (!this.running || this.status.state === "live") return;
    clearTimeout(this.timer);
    this.abort?.abort();
    void this.open();
  }

  private readonly online = (): void => this.retry();
  /** The machine knows that its network is gone: no need to wait for the silence. */
  private readonly offline = (): void => {
    if (this.abort) this.fall(this.abort);
  };

  private say(state: LinkState, retryAt: number | null = null): void {
    const since = state === this.status.state ? this.status.since : Date.now();
    this.toldAt = Date.now();
    this.status = { state, since, retryAt, heardAt: this.status.heardAt };
    this.onStatus(this.status);
  }

  /** A byte came: the next one is due within the silence. */
  private heard(abort: AbortController): void {
    this.status = { ...this.status, heardAt: Date.now() };
    this.watch(abort);
    if (this.status.state === "live" && Date.now() - this.toldAt >= TELL_MS) this.say("live");
  }

  private watch(abort: AbortController): void {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.fall(abort), SILENCE_MS);
  }

  /** Gives a connection up; a request or a read that hangs may not even notice that it was aborted. */
  private fall(abort: AbortController): void {
    if (this.abort !== abort || !this.running) return;
    this.abort = null;
    abort.abort();
    this.later();
  }

  private async open(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    this.watch(abort);
    if (this.status.state !== "lost") this.say("connecting");
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.lastId !== null) headers["Last-Event-ID"] = this.lastId;
      const response = await this.request(this.url, {
        headers,
        signal: abort.signal,
        cache: "no-store",
        credentials: "same-origin",
      });
      if (this.abort !== abort) return;
      if (response.status === 401 || response.status === 403) {
        this.stop();
        this.say("refused");
        return;
      }
      if (!response.ok || !response.body) throw new Error(`live stream answered ${response.status}`);
      await this.read(response.body, abort);
    } catch {
      // Whatever broke it, the cure is the same: come back later, from the last event.
    }
    this.fall(abort);
  }

  private async read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || abort.signal.aborted) return;
      this.heard(abort);
      for (const raw of parser.feed(decoder.decode(value, { stream: true }))) {
        if (raw.id !== null) this.lastId = raw.id;
        const frame = frameOf(raw);
        if (frame === null) continue;
        if (this.status.state !== "live") {
          this.attempt = 0;
          this.say("live");
        }
        this.onFrame(frame);
      }
    }
  }

  private later(): void {
    clearTimeout(this.silence);
    const pause = pauseBefore(this.attempt, Math.random());
    this.attempt += 1;
    this.say("lost", Date.now() + pause);
    this.timer = setTimeout(() => void this.open(), pause);
  }
}

/**
 * The status as a tab has to take it at `now`. Whoever holds the connection may be gone itself, a frozen worker or
 * another tab: a link of which nothing was heard for long is lost, whatever was last said of it.
 */
export function judged(status: LinkStatus, now: number): LinkStatus {
  const silent = status.state === "live" && now - (status.heardAt ?? status.since) > SILENCE_MS + TELL_MS + 1000;
  return silent ? { ...status, state: "lost", since: status.heardAt ?? status.since } : status;
}
