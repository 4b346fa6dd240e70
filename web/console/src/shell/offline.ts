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
    if (!data.release || data.release === own) return;
    newerHeld = outdated.value = true;
  });
  setTimeout(() => void begin(), LATER_MS);
}

/** The worker said that it holds a newer release than the page's: a reload brings that one. */
let newerHeld = false;
let look = (): void => undefined;

/** Asks whether there is a newer release: the server may be another one since it was last there. */
export function lookForRelease(): void {
  look();
}

/** The server's own page; the worker answers for no "/" that is not gone to. */
async function servesNewer(): Promise<boolean> {
  const page = await fetch("/", { cache: "no-cache", signal: AbortSignal.timeout(5000) }).then((answer) => (answer.ok ? answer.text() : ""));
  const served = /<meta name="release" content="(\w+)"/.exec(page)?.[1];
  return served !== undefined && served !== own;
}

/** The page itself compares: there may be no worker, its word may have been missed, and a newer one may be unable to come. */
async function compareRelease(): Promise<void> {
  if (await servesNewer()) outdated.value = true;
}

const comes = ({ installing, waiting }: ServiceWorkerRegistration): boolean => Boolean(installing ?? waiting);

/** Before a reload: a worker that would only bring the old release again is let go, where the server has the newer one. */
export async function letOldGo(): Promise<void> {
  if (newerHeld) return;
  try {
    const registration = await navigator.serviceWorker?.getRegistration();
    if (registration && !comes(registration) && (await servesNewer())) await registration.unregister();
  } catch {
    // no way to the server: what is held is what there is
  }
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
    const compare = async (): Promise<void> => {
      await registration.update().catch(() => undefined);
      if (!comes(registration)) await compareRelease(); // else it says so itself, once it holds all
    };
    look = () => void compare().catch(() => undefined);
    setInterval(look, AGAIN_MS);
    addEventListener("online", look);
    look();
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
