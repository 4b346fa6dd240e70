/**
 * What time it is at the server, as far as its answers tell: what a person asks for is as old as the server says.
 *
 * It runs on by the page's own clock, which nobody sets. Some machines stop that one in their sleep, and then the clock
 * of the machine has gone on alone: whether it slept or was set cannot be told, so the server is asked anew.
 */

/** By both clocks of this machine (ms): `run` counts, `wall` is the one that may be set. */
export interface Moment {
  run: number;
  wall: number;
}

/** The clocks of a machine that is awake differ by less after hours. */
const SLIP_MS = 2_000;

/** By how much the server's clock is ahead of the page's (ms); null as long as it has told nothing. */
let ahead: number | null = null;
/** When it was last told. */
let heard: Moment | null = null;
/** What was asked before this (by `run`) may have been told by a server that has begun anew since. */
let doubtedAt = -Infinity;

export function moment(): Moment {
  return { run: performance.now(), wall: Date.now() };
}

/** An answer came to what was sent at `sent`; `told`: what time the server said it was. */
export function heardTime(told: string | null, sent: Moment): void {
  const at = Date.parse(told ?? "");
  if (!Number.isFinite(at)) return;
  const now = moment();
  // It was said between then and now: what is known already is moved by no more than that asks for.
  const [least, most] = [at - now.run, at - sent.run];
  ahead = ahead === null || ahead < least ? least : Math.min(ahead, most);
  if (!slipped(sent, now) && sent.run >= doubtedAt) heard = now;
}

/** The server may have begun anew: what it told of the time before is not to be built upon. */
export function doubtTime(): void {
  doubtedAt = performance.now();
}

/** Whether a press of now needs the server to say first what time it is. */
export function timeInDoubt(): boolean {
  return ahead !== null && (heard === null || heard.run < doubtedAt || slipped(heard, moment()));
}

/** That moment by the server's clock; null of a server that does not tell, and so would not judge by it. */
export function serverTime(at: Moment): string | null {
  return ahead === null ? null : new Date(at.run + ahead).toISOString();
}

function slipped(from: Moment, to: Moment): boolean {
  return Math.abs(to.wall - from.wall - (to.run - from.run)) > SLIP_MS;
}
