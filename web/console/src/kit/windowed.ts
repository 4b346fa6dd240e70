/**
 * A long list of which only the rows in sight are drawn, whatever their heights: each stands where the sum of those
 * before it says, and what is not measured yet is taken to be like the others. What is in sight does not move when a row
 * above turns out higher than thought.
 */

import { computed, nextTick, onUnmounted, ref, shallowRef, triggerRef, watch, type ComputedRef, type Ref } from "vue";

/** Pixels that are drawn above and below what is in sight. */
const BEYOND = 500;
/** Rows come and go by so many at once. */
const STEP = 8;
/** Never more rows than these, however low they are. */
export const MOST_DRAWN = 150;
/** What is in sight where nobody can tell yet. */
const USUAL_SIGHT = 800;

export interface Placed<V> {
  value: V;
  index: number;
  /** Pixels from the top of the list. */
  top: number;
}

export interface Windowed<V> {
  drawn: ComputedRef<Placed<V>[]>;
  /** Pixels of the whole list. */
  height: ComputedRef<number>;
  scrolled: () => void;
  /** Brings a row into sight. */
  reveal: (index: number) => void;
}

/** Where each of `count` rows begins, and at last where the list ends. Pure. */
export function tops(count: number, heightOf: (index: number) => number): number[] {
  const found = new Array<number>(count + 1);
  found[0] = 0;
  for (let index = 0; index < count; index += 1) found[index + 1] = found[index]! + heightOf(index);
  return found;
}

/** The row that covers `y` pixels from the top: the last that begins there or before. Pure. */
export function rowAt(begins: readonly number[], y: number): number {
  let [low, high] = [0, Math.max(0, begins.length - 2)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (begins[middle]! <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * `box` scrolls, `list` holds the rows, each with `data-id` its key. `usual`: height of a row before any is measured.
 * `kept`: a row that stays drawn wherever it is, as the one with the focus.
 */
export function useWindowed<V>(
  box: Readonly<Ref<HTMLElement | null>>,
  list: Readonly<Ref<HTMLElement | null>>,
  values: Readonly<Ref<readonly V[]>>,
  keyOf: (value: V) => number,
  { usual, kept }: { usual: number; kept: Readonly<Ref<number | null>> },
): Windowed<V> {
  const heights = shallowRef(new Map<number, number>());
  const estimate = ref(usual);
  const [top, sight] = [ref(0), ref(USUAL_SIGHT)];

  const begins = computed(() => {
    const known = heights.value;
    const all = values.value;
    return tops(all.length, (index) => known.get(keyOf(all[index]!)) ?? estimate.value);
  });
  const height = computed(() => begins.value.at(-1) ?? 0);
  const first = computed(() => {
    const row = rowAt(begins.value, top.value - BEYOND);
    return row - (row % STEP);
  });
  const last = computed(() => {
    const row = rowAt(begins.value, top.value + sight.value + BEYOND) + 1;
    return Math.min(values.value.length, first.value + MOST_DRAWN, row + STEP - (row % STEP));
  });
  const placed = (index: number): Placed<V> => ({ value: values.value[index]!, index, top: begins.value[index]! });
  const drawn = computed(() => {
    const rows: Placed<V>[] = [];
    for (let index = first.value; index < last.value; index += 1) rows.push(placed(index));
    const stays = kept.value === null ? -1 : values.value.findIndex((value) => keyOf(value) === kept.value);
    if (stays >= 0 && stays < first.value) rows.unshift(placed(stays));
    if (stays >= last.value) rows.push(placed(stays));
    return rows;
  });

  /** Changes what is known of heights, and leaves the topmost row in sight where it is. */
  function known(change: () => void): void {
    const anchor = rowAt(begins.value, top.value);
    const within = top.value - begins.value[anchor]!;
    change();
    const wanted = (begins.value[anchor] ?? 0) + within;
    if (top.value <= 0 || Math.abs(wanted - top.value) < 1) return;
    top.value = wanted;
    void nextTick(() => box.value?.scrollTo({ top: wanted }));
  }

  function measure(): void {
    const rows = [...(list.value?.querySelectorAll<HTMLElement>(":scope > [data-id]") ?? [])];
    const found = rows.map((row): [number, number] => [Number(row.dataset.id), row.offsetHeight]);
    const changed = found.filter(([key, now]) => now > 0 && heights.value.get(key) !== now);
    if (changed.length === 0) return;
    known(() => {
      // Rows that are gone are forgotten with the rest, now and then.
      if (heights.value.size > values.value.length + 2000) heights.value.clear();
      for (const [key, now] of found) if (now > 0) heights.value.set(key, now);
      triggerRef(heights);
      // An estimate that wavers would move what was never measured: once is enough for one width.
      if (estimated) return;
      estimate.value = [...heights.value.values()].reduce((all, each) => all + each, 0) / heights.value.size;
      estimated = true;
    });
  }

  let estimated = false;
  let width = 0;
  const resized = new ResizeObserver(() => {
    if (!box.value) return;
    sight.value = box.value.clientHeight || USUAL_SIGHT;
    if (box.value.clientWidth === width) return;
    width = box.value.clientWidth;
    known(() => {
      heights.value = new Map();
      estimated = false;
    });
    void nextTick(measure);
  });
  // Rows that change by themselves, as when a button comes in one, are measured as they do.
  const rowsChanged = new ResizeObserver(measure);
  watch(
    box,
    (element) => {
      resized.disconnect();
      if (element) resized.observe(element);
    },
    { immediate: true, flush: "post" },
  );
  watch(
    drawn,
    () => {
      measure();
      rowsChanged.disconnect();
      for (const row of list.value?.children ?? []) rowsChanged.observe(row);
    },
    { immediate: true, flush: "post" },
  );
  onUnmounted(() => {
    resized.disconnect();
    rowsChanged.disconnect();
  });

  function scrolled(): void {
    if (!box.value) return;
    top.value = box.value.scrollTop;
    sight.value = box.value.clientHeight || USUAL_SIGHT;
  }

  function reveal(index: number): void {
    const [begin, end] = [begins.value[index], begins.value[index + 1]];
    if (!box.value || begin === undefined || end === undefined) return;
    if (begin < top.value) box.value.scrollTop = begin;
    else if (end > top.value + sight.value) box.value.scrollTop = end - sight.value;
    else return;
    scrolled();
  }

  return { drawn, height, scrolled, reveal };
}
