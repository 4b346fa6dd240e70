/** Days as a row of bars stands on them: each has its place, whether something was counted on it or not. Pure. */

const DAY_MS = 86_400_000;

/** The days from `first` to `last` (2026-03-09, both included). */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(`${first}T00:00:00Z`); at <= Date.parse(`${last}T00:00:00Z`); at += DAY_MS)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

/** So many days before one. */
export function daysBefore(day: string, count: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - count * DAY_MS).toISOString().slice(0, 10);
}

/** How many days lie between two labels, so that at most `most` stand beneath the bars and the last day has one. */
export function labelStep(days: number, most: number): number {
  return Math.max(1, Math.ceil(days / most));
}
