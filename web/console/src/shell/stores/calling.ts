/**
 * Who calls for a person: hits on the block list that nobody has noted, and cars that wait for somebody to look. A hit
 * never goes by itself: after a while it is loud no longer, but stands in the strip with its age until it is noted.
 */

import { computed, ref, shallowRef, watch } from "vue";

import { api, ApiError } from "@/api/client";
import type { EventItem, Page } from "@/api/types";
import { now } from "@/kit/clock";
import { entryOf, stands, type Entry } from "@/live/entries";
import { mergeEvents } from "@/live/fold";
import { Rows } from "@/live/rows";
import { placeKey } from "@/live/table";
import { entries, live, onEvents } from "@/shell/stores/live";
import { isBeingNoted } from "@/shell/stores/noting";
import { able, session } from "@/shell/stores/session";
import { currentSite } from "@/shell/stores/site";

/** A car or a person on the block list at one place: however often it is read, it is one hit. */
export interface Hit {
  key: string;
  newest: Entry;
  /** The reads of before. */
  others: Entry[];
  /** When it was read first. */
  since: string;
}

/** A hit whose car has gone is loud this long. */
const LOUD_MS = 10 * 60_000;
/** Of the time before the events that are held: so many hits, and so many notes of hits, are looked at. */
const [MOST_HITS, MOST_NOTES] = [100, 500];
/** So many of what is told of hits are kept, the newest: none of them is shown without the note that came after it. */
const MOST_KEPT = 2000;
/** What could not be looked for is looked for again after this. */
export const AGAIN_MS = 30_000;
const OF_HITS = new Set(["access.denied", "car.arrived", "hit.acknowledged"]);

/** What is told of hits, also of those that are older than the events that are held. Newest first. */
const earlier = shallowRef<EventItem[]>([]);
const rows = new Rows();

/** The hit that the large card shows now. */
export const onCard = ref<string | null>(null);
/** The hit that somebody wants to see large, whether or not it is loud. */
export const lookedAt = ref<string | null>(null);

const known = computed<Entry[]>(() => {
  if (earlier.value.length === 0) return entries.value;
  const oldest = live.events.at(-1)?.id ?? Infinity;
  const held = live.events.filter((event) => OF_HITS.has(event.kind));
  return [...entries.value, ...rows.take(mergeEvents(earlier.value, held)).filter(({ event }) => event.id < oldest)];
});

/** Newest first. */
export const hits = computed<Hit[]>(() => {
  const found = new Map<string, Entry[]>();
  if (!able("watch")) return [];
  for (const entry of known.value) {
    if (entry.outcome !== "blocked" || entry.noted || isBeingNoted(entry) || !entry.credential?.value) continue;
    const key = `${placeKey(entry.event.site, entry.source)} ${entry.credential.value}`;
    const reads = found.get(key);
    if (reads) reads.push(entry);
    else found.set(key, [entry]);
  }
  return [...found].map(([key, [newest, ...others]]) => ({
    key,
    newest: newest!,
    others,
    since: (others.at(-1) ?? newest!).event.at,
  }));
});

/** Whether it is drawn large and heard again and again: it came just now, or still stands there. */
export function isLoud({ newest }: Hit): boolean {
  const car = live.lanes.get(placeKey(newest.event.site, newest.source))?.car;
  return now.value - Date.parse(newest.event.at) < LOUD_MS || (!!car?.blocked && car.plate === newest.credential?.value);
}

/** Cars that stand before a barrier and wait for somebody, one a lane. */
export const waitingCars = computed<Entry[]>(() => {
  if (!able("watch")) return [];
  const found = new Map<string, Entry>();
  for (const entry of entries.value) {
    if (entry.outcome !== "waiting" || !entry.watched) continue;
    const key = placeKey(entry.event.site, entry.source);
    if (!found.has(key) && stands(entry, live.lanes.get(key)?.car)) found.set(key, entry);
  }
  return [...found.values()];
});

const ofHits = (event: EventItem): boolean =>
  OF_HITS.has(event.kind) && (event.kind === "hit.acknowledged" || entryOf(event)?.outcome === "blocked");

/** However much comes after it, no hit that nobody has noted is forgotten, and no note of one. */
function keep(events: readonly EventItem[]): void {
  const told = events.filter(ofHits);
  if (told.length > 0) earlier.value = mergeEvents(earlier.value, told, MOST_KEPT);
}

/** Looks for hits of before: whoever opens a screen sees what others left, however much has come since. */
async function lookBack(site: string | null): Promise<void> {
  const whose = session.user?.id;
  const [blocked, notes] = await Promise.all([
    api.get<Page<{ event: EventItem }>>("/api/entries", { site, outcome: "blocked", limit: MOST_HITS }),
    api.get<Page<EventItem>>("/api/events", { site, kind: "hit.acknowledged", limit: MOST_NOTES }),
  ]);
  // Of what lies before the oldest note that was found nobody knows whether it was noted.
  const oldest = notes.next === null ? 0 : (notes.items.at(-1)?.id ?? 0);
  if (site !== currentSite.value || whose !== session.user?.id) return;
  keep([...notes.items, ...blocked.items.map(({ event }) => event).filter(({ id }) => id > oldest)]);
}

let again: ReturnType<typeof setTimeout> | undefined;

function look(): void {
  clearTimeout(again);
  if (live.asOf === null || !able("watch")) return;
  lookBack(currentSite.value).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    clearTimeout(again);
    again = setTimeout(look, AGAIN_MS);
  });
}

onEvents(keep);
watch(
  () => live.asOf,
  (asOf) => {
    if (asOf !== null) keep(live.events);
    look();
  },
  { immediate: true }, // the stream is there before the page
);
// Of a link that was away the hits stay; of another site, or another person, none does.
watch(
  [currentSite, () => session.user?.id],
  () => (earlier.value = []),
  { flush: "sync" },
);
