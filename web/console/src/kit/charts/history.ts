/** The values around a fault, as a ticket carries them, sorted into what can be drawn. Pure. */

import type { Value } from "@/api/types";

export interface Trace {
  point: string;
  kind: "number" | "flag" | "label";
  /** [Unix ms, number]; flags as 0 and 1. Labels are in `words`. */
  spots: [number, number | null][];
  words: [number, string][];
}

/**
 * One trace a point, those that moved most first. Points are recorded when they change: a value holds until the next one,
 * the last one until `until` (Unix ms).
 */
export function tracesOf(history: readonly [string, number, Value][], until: number): Trace[] {
  const byPoint = new Map<string, [number, Value][]>();
  for (const [point, at, value] of history) {
    const rows = byPoint.get(point);
    if (rows) rows.push([at, value]);
    else byPoint.set(point, [[at, value]]);
  }
  return [...byPoint]
    .map(([point, rows]) =>
      traceOf(
        point,
        held(
          rows.sort((a, b) => a[0] - b[0]),
          until,
        ),
      ),
    )
    .sort((a, b) => movement(b) - movement(a) || a.point.localeCompare(b.point));
}

function held(rows: [number, Value][], until: number): [number, Value][] {
  const last = rows.at(-1);
  return last && last[0] < until ? [...rows, [until, last[1]]] : rows;
}

function traceOf(point: string, rows: [number, Value][]): Trace {
  const known = rows.find(([, value]) => value !== null)?.[1];
  if (typeof known === "string") {
    return {
      point,
      kind: "label",
      spots: [],
      words: rows.map(([at, value]) => [at, value === null ? "–" : String(value)]),
    };
  }
  const kind = typeof known === "boolean" ? "flag" : "number";
  return { point, kind, spots: rows.map(([at, value]) => [at, value === null ? null : Number(value)]), words: [] };
}

/** How much a point moved; 0: it stood still, and a chart of it would say nothing. */
export function movement(trace: Trace): number {
  if (trace.kind === "label") return new Set(trace.words.map(([, word]) => word)).size > 1 ? 1 : 0;
  const numbers = trace.spots.map(([, value]) => value).filter((value) => value !== null);
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  if (!(high > low)) return 0;
  return trace.kind === "flag" ? 2 : 2 + (high - low) / Math.max(Math.abs(high), Math.abs(low));
}

/** Only where a word changes: a state is said once. */
export function changesOf(words: readonly [number, string][]): [number, string][] {
  return words.filter(([, word], place) => place === 0 || words[place - 1]?.[1] !== word);
}
