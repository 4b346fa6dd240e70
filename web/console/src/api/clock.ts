/** What time it is at the server, as far as its answers tell: what a person asks for is as old as the server says. */

/** By how much the server's clock is ahead of this machine's (ms); null as long as it has told nothing. */
let ahead: number | null = null;

/** An answer came to what was sent at `sentAt` (Unix ms of this machine); `told`: what time the server said it was. */
export function heardTime(told: string | null, sentAt: number): void {
  const at = Date.parse(told ?? "");
  if (!Number.isFinite(at)) return;
  // It was said between then and now: what is known already is moved by no more than that asks for.
  const [least, most] = [at - Date.now(), at - sentAt];
  ahead = ahead === null || ahead < least ? least : Math.min(ahead, most);
}

/** The present moment by the server's clock; null of a server that does not tell, and so would not judge by it. */
export function serverTime(): string | null {
  return ahead === null ? null : new Date(Date.now() + ahead).toISOString();
}
