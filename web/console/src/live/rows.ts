/**
 * The rows of the entry feed, kept as events come. What an event says of other rows (a passage, an opening by hand, a
 * camera's read) is looked up by their places: only rows that something new is said of are made anew, however many are
 * held. All events at once and the same events in any parts add up to the same rows. Pure.
 */

import type { EventItem } from "@/api/types";
import { entryOf, type Entry } from "@/live/entries";
import { placeOf, placesOf, sequelOf, type Deed, type Sequel } from "@/live/sequels";

/** A read and its decision are this close to each other. */
const READ_WINDOW_MS = 15_000;
/** What is known of events that are held no longer is forgotten once there are this many of them. */
const MOST_STALE = 1000;

interface PlateRead {
  at: number;
  colour: string;
  picture: string | null;
}

/** A row, and what it was before anything was said of it. */
interface Row {
  bare: Entry;
  entry: Entry;
  /** The places by which events speak of it. */
  places: string[];
}

/** The first to do something is who did it: `id` is of the event that tells of the deed. */
type Told = Deed & { id: number };

/** All that events say of rows. */
class Lore {
  readonly passed = new Set<string>();
  readonly left = new Set<string>();
  readonly opened = new Map<string, Told>();
  readonly noted = new Map<string, Told>();
  readonly reads = new Map<string, PlateRead[]>();

  learnSequel(sequel: Sequel, id: number): void {
    if (!("deed" in sequel)) {
      this[sequel.what].add(sequel.of);
      return;
    }
    const known = this[sequel.what].get(sequel.of);
    if (!known || known.id > id) this[sequel.what].set(sequel.of, { ...sequel.deed, id });
  }

  learnRead(event: EventItem): void {
    const { colour, picture } = event.data;
    const read: PlateRead = {
      at: Date.parse(event.at),
      colour: typeof colour === "string" ? colour : "",
      picture: typeof picture === "string" ? picture : null,
    };
    push(this.reads, readKey(event.site, event.data.plate), read);
  }

  /** The camera's read of that plate that is nearest to the event in time. */
  nearest(event: EventItem, plate: string): PlateRead | null {
    const at = Date.parse(event.at);
    let best: PlateRead | null = null;
    for (const read of this.reads.get(readKey(event.site, plate)) ?? []) {
      const distance = Math.abs(read.at - at);
      if (distance > READ_WINDOW_MS) continue;
      const nearer = best === null ? -1 : distance - Math.abs(best.at - at);
      // Of two as near the later one, so that it is no matter which was heard of first.
      if (nearer < 0 || (nearer === 0 && best !== null && read.at > best.at)) best = read;
    }
    return best;
  }
}

const readKey = (site: string, plate: unknown): string => `${site}/${String(plate)}`;
/** One car at one place: it is noted once, however often it is read. */
const hitKey = ({ event, source, credential }: Entry): string => `${event.site}/${source}/${credential?.value ?? ""}`;

function push<V>(lists: Map<string, V[]>, key: string, value: V): void {
  const known = lists.get(key);
  if (known) known.push(value);
  else lists.set(key, [value]);
}

/** What events are looked up by that may say something of a row. */
function keysOf({ bare, places }: Row): string[] {
  const keys = places.map((place) => `at ${place}`);
  if (bare.credential?.kind === "plate") keys.push(`read ${readKey(bare.event.site, bare.credential.value)}`);
  if (bare.outcome === "blocked") keys.push(`hit ${hitKey(bare)}`);
  return keys;
}

export class Rows {
  private events: readonly EventItem[] = [];
  private rows = new Map<number, Row>();
  private byKey = new Map<string, Row[]>();
  private lore = new Lore();
  private stale = 0;

  /** The rows of `events` (newest first, no id twice). A row of which nothing new is said stays the same object. */
  take(events: readonly EventItem[]): Entry[] {
    if (events === this.events) return this.entries();
    const found = changes(this.events, events);
    if (found === null) this.forget();
    const { come, gone } = found ?? { come: events, gone: [] };
    this.events = events;
    const touched = new Set<Row>();
    const hits = new Set<string>();
    for (const event of gone) this.drop(event);
    for (const event of come) this.add(event, touched);
    for (const row of touched) {
      if (row.bare.outcome === "blocked") hits.add(hitKey(row.bare));
      else row.entry = this.completed(row, null);
    }
    for (const key of hits) this.completeHits(key);
    if (this.stale > MOST_STALE) this.relearn();
    return this.entries();
  }

  private entries(): Entry[] {
    const entries: Entry[] = [];
    for (const event of this.events) {
      const row = this.rows.get(event.id);
      if (row) entries.push(row.entry);
    }
    return entries;
  }

