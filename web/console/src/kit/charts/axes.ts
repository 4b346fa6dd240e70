/** Where the lines and labels of a chart's axes stand. Pure but for Intl. */

import { clockText, dayText, momentAt, wallOf } from "@/kit/format/time";
import { numberText } from "@/kit/format/values";

export interface Tick {
  at: number;
  text: string;
}

export interface Axis {
  low: number;
  high: number;
  ticks: Tick[];
}

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
/** The distances between times that people count in, ms. */
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 3, 5, 7, 10, 14, 28, 91, 182, 364].map((count) => count * DAY),
];

/** Round times of the zone's own clock from `low` to `high` (Unix ms), `most` at the most; midnights tell their day. */
export function timeAxis(low: number, high: number, most: number, zone?: string): Axis {
  const [from, to] = [wallOf(low, zone), wallOf(high, zone)];
  const step = STEPS.find((one) => (to - from) / one <= most) ?? to - from;
  const ticks: Tick[] = [];
  for (let wall = Math.ceil(from / step) * step; wall <= to; wall += step) {
    const at = momentAt(wall, zone);
    // An hour that the clocks leave out has no place, and none is shown twice.
    if (at < low || at > high || at <= (ticks.at(-1)?.at ?? -Infinity)) continue;
    const midnight = wall % DAY === 0 && to - from >= DAY / 2;
    ticks.push({ at, text: midnight ? dayText(at, zone).slice(5) : clockText(at, zone, step < MINUTE) });
  }
  return { low, high, ticks };
}

/** Round numbers around the values, some `most` of them; `zero`: from nothing on, as bars stand. */
export function numberAxis(values: readonly number[], most: number, zero = false): Axis {
  let [least, greatest] = zero ? [0, 0] : [Infinity, -Infinity];
  for (const value of values) [least, greatest] = [Math.min(least, value), Math.max(greatest, value)];
  if (least > greatest) [least, greatest] = [0, 1];
  // What stands still has room on both sides, so that it is seen to; nothing at all stands on the ground.
  if (least === greatest) {
    const room = Math.abs(least) * 0.05 || 1;
    [least, greatest] = [least === 0 ? 0 : least - room, greatest + room];
  }
  const step = roundUp((greatest - least) / Math.max(1, most));
  const [first, last] = [Math.floor(least / step + 1e-9), Math.ceil(greatest / step - 1e-9)];
  const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9)));
  const ticks = Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step);
  return {
    low: first * step,
    high: last * step,
    ticks: ticks.map((at) => ({ at, text: numberText(at, digits) })),
  };
}

/** The next of 1, 2, 5, 10 … */
function roundUp(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return (([1, 2, 5].find((one) => one * power >= least * (1 - 1e-9)) ?? 10) * power);
}

/** About how wide a text of 11 px is: signs of Chinese are square. */
export function widthOf(text: string): number {
  return [...text].reduce((sum, sign) => sum + (sign > "⺀" ? 11 : 6.4), 0);
}
