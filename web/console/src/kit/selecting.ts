/** Several of a list, chosen by box: Shift and a click choose all from the last one on. */

import { computed, shallowRef, type ComputedRef } from "vue";

export interface Selecting<Item extends { id: string }> {
  chosen: ComputedRef<Item[]>;
  has: (item: Item) => boolean;
  /** A click on the box of an item; `range`: all between the last one clicked and this one get what it gets. */
  toggle: (item: Item, range?: boolean) => void;
  /** All that can be chosen, or none if they all are. */
  all: () => void;
  clear: () => void;
}

/** `items`: what is shown, in its order; what is shown no more is chosen no more. */
export function useSelecting<Item extends { id: string }>(items: () => readonly Item[]): Selecting<Item> {
  const ids = shallowRef<ReadonlySet<string>>(new Set());
  const chosen = computed(() => items().filter((item) => ids.value.has(item.id)));
  let last: string | null = null;

  function toggle(item: Item, range = false): void {
    const next = new Set(ids.value);
    const shown = items();
    const [here, there] = [item.id, last].map((id) => shown.findIndex((each) => each.id === id)) as [number, number];
    const group = range && there >= 0 && here >= 0 ? shown.slice(Math.min(here, there), Math.max(here, there) + 1) : [item];
    const on = !ids.value.has(item.id);
    for (const each of group) {
      if (on) next.add(each.id);
      else next.delete(each.id);
    }
    last = item.id;
    ids.value = next;
  }

  return {
    chosen,
    has: (item) => ids.value.has(item.id),
    toggle,
    all: () => (ids.value = chosen.value.length === items().length ? new Set() : new Set(items().map(({ id }) => id))),
    clear: () => (ids.value = new Set()),
  };
}