  private forget(): void {
    this.rows = new Map();
    this.byKey = new Map();
    this.lore = new Lore();
    this.stale = 0;
  }

  private add(event: EventItem, touched: Set<Row>): void {
    this.learn(event, touched);
    const bare = entryOf(event);
    if (bare === null) return;
    const { manual } = bare;
    const places = manual?.subject ? [placeOf(event.site, manual.subject.stream, manual.subject.seq)] : placesOf(event);
    const row = { bare, entry: bare, places };
    this.rows.set(event.id, row);
    for (const key of keysOf(row)) push(this.byKey, key, row);
    touched.add(row);
  }

  /** Notes what an event says of rows, and which of them that concerns. */
  private learn(event: EventItem, touched?: Set<Row>): void {
    const sequel = sequelOf(event);
    if (sequel) {
      this.lore.learnSequel(sequel, event.id);
      for (const row of this.byKey.get(`at ${sequel.of}`) ?? []) touched?.add(row);
    }
    if (event.kind !== "plate.seen" || event.data.replayed === true) return;
    this.lore.learnRead(event);
    for (const row of this.byKey.get(`read ${readKey(event.site, event.data.plate)}`) ?? []) touched?.add(row);
  }

  private drop(event: EventItem): void {
    this.stale += 1;
    const row = this.rows.get(event.id);
    if (!row) return;
    this.rows.delete(event.id);
    for (const key of keysOf(row)) {
      const rest = (this.byKey.get(key) ?? []).filter((each) => each !== row);
      if (rest.length) this.byKey.set(key, rest);
      else this.byKey.delete(key);
    }
  }

  /** Forgets what events that are held no longer have said; what rows took from them, they keep. */
  private relearn(): void {
    this.lore = new Lore();
    this.stale = 0;
    for (const event of this.events) this.learn(event);
  }

  /** A car that came again and again is noted with its newest hit: older ones go by the next newer that was noted. */
  private completeHits(key: string): void {
    const hits = [...(this.byKey.get(`hit ${key}`) ?? [])].sort((a, b) => b.bare.event.id - a.bare.event.id);
    let noted: Deed | null = null;
    for (const row of hits) {
      row.entry = this.completed(row, noted);
      noted = row.entry.noted;
    }
  }

  /** The row with what other events say of it; the same object if they say nothing new. */
  private completed({ bare, entry, places }: Row, notedLater: Deed | null): Entry {
    const { event, manual } = bare;
    const { lore } = this;
    const passed = entry.passed || (bare.outcome !== "failed" && places.some((place) => lore.passed.has(place)));
    const left = entry.left || (!manual && places.some((place) => lore.left.has(place)));
    const opened = manual ? null : (deedOf(lore.opened, places) ?? entry.opened);
    const noted = bare.outcome === "blocked" ? (deedOf(lore.noted, places) ?? notedLater ?? entry.noted) : null;
    const read = bare.credential?.kind === "plate" ? lore.nearest(event, bare.credential.value) : null;
    const colour = read?.colour || bare.colour || (read ? "" : entry.colour);
    const picture = bare.picture ?? (read ? read.picture : entry.picture);
    const same =
      passed === entry.passed && left === entry.left && sameDeed(opened, entry.opened) && sameDeed(noted, entry.noted);
    if (same && colour === entry.colour && picture === entry.picture) return entry;
    return { ...bare, passed, left, opened, noted, colour, picture };
  }
}

/** What was told of any of these places. */
function deedOf(of: ReadonlyMap<string, Told>, places: readonly string[]): Deed | null {
  for (const place of places) {
    const found = of.get(place);
    if (found) return { by: found.by, at: found.at };
  }
  return null;
}

const sameDeed = (one: Deed | null, other: Deed | null): boolean => one?.by === other?.by && one?.at === other?.at;

/** What came and what went between two lists, newest first; null: they are not of one feed, or an event was told anew. */
function changes(
  known: readonly EventItem[],
  events: readonly EventItem[],
): { come: EventItem[]; gone: EventItem[] } | null {
  const come: EventItem[] = [];
  const gone: EventItem[] = [];
  let place = 0;
  for (const event of events) {
    let before = known[place];
    while (before && before.id > event.id) {
      gone.push(before);
      before = known[(place += 1)];
    }
    if (before?.id !== event.id) come.push(event);
    else if (before === event) place += 1;
    else return null;
  }
  gone.push(...known.slice(place));
  return gone.length > 0 && gone.length === known.length ? null : { come, gone };
}

/** The rows of `events` (newest first), all at once. */
export function entriesOf(events: readonly EventItem[], known = new Rows()): Entry[] {
  return known.take(events);
}
