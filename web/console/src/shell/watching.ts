/** The sites and their live stream, from the moment that somebody is signed in: before their page has been fetched. */

import { watch } from "vue";

import { ApiError } from "@/api/client";
import { link, stopWatching, watchSite } from "@/shell/stores/live";
import { currentSite, forgetSites, loadSites, sites } from "@/shell/stores/site";

const AGAIN_MS = 3000;

let end: (() => void) | null = null;

async function load(): Promise<void> {
  try {
    await loadSites();
    if (sites.remembered && link.value.state === "live") setTimeout(() => end && void load(), AGAIN_MS);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    setTimeout(() => end && void load(), AGAIN_MS); // the server went away just now; the strip says so
  }
}

export function beginWatching(): void {
  if (end) return;
  const stop = watch([() => sites.loaded, currentSite], ([loaded, site]) => (loaded ? watchSite(site) : undefined), {
    immediate: true,
  });
  // Opened without a signal: what was remembered of the sites is asked for once there is one.
  const stopAgain = watch(
    () => link.value.state === "live",
    (there) => there && sites.remembered && void load(),
  );
  end = () => {
    stop();
    stopAgain();
    stopWatching();
    forgetSites();
  };
  void load();
}

export function endWatching(): void {
  end?.();
  end = null;
}
