/** What is heard, on whatever page somebody is: alarms until they are acknowledged, hits until they are noted. */

import { computed, onUnmounted, watch, type ComputedRef } from "vue";

import { rings } from "@/live/alarms";
import { hits, isLoud } from "@/shell/stores/calling";
import { alarms } from "@/shell/stores/live";
import { play } from "@/shell/stores/sound";

/** What calls is heard again this often. */
export const BELL_MS = 12_000;
/** A hit whose car has long gone is heard each so many times that the bell could ring. */
const SELDOM = 25;

/** Rings, and gives whether anything calls now. */
export function useBell(): ComputedRef<boolean> {
  let beat = 0;
  const ringing = computed(() => alarms.value.some(rings));
  const newest = computed(() => Math.max(0, ...hits.value.map((hit) => hit.newest.event.id)));

  function ring(): void {
    beat += 1;
    const calls = hits.value.some(isLoud) || (hits.value.length > 0 && beat % SELDOM === 0);
    // Both at once would be one noise: they take turns.
    if (calls && !(ringing.value && beat % 2 === 0)) play("blocked");
    else if (ringing.value) play("alarm");
  }

  watch(ringing, (loud) => loud && play("alarm"));
  watch(newest, (is, was) => is > was && play("blocked"));
  if (newest.value > 0) play("blocked");
  const bell = setInterval(ring, BELL_MS);
  onUnmounted(() => clearInterval(bell));
  return computed(() => ringing.value || hits.value.some(isLoud));
}
