/** The app without a signal: what holds it, and when a newer release is taken. */

import { ref } from "vue";

import { AREAS } from "@/areas";
import { able, session } from "@/shell/stores/session";

/** How long the first page has for itself. */
const LATER_MS = 4000;
const AGAIN_MS = 30 * 60_000;

/** A newer release is held: the page that is open is not of it. */
export const outdated = ref(false);

/** Whether the page would come again without a server: browsers give a worker that holds it to TLS and to this machine alone. */
export const comesAgain = (): boolean => Boolean(navigator.serviceWorker?.controller);

const own = document.querySelector<HTMLMetaElement>('meta[name="release"]')?.content;

/** Holds the app and all its pages in this browser, once it has nothing better to do. */
export function holdOffline(): void {
  if (!own) return; // not built: nothing has a name that could be held
  // At once: the page may have come from what is held while the worker of a newer release was already on its way.
  navigator.serviceWorker?.addEventListener("message", ({ data }: MessageEvent<{ release?: string }>) => {
    if (data.release && data.release !== own) outdated.value = true;
  });
  setTimeout(() => void begin(), LATER_MS);
}

let look = (): void => undefined;

/** Asks whether there is a newer release: the server may be another one since it was last there. */
export function lookForRelease(): void {
  look();
}

/** Without a worker the page itself compares. */
async function compareRelease(): Promise<void> {
  const page = await fetch("/", { cache: "no-cache" }).then((answer) => (answer.ok ? answer.text() : ""));
  const served = /<meta name="release" content="(\w+)"/.exec(page)?.[1];
  if (served && served !== own) outdated.value = true;
}

async function begin(): Promise<void> {
  if (!("serviceWorker" in navigator)) {
    look = () => void compareRelease().catch(() => undefined);
    setInterval(look, AGAIN_MS);
    await fetchPages();
    return;
  }
  try {
    const registration = await navigator.serviceWorker.register("/sw.js", { updateViaCache: "none" });
    look = () => void registration.update().catch(() => undefined);
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
