/** Times for people: in the site's zone (a gate's clock is the gate's), in the chosen language. Pure but for Intl. */

import type { Instant, Language } from "@/api/types";

const formats = new Map<string | undefined, Intl.DateTimeFormat>();

/** Day and clock by one format a zone: to make one takes a phone as long as to draw ten rows. */
function format(zone: string | undefined): Intl.DateTimeFormat {
  let known = formats.get(zone);
  if (!known) {
    try {
      known = new Intl.DateTimeFormat("en-GB", { ...DAY, ...CLOCK, timeZone: zone });
    } catch {
      known = new Intl.DateTimeFormat("en-GB", { ...DAY, ...CLOCK }); // a zone that this browser does not know
    }
    formats.set(zone, known);
  }
  return known;
}

/** Where day and clock stand in what that format writes: 09/03/2026, 08:12:05. */
const WRITTEN = /(\d+)\/(\d+)\/(\d+), (\d+:\d+:\d+)/;

function written(ms: number, zone: string | undefined): { day: string; clock: string } {
  const [, day, month, year, clock = ""] = WRITTEN.exec(format(zone).format(ms)) ?? [];
  return { day: `${year}-${month}-${day}`, clock };
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const DAY: Intl.DateTimeFormatOptions = { year: "numeric", month: "2-digit", day: "2-digit" };

export function milliseconds(at: Instant | number | null | undefined): number | null {
  if (at === null || at === undefined || at === "") return null;
  const ms = typeof at === "number" ? at : Date.parse(at);
  return Number.isFinite(ms) ? ms : null;
}

/** 08:12:05, or 08:12 with `seconds` off. */
export function clockText(at: Instant | number | null | undefined, zone?: string, seconds = true): string {
  const ms = milliseconds(at);
  if (ms === null) return "–";
  const text = written(ms, zone).clock;
  return seconds ? text : text.slice(0, 5);
}

/** 2026-03-09, in the zone. */
export function dayText(at: Instant | number | null | undefined, zone?: string): string {
  const ms = milliseconds(at);
  if (ms === null) return "–";
  return written(ms, zone).day;
}

/** The clock today, day and clock before: 03-09 08:12. */
export function momentText(
  at: Instant | number | null | undefined,
  now: number,
  zone?: string,
  seconds = true,
): string {
  const ms = milliseconds(at);
  if (ms === null) return "–";
  const day = dayText(ms, zone);
  const today = dayText(now, zone);
  if (day === today) return clockText(ms, zone, seconds);
  const shown = day.slice(0, 4) === today.slice(0, 4) ? day.slice(5) : day;
  return `${shown} ${clockText(ms, zone, false)}`;
}

/** 2026-03-09 08:12:05. */
export function fullText(at: Instant | number | null | undefined, zone?: string): string {
  return milliseconds(at) === null ? "–" : `${dayText(at, zone)} ${clockText(at, zone)}`;
}

/** What a zone's clock shows at a moment (Unix ms), as if that clock were UTC's. */
export function wallOf(moment: number, zone?: string): number {
  return Date.parse(`${dayText(moment, zone)}T${clockText(moment, zone)}Z`) + (moment % 1000);
}

/** The moment (Unix ms) at which a zone's clock shows that. */
export function momentAt(wall: number, zone?: string): number {
  let moment = wall;
  // Twice: the zone may put its clocks forward between the guess and the moment itself.
  for (let turn = 0; turn < 2; turn += 1) moment += wall - wallOf(moment, zone);
  return moment;
}

export interface Span {
  unit: "seconds" | "minutes" | "hours" | "days";
  count: number;
}

/** How long, in the largest unit that says it: 45 seconds, 12 minutes, 3 hours, 2 days. */
export function spanOf(ms: number): Span {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return { unit: "seconds", count: seconds };
  if (seconds < 3600) return { unit: "minutes", count: Math.floor(seconds / 60) };
  if (seconds < 172_800) return { unit: "hours", count: Math.floor(seconds / 3600) };
  return { unit: "days", count: Math.floor(seconds / 86_400) };
}

/** How a document says its language. */
export const LOCALES: Record<Language, string> = { zh: "zh-CN", en: "en-GB" };
