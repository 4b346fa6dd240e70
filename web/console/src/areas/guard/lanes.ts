/** The lanes that a guard watches, in one order for tiles, keys and the large picture. */

import { computed } from "vue";

import type { Lane, LaneLayout } from "@/api/types";
import { placeKey } from "@/live/table";
import { askWhy, type Opening } from "@/shell/stores/asking";
import { live } from "@/shell/stores/live";
import { currentSite, layouts } from "@/shell/stores/site";

/** One that has not been heard of yet. */
function unheard(id: string, site: string): Lane {
  return {
    id,
    site,
    barrier: "unknown",
    loops: { before: null, under: null },
    monitored: true,
    last_plate: null,
    last_plate_at: null,
    car: null,
    at: null,
    can: [],
  };
}

/** One lane of a site; undefined: there is none of that name. */
export function laneAt(site: string, id: string): Lane | undefined {
  const known = layouts.get(site)?.lanes.some((lane) => lane.id === id);
  return live.lanes.get(placeKey(site, id)) ?? (known ? unheard(id, site) : undefined);
}

/** The site's lanes in the order of its file; one that has not been heard of yet is shown as unknown. */
export const lanes = computed<Lane[]>(() => {
  const found: Lane[] = [];
  const seen = new Set<string>();
  for (const [site, layout] of layouts) {
    if (currentSite.value !== null && site !== currentSite.value) continue;
    for (const { id } of layout.lanes) {
      seen.add(placeKey(site, id));
      found.push(live.lanes.get(placeKey(site, id)) ?? unheard(id, site));
    }
  }
  for (const [key, lane] of live.lanes) if (!seen.has(key)) found.push(lane);
  return found;
});

/** Each lane's place among those of its own site, from 0: its key is one more. */
export const places = computed<ReadonlyMap<string, number>>(() => {
  const found = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const { site, id } of lanes.value) {
    const place = counts.get(site) ?? 0;
    counts.set(site, place + 1);
    found.set(placeKey(site, id), place);
  }
  return found;
});

/** The lanes that have that place, one a site, of those whose buttons show its key. */
export function lanesAt(place: number): Lane[] {
  return lanes.value.filter(
    ({ site, id, can }) => places.value.get(placeKey(site, id)) === place && can.includes("barrier.open"),
  );
}

/** What is known of the barrier: one that nothing watches is not in doubt. */
export function barrierWord(lane: Lane): Lane["barrier"] | "unmonitored" {
  return lane.monitored === false && lane.barrier === "unknown" ? "unmonitored" : lane.barrier;
}

export function detailsOf(lane: Lane): LaneLayout | undefined {
  return layouts.get(lane.site)?.lanes.find((known) => known.id === lane.id);
}

/** Asks why before a barrier moves, for the car that stands there now. */
export function askLane(lane: Lane, opening: Opening): void {
  askWhy({ opening, site: lane.site, target: lane.id, car: lane.car ?? null });
}

/** Whether its gateway has said how the lane stands: until then nobody knows that no car is there. */
export const carKnown = (lane: Lane): boolean => lane.at !== null;
