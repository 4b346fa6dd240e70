/** What the first page need not wait for. */

import { watch } from "vue";

import { link } from "@/shell/stores/live";

/** Without a stream the page is what there is: what comes later begins without one. */
const PATIENCE_MS = 3000;

/** Does `act` once the browser has nothing else to do. */
function whenIdle(act: () => void): void {
  if (typeof requestIdleCallback === "function") requestIdleCallback(act, { timeout: 1000 });
  else setTimeout(act, 100);
}

/** Does `act` once the stream tells what is now and the browser has drawn it. Returns how to let it be. */
export function onceDrawn(act: () => void): () => void {
  let wanted = true;
  const due = setTimeout(go, PATIENCE_MS);
  const stop = watch(
    () => link.value.state,
    (state) => state === "live" && go(),
    { immediate: true },
  );
  function go(): void {
    leave();
    whenIdle(() => wanted && act());
  }
  function leave(): void {
    clearTimeout(due);
    queueMicrotask(() => stop());
  }
  return () => {
    wanted = false;
    leave();
  };
}

/** Fetches a part of the frame, and again while there is no way to it. */
export async function fetchPart<P>(part: () => Promise<P>): Promise<P> {
  for (;;)
    try {
      return await part();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    }
}
