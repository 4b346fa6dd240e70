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
}

const BACKOFF_MS = [500, 1000, 2000, 4000, 8000, 15000];
/** Silence after which a connection that used to send keep-alives is taken for dead. */
const SILENCE_MS = 45_000;

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
  status: LinkStatus = { state: "connecting", since: Date.now(), retryAt: null };

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
    void this.open();
  }

  stop(): void {
    this.running = false;
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

  private say(state: LinkState, retryAt: number | null = null): void {
    const since = state === this.status.state ? this.status.since : Date.now();
    this.status = { state, since, retryAt };
    this.onStatus(this.status);
  }

  private async open(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
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
      if (response.status === 401 || response.status === 403) {
        this.running = false;
        this.say("refused");
        return;
      }
      if (!response.ok || !response.body) throw new Error(`live stream answered ${response.status}`);
      await this.read(response.body, abort);
    } catch {
      // Whatever broke it, the cure is the same: come back later, from the last event.
    }
    if (this.abort === abort && this.running) this.later();
  }

  private async read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const parser = new SseParser();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || abort.signal.aborted) return;
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
      clearTimeout(this.silence);
      if (parser.comments > 0) this.silence = setTimeout(() => abort.abort(), SILENCE_MS);
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
