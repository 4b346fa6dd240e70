/** The app without a signal: what holds it, and when a newer release is taken. */

import { ref } from "vue";

import { AREAS } from "@/areas";
import { able, session } from "@/shell/stores/session";

/** How long the first page has for itself. */
const LATER_MS = 4000;
const AGAIN_MS = 30 * 60_000;

/** A newer release is held: the next page is opened from it. */
export const outdated = ref(false);

const own = document.querySelector<HTMLMetaElement>('meta[name="release"]')?.content;

/** Holds the app and all its pages in this browser, once it has nothing better to do. */
export function holdOffline(): void {
  if (!own) return; // not built: nothing has a name that could be held
  setTimeout(() => void begin(), LATER_MS);
}

async function begin(): Promise<void> {
  if (!("serviceWorker" in navigator)) {
    await fetchPages();
    return;
  }
  navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ release?: string }>) => {
    if (data.release && data.release !== own) outdated.value = true;
  });
  try {
    const registration = await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" });
    const look = (): void => void registration.update().catch(() => undefined);
    setInterval(look, AGAIN_MS);
    addEventListener("online", look);
  } catch {
    await fetchPages(); // forbidden here, or an older server's files
  }
}

/** Browsers give a worker to TLS and to this machine alone. Elsewhere at least no page is missing while the app is open. */
async function fetchPages(): Promise<void> {
  const pages = AREAS.flatMap((area) => [...area.pages, ...(area.peeks ?? []), ...(area.beginnings ?? [])]);
  for (const { component, ability } of pages) {
    if (session.user === null) return;
    if (!ability || able(ability)) await component().catch(() => undefined);
  }
}

/** Whether the server answers at all. */
export async function reachable(): Promise<boolean> {
  try {
    return (await fetch("/api/about", { cache: "no-store", signal: AbortSignal.timeout(5000) })).status < 500;
  } catch {
    return false;
  }
}
