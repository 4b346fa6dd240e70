/**
 * What a live stream adds up to: snapshot, then deltas. Pure, used by the tab and by the worker that tabs share: it holds
 * one state for all of them. What a table keeps of what comes, its area says (`areas/<area>/live.ts`).
 */

import type { EventItem, Snapshot } from "@/api/types";
import { FEED_KINDS } from "@/live/entries";
import type { StateItem } from "@/live/table";
import { NAMED, tables, type Tables } from "@/live/tables";

const OF_THE_FEED = new Set(FEED_KINDS);
/** Events of the feed that are kept; older ones are asked for with GET /api/events. */
export const FEED_LIMIT = 5000;

export type Frame =
  | { type: "snapshot"; snapshot: Snapshot }
  | { type: "events"; events: EventItem[] }
  | { type: "state"; state: StateItem }
  | { type: "reset" };

export interface LiveState extends Tables {
  asOf: string | null;
  events: EventItem[];
}

/** Nothing yet. `make` makes each table, where somebody has to see it change. */
export function emptyState(make: () => Map<string, unknown> = () => new Map()): LiveState {
  return { asOf: null, events: [], ...tables(make) };
}

/** What the feed draws from: newest first, no id twice, at most `limit`. `known` is so already, and is not sorted again. */
export function mergeEvents(known: readonly EventItem[], more: readonly EventItem[], limit = FEED_LIMIT): EventItem[] {
  const come = more.filter((event) => OF_THE_FEED.has(event.kind)).sort((a, b) => b.id - a.id);
  const merged: EventItem[] = [];
  let [place, next] = [0, 0];
  while (merged.length < limit) {
    const [old, fresh] = [known[place], come[next]];
    if (!old && !fresh) break;
    // An event never changes: the object that is known stays, and what was drawn from it too.
    const event = !fresh || (old && old.id >= fresh.id) ? old! : fresh;
    merged.push(event);
    while (known[place]?.id === event.id) place += 1;
    while (come[next]?.id === event.id) next += 1;
  }
  return merged;
}

/** Carries one frame into `state`, in place. */
export function fold(state: LiveState, frame: Frame): void {
  switch (frame.type) {
    case "snapshot":
      foldSnapshot(state, frame.snapshot);
      break;
    case "events":
      state.events = mergeEvents(state.events, frame.events);
      break;
    case "state":
      foldState(state, frame.state);
      break;
    case "reset":
      // What was missed is not known: the feed starts again with the snapshot that follows.
      state.events = [];
      state.asOf = null;
      break;
  }
}

/** Fills tables anew in place, so that who looks at one goes on looking at it. */
function foldSnapshot(state: LiveState, snapshot: Snapshot): void {
  state.asOf = snapshot.as_of;
  const said = snapshot as unknown as Record<string, { id: string; site?: string }[] | undefined>;
  for (const [name, table] of NAMED) {
    if (table.snapshot === "nothing") continue;
    const held: Map<string, unknown> = state[name];
    if (table.snapshot !== "some") held.clear();
    for (const item of said[name] ?? []) held.set(table.key(item), item);
  }
  state.events = mergeEvents(state.events, snapshot.events ?? []);
}

/** What is of no kind that is known passes by. */
function foldState(state: LiveState, item: StateItem): void {
  // Only what commands ask for has a point in it: `barrier.open`.
  const kind = item.kind.includes(".") ? "command" : item.kind;
  const found = NAMED.find(([, table]) => table.kind === kind);
  if (!found) return;
  const [name, table] = found;
  const held: Map<string, unknown> = state[name];
  const key = table.key(item);
  const kept = table.fold ? table.fold(held.get(key), item) : item;
  if (kept === null) held.delete(key);
  else held.set(key, kept);
  while (held.size > (table.most ?? Infinity)) {
    const oldest = held.keys().next();
    if (oldest.done) break;
    held.delete(oldest.value);
  }
}

/** The state as a snapshot again, for a tab that joins a stream which others opened before it. */
export function snapshotOf(state: LiveState): Snapshot {
  const told = NAMED.filter(([, table]) => table.snapshot !== "nothing").map(([name]) => [name, [...state[name].values()]]);
  return { as_of: state.asOf ?? "", events: state.events, ...Object.fromEntries(told) } as Snapshot;
}
