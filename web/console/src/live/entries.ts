/**
 * From events to the rows of the entry feed: who or what came where, and what was decided. Pure.
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
import { placeOf, placesOf, sequelsOf, told, type Deed, type Sequels } from "@/live/sequels";

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
/** A read and its decision are this close to each other. */
const READ_WINDOW_MS = 15_000;

interface PlateRead {
  at: number;
  colour: string;
  picture: string | null;
}

const NOTHING_FOLLOWED = { passed: false, left: false, opened: null, noted: null, watched: false } as const;

/** The rows of `events` (newest first, as they come). `known` keeps rows that did not change the same objects. */
export function entriesOf(events: readonly EventItem[], known = new WeakMap<EventItem, Entry>()): Entry[] {
  const sequels = sequelsOf(events);
  const reads = plateReads(events);
  const notedHits = new Map<string, Deed>();
  const entries: Entry[] = [];
  for (const event of events) {
    const bare = known.get(event) ?? entryOf(event);
    if (bare === null) continue;
    const entry = completed(bare, sequels, reads, notedHits);
    known.set(event, entry);
    entries.push(entry);
  }
  return entries;
}

/** The entry with what other events say of it; the same object if they say nothing new. */
function completed(
  entry: Entry,
  sequels: Sequels,
  reads: Map<string, PlateRead[]>,
  notedHits: Map<string, Deed>,
): Entry {
  const { event } = entry;
  const places = entry.manual?.subject ? [placeOf(entry.manual.subject.stream, entry.manual.subject.seq)] : placesOf(event);
  const passed = entry.passed || (entry.outcome !== "failed" && places.some((place) => sequels.passed.has(place)));
  const left = entry.left || (!entry.manual && places.some((place) => sequels.left.has(place)));
  const opened = entry.opened ?? (entry.manual ? null : told(sequels.opened, places));
  const noted = entry.noted ?? notedOf(entry, places, sequels, notedHits);
  const read = entry.credential?.kind === "plate" ? nearest(reads, event, entry.credential.value) : null;
  const colour = read?.colour || entry.colour;
  const picture = entry.picture ?? read?.picture ?? null;
  const same = passed === entry.passed && left === entry.left && opened === entry.opened && noted === entry.noted;
  if (same && colour === entry.colour && picture === entry.picture) return entry;
  return { ...entry, passed, left, opened, noted, colour, picture };
}

/** Who noted a hit. A car that came again and again is noted with its newest hit: `notedHits` has those seen so far. */
function notedOf(entry: Entry, places: string[], sequels: Sequels, notedHits: Map<string, Deed>): Deed | null {
  if (entry.outcome !== "blocked") return null;
  const key = `${entry.event.site}/${entry.source}/${entry.credential?.value ?? ""}`;
  const noted = told(sequels.noted, places) ?? notedHits.get(key) ?? null;
  if (noted) notedHits.set(key, noted);
  return noted;
}

/** Whether the entry's car is the one that stands there now. Gateways of before do not say: then it may be. */
export function stands(entry: Entry, car: StandingCar | null | undefined): boolean {
  if (entry.passed || entry.left || entry.opened) return false;
  if (!entry.watched) return true;
  return !!car && car.seq !== null && placesOf(entry.event).includes(placeOf(car.stream, car.seq));
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

function plateReads(events: readonly EventItem[]): Map<string, PlateRead[]> {
  const reads = new Map<string, PlateRead[]>();
  for (const event of events) {
    if (event.kind !== "plate.seen" || event.data.replayed === true) continue;
    const key = `${event.site}/${String(event.data.plate)}`;
    const read: PlateRead = {
      at: Date.parse(event.at),
      colour: typeof event.data.colour === "string" ? event.data.colour : "",
      picture: typeof event.data.picture === "string" ? event.data.picture : null,
    };
    const known = reads.get(key);
    if (known) known.push(read);
    else reads.set(key, [read]);
  }
  return reads;
}

function nearest(reads: Map<string, PlateRead[]>, event: EventItem, plate: string): PlateRead | null {
  const at = Date.parse(event.at);
  let best: PlateRead | null = null;
  for (const read of reads.get(`${event.site}/${plate}`) ?? []) {
    const distance = Math.abs(read.at - at);
    if (distance <= READ_WINDOW_MS && (best === null || distance < Math.abs(best.at - at))) best = read;
  }
  return best;
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

/** Whether an entry contains what was typed: plate, card, holder's name (given), reason, place's name (given). */
export function matches(entry: Entry, typed: string, names: readonly string[]): boolean {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return true;
  const words = [
    entry.credential?.value,
    entry.source,
    entry.reason?.zh,
    entry.reason?.en,
    entry.manual?.reason,
    ...names,
  ];
  return words.some((word) => word?.toLowerCase().includes(wanted));
}
