/** What lies over the page: one thing, beside its list on a desk, over all of it on a phone. */

import { computed, type ComputedRef } from "vue";

import { useOverlay } from "@/kit/query";
import { thingOf, wordOf, type Thing } from "@/shell/addresses";
import { severalSites } from "@/shell/stores/site";

/** Whose hand opened it: a panel that a key of the list opened leaves the focus to the list. */
let focusStays = false;

export interface Peeks {
  shown: ComputedRef<Thing | null>;
  /** `walking`: the list keeps the keyboard. */
  open: (thing: Thing, how?: { walking?: boolean }) => Promise<void>;
  close: () => Promise<void>;
  is: (thing: Thing) => boolean;
  /** What a list's row says of the thing that it opens, so that keys go from one to the next. */
  rowOf: (thing: Thing) => { "data-row": string };
  /** Whether the panel is to leave the focus where it is. */
  focusStays: () => boolean;
}

/** Of several sites a thing names its own, so that its id means one thing. */
function named(thing: Thing): Thing {
  return { ...thing, site: severalSites.value ? (thing.site ?? null) : null };
}

export function usePeeks(): Peeks {
  const overlay = useOverlay("peek");
  const shown = computed(() => thingOf(overlay.value.value));
  return {
    shown,
    open: (thing, { walking = false } = {}) => {
      focusStays = walking;
      return overlay.open(wordOf(named(thing)));
    },
    close: overlay.close,
    is: (thing) => overlay.value.value === wordOf(named(thing)),
    rowOf: (thing) => ({ "data-row": wordOf(named(thing)) }),
    focusStays: () => focusStays,
  };
}
