/** What is to be seen at each lane: the car that stands there, or the last that came; and which of them comes first. Pure. */

import type { Lane } from "@/api/types";
import { stands, type Entry } from "@/live/entries";
import { placeOf, placesOf } from "@/live/sequels";
import { placeKey } from "@/live/table";

/** `asks`: somebody has to look. `calm`: nobody is there any more. */
export type Mood = "blocked" | "asks" | "there" | "calm";

export interface Scene {
  lane: Lane;
  key: string;
  /** The lane's place among those of its site, from 0: its key is one more. */
  place: number;
  mood: Mood;
  /** The entry of the car that is shown; null: a car stands there that no entry is about. */
  entry: Entry | null;
  plate: string | null;
  colour: string;
  holder: string | null;
  picture: string | null;
  /** When it came. */
  at: string | null;
}

const FIRST: readonly Mood[] = ["blocked", "asks", "there", "calm"];

/** The newest entries of cars, one a lane: `entries` are newest first. */
export function lastCars(entries: readonly Entry[], lanes: readonly Lane[]): Map<string, Entry> {
  const missing = new Set(lanes.map(({ site, id }) => placeKey(site, id)));
  const found = new Map<string, Entry>();
  for (const entry of entries) {
    if (missing.size === 0) break;
    // What was done by hand without a car is no car.
    if (entry.traveller !== "car" || entry.credential === null) continue;
    const key = placeKey(entry.event.site, entry.source);
    if (missing.delete(key)) found.set(key, entry);
  }
  return found;
}

/** What is to be seen at a lane. A car that was not read is never shown with the plate of the one before. */
export function sceneOf(lane: Lane, place: number, last: Entry | null): Scene {
  const { car } = lane;
  const key = placeKey(lane.site, lane.id);
  if (!car) {
    const mood = last && last.outcome === "waiting" && stands(last, null) ? "asks" : "calm";
    const { value: plate = null } = last?.credential ?? {};
    const { colour = "", holder = null, picture = null } = last ?? {};
    return { lane, key, place, mood, entry: last, plate: plate || null, colour, holder, picture, at: last?.event.at ?? null };
  }
  const own = last && car.seq !== null && placesOf(last.event).includes(placeOf(lane.site, car.stream, car.seq)) ? last : null;
  const done = own !== null && (own.opened !== null || own.passed);
  const asking = car.outcome !== "granted" && !done;
  return {
    lane,
    key,
    place,
    mood: car.blocked && !done ? "blocked" : asking ? "asks" : "there",
    entry: own,
    plate: car.plate,
    colour: own?.colour ?? "",
    holder: car.holder,
    picture: car.picture ?? own?.picture ?? null,
    at: car.read_at ?? own?.event.at ?? lane.at,
  };
}

/** The scenes, the one that needs a person first: who waits longest, then who came last. */
export function inOrder(scenes: readonly Scene[]): Scene[] {
  const when = (scene: Scene): number => (scene.at === null ? 0 : Date.parse(scene.at));
  return [...scenes].sort((a, b) => {
    const mood = FIRST.indexOf(a.mood) - FIRST.indexOf(b.mood);
    if (mood !== 0) return mood;
    return FIRST.indexOf(a.mood) < 2 ? when(a) - when(b) : when(b) - when(a);
  });
}
