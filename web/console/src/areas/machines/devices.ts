/** How every device stands at the server: asked for, then kept by the stream. */

import { computed, onMounted, onUnmounted, ref, shallowRef, watch } from "vue";

import type { DeviceStanding, EventItem } from "@/api/types";
import { devices as askDevices } from "@/areas/machines/api";
import { faultText } from "@/kit/faults";
import { placeKey } from "@/live/table";
import { link, onEvents } from "@/shell/stores/live";
import { currentSite } from "@/shell/stores/site";

export const DEVICE_EVENTS = ["device.lost", "device.found"];

export function useDevices() {
  const known = shallowRef(new Map<string, DeviceStanding>());
  const fault = ref("");
  /** Unix ms of the answer; null: none yet. */
  const answeredAt = ref<number | null>(null);

  async function load(): Promise<void> {
    try {
      const items = await askDevices(currentSite.value);
      known.value = new Map(items.map((item) => [placeKey(item.site, item.id), item]));
      [fault.value, answeredAt.value] = ["", Date.now()];
    } catch (error) {
      fault.value = faultText(error);
    }
  }

  function hear(events: EventItem[]): void {
    const said = events.filter((event) => event.site !== null && DEVICE_EVENTS.includes(event.kind));
    if (said.length === 0) return;
    const next = new Map(known.value);
    for (const event of said) {
      const [site, id] = [event.site!, String(event.data.device ?? event.source)];
      const lost = event.kind === "device.lost";
      const why = lost ? String(event.data.why ?? "") : null;
      next.set(placeKey(site, id), { id, site, online: !lost, since: event.at, why });
    }
    known.value = next;
  }

  onMounted(load);
  onUnmounted(onEvents(hear));
  // What the stream missed while it was away is in no frame.
  watch(
    () => link.value.state === "live",
    (lives) => lives && void load(),
  );
  /** Loading, or never loaded: then nothing is said of any device. */
  const asked = computed<"loading" | "failed" | "known">(() =>
    answeredAt.value !== null ? "known" : fault.value ? "failed" : "loading",
  );
  return { known, asked, fault, load };
}
