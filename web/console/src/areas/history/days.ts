/** Days of a site as moments: a day at the gate begins when the gate's clock says so. Pure but for Intl. */

import { dayText, momentAt } from "@/kit/format/time";

export const RANGES = ["all", "today", "yesterday", "week", "days"] as const;
export type Range = (typeof RANGES)[number];

const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** When a day (2026-03-09) begins in a zone, in Unix milliseconds; null: it is no day. */
export function startOf(day: string, zone: string | undefined): number | null {
  const asUtc = DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : NaN;
  return Number.isNaN(asUtc) ? null : momentAt(asUtc, zone);
}

/** The day so many days after another one. */
export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** From when to when a range is, the end not included; null: without an end. */
export function momentsOf(
  range: Range,
  first: string,
  last: string,
  now: number,
  zone: string | undefined,
): { from: string | null; to: string | null } {
  const today = dayText(now, zone);
  const days: Record<Range, [string, string]> = {
    all: ["", ""],
    today: [today, ""],
    yesterday: [dayAfter(today, -1), dayAfter(today, -1)],
    week: [dayAfter(today, -6), ""],
    days: [first, last],
  };
  const [begin, end] = days[range];
  return { from: written(startOf(begin, zone)), to: written(DAY.test(end) ? startOf(dayAfter(end, 1), zone) : null) };
}

const written = (moment: number | null): string | null => (moment === null ? null : new Date(moment).toISOString());
