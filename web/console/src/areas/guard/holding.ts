/** What stays under somebody's hand, no longer than the hand is there; and what a hand meant when it pressed. */

import { onUnmounted, watch, type Ref } from "vue";

/** A hand that rests this long looks at nothing any more: a mouse that was left there holds nothing. */
export const REST_MS = 8_000;
/** What changed by itself just now was not what the hand went for. */
export const SETTLE_MS = 500;

export interface Settled {
  /** Another is drawn next because somebody chose it. */
  choose: (key: string) => void;
  /** Whether what is shown has stood long enough to be meant. */
  settled: () => boolean;
}

export interface Held extends Settled {
  /** Keeps to the lane that is shown: the pointer moves over it, a key is pressed in it, or it has got the focus. */
  keep: () => void;
  /** Keeps to another lane, which somebody chose. */
  choose: (key: string) => void;
  /** The hand has gone. */
  let: () => void;
}

/** `shown`: what is drawn. What takes its place by itself is not what the hand went for. */
export function useSettled(shown: () => string | null): Settled {
  let changedAt = -Infinity;
  let chosen: string | null = null;

  watch(shown, (is) => {
    if (is !== chosen) changedAt = Date.now();
    chosen = null;
  });
  return {
    choose: (key) => (chosen = key),
    settled: () => Date.now() - changedAt >= SETTLE_MS,
  };
}

/**
 * `lane`: the one that is held, null where none is. `shown`: the one that is drawn. `busy`: whether somebody answers about
 * it now; then no other is drawn.
 */
export function useHeld(lane: Ref<string | null>, shown: () => string | null, busy: () => boolean): Held {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const { choose, settled } = useSettled(shown);

  function hold(key: string | null): void {
    clearTimeout(timer);
    lane.value = key;
    if (key !== null) timer = setTimeout(rest, REST_MS);
  }

  function rest(): void {
    hold(busy() ? lane.value : null);
  }

  onUnmounted(() => clearTimeout(timer));

  return {
    keep: () => hold(lane.value ?? shown()),
    choose: (key) => {
      choose(key);
      hold(key);
    },
    let: rest,
    settled,
  };
}
