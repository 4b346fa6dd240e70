/** Which lane the large picture stays with: the one under somebody's hand, and no longer than the hand is there. */

import { onUnmounted, watch, type Ref } from "vue";

/** A hand that rests this long looks at nothing any more: a mouse that was left there holds nothing. */
export const REST_MS = 8_000;
/** What changed by itself just now was not what the hand went for. */
export const SETTLE_MS = 500;

export interface Held {
  /** Keeps to the lane that is shown: the pointer moves over it, a key is pressed in it, or it has got the focus. */
  keep: () => void;
  /** Keeps to another lane, which somebody chose. */
  choose: (key: string) => void;
  /** The hand has gone. */
  let: () => void;
  /** Whether what is shown has stood long enough to be meant. */
  settled: () => boolean;
}

/**
 * `lane`: the one that is held, null where none is. `shown`: the one that is drawn. `busy`: whether somebody answers about
 * it now; then no other is drawn.
 */
export function useHeld(lane: Ref<string | null>, shown: () => string | null, busy: () => boolean): Held {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let changedAt = -Infinity;
  let chosen: string | null = null;

  function hold(key: string | null): void {
    clearTimeout(timer);
    lane.value = key;
    if (key !== null) timer = setTimeout(rest, REST_MS);
  }

  function rest(): void {
    hold(busy() ? lane.value : null);
  }

  watch(shown, (is, was) => {
    if (was !== null && is !== chosen) changedAt = Date.now();
    chosen = null;
  });
  onUnmounted(() => clearTimeout(timer));

  return {
    keep: () => hold(lane.value ?? shown()),
    choose: (key) => {
      chosen = key;
      hold(key);
    },
    let: rest,
    settled: () => Date.now() - changedAt >= SETTLE_MS,
  };
}
