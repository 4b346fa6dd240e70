/** The latest value of every point: asked for once, then kept by the stream. */

import { computed, onMounted, ref, shallowRef, watch } from "vue";

import { points as askPoints, type PointItem } from "@/areas/machines/api";
import { faultText } from "@/kit/faults";
import { placeKey } from "@/live/table";
import { live, link } from "@/shell/stores/live";
import { currentSite, pointOf } from "@/shell/stores/site";
import { standingOf } from "@/shell/stores/standing";

export interface ShownPoint extends PointItem {
  key: string;
  device: string;
  /** How others are scaled, or a raw word: beneath a "more". */
  detail: boolean;
  /** Something that is closed or open like a contact, not true or false. */
  contact: boolean;
}

/** Boards of relays, and inputs and outputs of anything. */
const CONTACT = /(?:^|_)(?:relay|input|output|di|do)_?\d*$/;

export function usePoints() {
  const asked = shallowRef<PointItem[]>([]);
  const fault = ref("");
  const loading = ref(true);

  async function load(): Promise<void> {
    try {
      asked.value = await askPoints(currentSite.value);
      fault.value = "";
    } catch (error) {
      fault.value = faultText(error);
    } finally {
      loading.value = false;
    }
  }

  const points = computed<ShownPoint[]>(() => {
    const found = new Map<string, PointItem>();
    for (const point of asked.value) found.set(placeKey(point.site ?? currentSite.value ?? "", point.id), point);
    for (const [key, point] of live.points) found.set(key, { ...found.get(key), ...point } as PointItem);
    return [...found].map(([key, point]) => {
      const site = key.slice(0, key.indexOf("/"));
      const known = pointOf(site, point.id);
      // A value is as old as the last word of whoever told it.
      const quality = point.quality === "good" && standingOf(site).state !== "live" ? "stale" : point.quality;
      return {
        ...point,
        quality,
        site,
        key,
        device: point.id.split(".")[0] ?? "",
        name: known?.name ?? point.name,
        type: known?.type ?? point.type,
        labels: known?.labels ?? point.labels,
        writable: known?.writable ?? point.writable,
        detail: known?.detail ?? false,
        contact: known?.type === "flag" && CONTACT.test(point.id.slice(point.id.indexOf(".") + 1)),
        unit: point.unit || (known?.unit ?? ""),
      };
    });
  });

  onMounted(load);
  // What the stream missed while it was away is in no frame.
  watch(
    () => link.value.state,
    (state, before) => before === "lost" && state === "live" && void load(),
  );
  return { points, fault, loading, load };
}
