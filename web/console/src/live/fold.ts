/**
 * What a live stream adds up to: snapshot, then deltas. Pure, used by the tab and by the worker that tabs share. Whole
 * for every area: the worker holds one state for all tabs, and should load no page to know what a door is.
 */

import type { Alarm, Command, Door, EventItem, Gateway, Lane, Point, Snapshot, Ticket } from "@/api/types";
import { FEED_KINDS } from "@/live/entries";

const OF_THE_FEED = new Set(FEED_KINDS);
/** Events of the feed that are kept; older ones are asked for with GET /api/events. */
export const FEED_LIMIT = 500;
/** Commands that are remembered after they ended. */
const COMMAND_LIMIT = 100;

export type Frame =
  | { type: "snapshot"; snapshot: Snapshot }
  | { type: "events"; events: EventItem[] }
  | { type: "state"; state: Record<string, unknown> & { kind: string; id: string } }
  | { type: "reset" };

export interface LiveState {
  asOf: string | null;
  events: EventItem[];
  doors: Map<string, Door>;
  lanes: Map<string, Lane>;
  alarms: Map<string, Alarm>;
  tickets: Map<string, Ticket>;
  gateways: Map<string, Gateway>;
  points: Map<string, Point>;
  commands: Map<string, Command>;
}

export function emptyState(): LiveState {
  return {
    asOf: null,
    events: [],
    doors: new Map(),
    lanes: new Map(),
    alarms: new Map(),
    tickets: new Map(),
    gateways: new Map(),
    points: new Map(),
    commands: new Map(),
  };
}

/** Door and lane ids are the site's own: two sites may both have a `gate-in`. */
export function placeKey(site: string, id: string): string {
  return `${site}/${id}`;
}

/** Fills a map anew in place, so that who looks at it goes on looking at it. */
function refill<T>(map: Map<string, T>, items: readonly T[] | undefined, key: (item: T) => string): void {
  map.clear();
  for (const item of items ?? []) map.set(key(item), item);
}

const atPlace = (item: { id: string; site?: string }): string => placeKey(item.site ?? "", item.id);
const byId = (item: { id: string }): string => item.id;

/** What the feed draws from: newest first, no id twice, at most `limit`. */
export function mergeEvents(known: readonly EventItem[], more: readonly EventItem[], limit = FEED_LIMIT): EventItem[] {
  const seen = new Map<number, EventItem>();
  for (const event of known) seen.set(event.id, event);
  // An event never changes: the object that is known stays, and what was drawn from it too.
  for (const event of more) if (OF_THE_FEED.has(event.kind) && !seen.has(event.id)) seen.set(event.id, event);
  return [...seen.values()].sort((a, b) => b.id - a.id).slice(0, limit);
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

function foldSnapshot(state: LiveState, snapshot: Snapshot): void {
  state.asOf = snapshot.as_of;
  refill(state.doors, snapshot.doors, atPlace);
  refill(state.lanes, snapshot.lanes, atPlace);
  refill(state.alarms, snapshot.alarms, byId);
  refill(state.tickets, snapshot.tickets, byId);
  refill(state.gateways, snapshot.gateways, byId);
  for (const point of snapshot.points ?? []) state.points.set(atPlace(point), point);
  state.events = mergeEvents(state.events, snapshot.events ?? []);
}

function foldState(state: LiveState, item: Record<string, unknown> & { kind: string; id: string }): void {
  const place = atPlace(item);
  switch (item.kind) {
    case "door":
      state.doors.set(place, item as unknown as Door);
      break;
    case "lane":
      state.lanes.set(place, item as unknown as Lane);
      break;
    case "point":
      state.points.set(place, item as unknown as Point);
      break;
    case "alarm":
      if (item.state === "closed") state.alarms.delete(item.id);
      else state.alarms.set(item.id, item as unknown as Alarm);
      break;
    case "ticket":
      state.tickets.set(item.id, item as unknown as Ticket);
      break;
    case "gateway":
      state.gateways.set(item.id, item as unknown as Gateway);
      break;
    default:
      // A command's own `kind` is what it asks for (`barrier.open`), unless the server says plainly "command".
      if (item.kind === "command" || item.kind.includes(".")) foldCommand(state, item);
  }
}

function foldCommand(state: LiveState, item: Record<string, unknown> & { kind: string; id: string }): void {
  const known = state.commands.get(item.id);
  const kind = item.kind === "command" ? (known?.kind ?? String(item.command ?? "")) : item.kind;
  state.commands.set(item.id, { ...known, ...(item as unknown as Command), kind });
  while (state.commands.size > COMMAND_LIMIT) {
    const oldest = state.commands.keys().next();
    if (oldest.done) break;
    state.commands.delete(oldest.value);
  }
}

/** The state as a snapshot again, for a tab that joins a stream which others opened before it. */
export function snapshotOf(state: LiveState): Snapshot {
  return {
    as_of: state.asOf ?? "",
    doors: [...state.doors.values()],
    lanes: [...state.lanes.values()],
    alarms: [...state.alarms.values()],
    tickets: [...state.tickets.values()],
    gateways: [...state.gateways.values()],
    events: state.events,
    points: [...state.points.values()],
  };
}
