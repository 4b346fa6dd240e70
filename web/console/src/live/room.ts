/** One link and everybody who listens to it: tabs of a shared worker, or the tabs behind an elected one. */

import { emptyState, fold, snapshotOf, type Frame } from "@/live/fold";
import { LiveLink, type LinkStatus } from "@/live/link";

export type LiveMessage = Frame | { type: "status"; status: LinkStatus };
export type Listener = (message: LiveMessage) => void;

export class LiveRoom {
  private readonly state = emptyState();
  private readonly listeners = new Set<Listener>();
  private link: LiveLink | null = null;

  constructor(
    private readonly url: string,
    private readonly request?: typeof fetch,
  ) {}

  /** Adds a listener and tells it what is known; the first one opens the link. */
  join(listener: Listener): void {
    this.listeners.add(listener);
    if (this.link === null || this.link.status.state === "refused") this.begin();
    else this.tell(listener);
  }

  /** Says everything again: a tab behind an elected one has just come. */
  tell(listener: Listener): void {
    if (this.link) listener({ type: "status", status: this.link.status });
    if (this.state.asOf !== null) listener({ type: "snapshot", snapshot: snapshotOf(this.state) });
  }

  leave(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size > 0) return;
    this.link?.stop();
    this.link = null;
  }

  retry(): void {
    this.link?.retry();
  }

  get empty(): boolean {
    return this.listeners.size === 0;
  }

  private begin(): void {
    this.link?.stop();
    this.link = new LiveLink(
      this.url,
      (frame) => {
        fold(this.state, frame);
        this.say(frame);
      },
      (status) => this.say({ type: "status", status }),
      this.request,
    );
    this.link.start();
  }

  private say(message: LiveMessage): void {
    for (const listener of this.listeners) listener(message);
  }
}
