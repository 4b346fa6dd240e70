/** A newer release than the page's: it is offered at once, and taken by itself where nobody would notice. */

import { watch } from "vue";

import { openDrafts } from "@/kit/drafts";
import { overlaid } from "@/kit/keys";
import { letOldGo, outdated } from "@/shell/offline";
import { link } from "@/shell/stores/live";
import { soundRuns } from "@/shell/stores/sound";

/** Nobody has touched the page for so long. */
const IDLE_MS = 10 * 60_000;
const LOOK_MS = 30_000;
const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel"] as const;

/** What was typed stays: forms keep drafts, pages their settings in the address. */
export async function takeRelease(): Promise<void> {
  await letOldGo();
  location.reload();
}

/** Something lies open, or stands half written. */
function inWork(): boolean {
  const field = document.activeElement;
  return overlaid() || openDrafts.size > 0 || (field instanceof HTMLElement && field.matches("input, textarea, [contenteditable]"));
}

/**
 * Takes a newer release once nobody has touched the page for long, nothing is being written, `busy` says no, and the
 * server is there. Never where the page may be heard: a browser gives a page that came by itself no sound until it is
 * touched, and a post that is not called is worse than an old release. Returns how to stop.
 */
export function watchRelease(busy: () => boolean): () => void {
  let touched = Date.now();
  const touch = (): void => void (touched = Date.now());
  for (const each of TOUCHES) addEventListener(each, touch, { passive: true });
  let looking: ReturnType<typeof setInterval> | undefined;
  const look = (): void => {
    const quiet = Date.now() - touched >= IDLE_MS && link.value.state === "live";
    if (quiet && !soundRuns.value && !inWork() && !busy()) void takeRelease();
  };
  const stop = watch(
    outdated,
    (old) => {
      if (old) looking ??= setInterval(look, LOOK_MS);
    },
    { immediate: true },
  );
  return () => {
    stop();
    clearInterval(looking);
    for (const each of TOUCHES) removeEventListener(each, touch);
  };
}
