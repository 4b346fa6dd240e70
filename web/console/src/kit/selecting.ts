/** Several of a list, chosen by box: Shift and a click choose all from the last one on. */

import { computed, shallowRef, watch, type ComputedRef } from "vue";

export interface Selecting<Item extends { id: string }> {
  chosen: ComputedRef<Item[]>;
  has: (item: Item) => boolean;
  /** A click on the box of an item; `range`: all between the last one clicked and this one get what it gets. */
  toggle: (item: Item, range?: boolean) => void;
  /** All of a group get the same; a range begins at the first of it. */
  put: (group: readonly Item[], on: boolean) => void;
  /** All that can be chosen, or none if they all are. */
  all: () => void;
  clear: () => void;
}

export interface Listed<Item> {
  /** What stands in rows, in their order, where that is not `items`: what is folded is in no range. */
  drawn?: () => readonly Item[];
  /** What an item was chosen as: once that changes it is chosen no more. */
  standing?: (item: Item) => string;
}

/** `items`: what is shown, in its order; what is shown no more is chosen no more. */
export function useSelecting<Item extends { id: string }>(
  items: () => readonly Item[],
  { drawn = items, standing = () => "" }: Listed<Item> = {},
): Selecting<Item> {
  /** Of each that is chosen, as what it was. */
  const ids = shallowRef<ReadonlyMap<string, string>>(new Map());
  const has = (item: Item): boolean => ids.value.get(item.id) === standing(item);
  const chosen = computed(() => items().filter(has));
  let last: string | null = null;

  // Without this one that changes back would be chosen again.
  watch(
    () => items().filter((item) => ids.value.has(item.id) && !has(item)),
    (changed) => changed.length > 0 && mark(changed, false),
  );

  function mark(group: readonly Item[], on: boolean): void {
    const next = new Map(ids.value);
    for (const each of group) {
      if (on) next.set(each.id, standing(each));
      else next.delete(each.id);
    }
    ids.value = next;
  }

  function put(group: readonly Item[], on: boolean): void {
    mark(group, on);
    last = group[0]?.id ?? last;
  }

  function toggle(item: Item, range = false): void {
    const shown = drawn();
    const [here, there] = [item.id, last].map((id) => shown.findIndex((each) => each.id === id)) as [number, number];
    const group = range && there >= 0 && here >= 0 ? shown.slice(Math.min(here, there), Math.max(here, there) + 1) : [item];
    mark(group, !has(item));
    last = item.id;
  }

  return {
    chosen,
    has,
    toggle,
    put,
    all: () => {
      const others = chosen.value.length === items().length ? [] : items();
      ids.value = new Map(others.map((item) => [item.id, standing(item)]));
    },
    clear: () => (ids.value = new Map()),
  };
}
