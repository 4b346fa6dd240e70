/**
 * What the server last said of who is here and what their sites are called: enough to open the app without a signal. It goes
 * when the person signs out or the session ends.
 */

const PREFIX = "gatehouse.known.";
const MOST_MS = 24 * 3_600_000;

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify({ at: Date.now(), value }));
  } catch {
    // no room, or forbidden: without a signal there is nothing to show then
  }
}

/** What was remembered within the last day; null: nothing. */
export function recall<V>(name: string): V | null {
  try {
    const found = JSON.parse(localStorage.getItem(PREFIX + name) ?? "null") as { at: number; value: V } | null;
    return found && Date.now() - found.at < MOST_MS ? found.value : null;
  } catch {
    return null;
  }
}

export function forgetAll(): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    // nothing was remembered
  }
}
