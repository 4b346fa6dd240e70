/**
 * From an event to a row of the entry feed: who or what came where, and what was decided. What other events say of it,
 * `rows.ts` adds. Pure.
 *
 * The servers say the same of what lies further back (rules/access/entries.py); tests/contract/golden/entries.json is the
 * table that both are held to.
 */

import type {
  AccessData,
  CarArrived,
  CommandResultData,
  CredentialKind,
  Direction,
  EventItem,
  PlateSeenData,
  Reason,
  StandingCar,
  Text,
} from "@/api/types";
import { placeOf, placesOf, type Deed } from "@/live/sequels";

/**
 * `waiting`: nobody was refused for good, a guard has to look (a visitor, a plate that was not read well). `replayed`: a
 * read that is not of now, which nothing was decided about.
 */
export const OUTCOMES = [
  "granted",
  "refused",
  "visitor",
  "waiting",
  "blocked",
  "replayed",
  "manual",
  "failed",
] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type Traveller = "car" | "person";

export interface Entry {
  event: EventItem;
  outcome: Outcome;
  traveller: Traveller;
  source: string;
  direction: Direction | null;
  credential: { kind: CredentialKind; value: string } | null;
  holder: string | null;
  reason: Reason | Text | null;
  rule: string | null;
  revision: number | null;
  picture: string | null;
  colour: string;
  /** A passage followed the decision. */
  passed: boolean;
  /** The car has gone without one. */
  left: boolean;
  /** Somebody opened for it by hand. */
  opened: Deed | null;
  /** Somebody took note of it, which a hit on the block list asks for. */
  noted: Deed | null;
  /** Its gateway says when its car stands there no longer. */
  watched: boolean;
  /** Who opened by hand, why they said so, and with which command. */
  manual: CommandResultData | null;
}

/** Every kind that the feed draws from; of the others it keeps nothing. */
export const FEED_KINDS: readonly string[] = [
  "access.granted",
  "access.denied",
  "passage.made",
  "plate.seen",
  "command.done",
  "command.failed",
  "command.expired",
  "car.arrived",
  "car.left",
  "hit.acknowledged",
];

export type FeedFilter = "all" | "refused" | "cars" | "people";
export const FEED_FILTERS: readonly FeedFilter[] = ["all", "refused", "cars", "people"];

const REFUSALS = new Set<Outcome>(["refused", "waiting", "blocked", "replayed", "failed"]);
const OPENINGS = new Set(["door.unlock", "barrier.open", "barrier.close"]);
const COMMAND_ENDS = new Set(["command.done", "command.failed", "command.expired"]);
/** Codes of rules/reasons.py. */
const VISITOR_CODES = new Set(["visitor_admitted", "exit_visitor"]);
const ASKING_CODES = new Set(["visitor_ask", "no_plate", "low_confidence"]);
const STORED_CODE = "replayed";
const NOTHING_FOLLOWED = { passed: false, left: false, opened: null, noted: null, watched: false } as const;

/** Whether the entry's car is the one that stands there now. Gateways of before do not say: then it may be. */
export function stands(entry: Entry, car: StandingCar | null | undefined): boolean {
  if (entry.passed || entry.left || entry.opened) return false;
  if (!entry.watched) return true;
  return !!car && car.seq !== null && placesOf(entry.event).includes(placeOf(entry.event.site, car.stream, car.seq));
}

/** Whether nothing is left to do about an entry that asked for a person. */
export function over(entry: Entry, car: StandingCar | null | undefined): boolean {
  return entry.outcome === "waiting" && !stands(entry, car);
}

export function entryOf(event: EventItem): Entry | null {
  if (event.kind === "access.granted" || event.kind === "access.denied") return accessEntry(event);
  if (COMMAND_ENDS.has(event.kind)) return manualEntry(event);
  if (event.kind === "car.arrived") return arrivedEntry(event);
  return event.kind === "plate.seen" ? replayedEntry(event) : null;
}

/** A read that opened nothing because it is not of now; what a camera says it stored concerns nobody at the gate. */
function replayedEntry(event: EventItem): Entry | null {
  const data = event.data as unknown as PlateSeenData;
  if (!data.replayed || !data.reason || data.reason.code === STORED_CODE) return null;
  return {
    event,
    outcome: "replayed",
    traveller: "car",
    source: event.source,
    direction: null,
    credential: { kind: "plate", value: data.plate },
    holder: null,
    reason: data.reason,
    rule: "replayed",
    revision: null,
    picture: data.picture ?? null,
    colour: data.colour ?? "",
    ...NOTHING_FOLLOWED,
    manual: null,
  };
}

function accessEntry(event: EventItem): Entry {
  const data = event.data as unknown as AccessData;
  return {
    event,
    outcome: outcomeOf(event.kind === "access.granted", data.rule ?? "", data.reason?.code ?? ""),
    traveller: data.credential?.kind === "plate" ? "car" : "person",
    source: event.source,
    direction: data.direction ?? null,
    credential: data.credential ?? null,
    holder: data.holder ?? null,
    reason: data.reason ?? null,
    rule: data.rule ?? null,
    revision: data.revision ?? null,
    picture: data.picture ?? null,
    colour: "",
    ...NOTHING_FOLLOWED,
    watched: data.stands === true,
    manual: null,
  };
}

/** A car that stands there and was not read, or not decided upon anew: somebody has to look. */
function arrivedEntry(event: EventItem): Entry {
  const data = event.data as unknown as CarArrived;
  return {
    ...NOTHING_FOLLOWED,
    event,
    outcome: data.blocked ? "blocked" : "waiting",
    traveller: "car",
    source: event.source,
    direction: null,
    credential: { kind: "plate", value: data.plate ?? "" },
    holder: data.holder ?? null,
    reason: data.reason,
    rule: null,
    revision: null,
    picture: data.picture ?? null,
    colour: "",
    watched: true,
    manual: null,
  };
}

function outcomeOf(granted: boolean, rule: string, code: string): Outcome {
  if (granted) return rule.startsWith("visitor") || VISITOR_CODES.has(code) ? "visitor" : "granted";
  if (rule.startsWith("block:") || code.startsWith("blocked")) return "blocked";
  return ASKING_CODES.has(code) ? "waiting" : "refused";
}

function manualEntry(event: EventItem): Entry | null {
  const data = event.data as unknown as CommandResultData;
  if (!OPENINGS.has(data.kind)) return null;
  return {
    event,
    outcome: event.kind === "command.done" ? "manual" : "failed",
    traveller: data.kind.startsWith("barrier.") ? "car" : "person",
    source: data.target,
    direction: null,
    credential: data.plate ? { kind: "plate", value: data.plate } : null,
    holder: null,
    reason: data.why ?? null,
    rule: null,
    revision: null,
    picture: data.picture ?? null,
    colour: "",
    ...NOTHING_FOLLOWED,
    manual: data,
  };
}

export function passesFilter(entry: Entry, filter: FeedFilter): boolean {
  switch (filter) {
    case "all":
      return true;
    case "refused":
      return REFUSALS.has(entry.outcome);
    case "cars":
      return entry.traveller === "car";
    case "people":
      return entry.traveller === "person";
  }
}

/** What an entry is found by, in small letters: plate, card, holder's name (given), reason, place's name (given). */
export function wordsOf(entry: Entry, names: readonly string[]): string {
  const { credential, source, reason, manual } = entry;
  const words = [credential?.value, source, reason?.zh, reason?.en, manual?.reason, ...names];
  // A line each, so that nothing is found that runs from one into the next.
  return words.filter(Boolean).join("\n").toLowerCase();
}
