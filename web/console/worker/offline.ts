/**
 * The console's service worker: the app opens, and every page of it, while its server cannot be reached.
 *
 * It holds one release whole: the shell and all pages, fetched after the first page is drawn. Once it does, a page opens
 * from there at once, without a question to the server: a phone waits three times as long for that as for the page. With
 * each page that opens the browser asks for this file anew; a newer release is fetched beside the page that is open, which
 * is told (`release`) and offers it. What the server says (`/api`) is never held.
 */

const worker = self as unknown as ServiceWorkerGlobalScope;
/** What the build fills in: a hash of all files, and their paths. */
declare const RELEASE: string;
declare const FILES: readonly string[];

const files = new Set(FILES);
const PREFIX = "gatehouse-";
const CACHE = PREFIX + RELEASE;
const SHELL = "/index.html";
/** A network that swallows everything is one that is not there. */
const PATIENCE_MS = 4000;
/** What the servers answer themselves: the interface, its description, and what watches them. */
const NOT_OURS = /^\/(api|docs|push|sim|healthz|readyz|metrics)(\/|$)/;

/** Named by their content: whoever has one has the right one. */
const lasting = (path: string): boolean => path.startsWith("/assets/");

/** One after another: whoever works just now comes first. All of them or none: half a release is no release. */
async function fill(): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const path of files) {
    if (await cache.match(path)) continue;
    const known = lasting(path) ? await caches.match(path, { ignoreVary: true }) : undefined;
    const answer = known ?? (await fetch(path, { cache: lasting(path) ? "default" : "no-cache", priority: "low" }));
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    if (path === SHELL && !(await answer.clone().text()).includes(RELEASE)) throw new Error("the release has changed meanwhile");
    await cache.put(path, answer);
  }
}

/** The release before stays: a page that was opened from it still fetches its parts. */
async function takeOver(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
  await worker.clients.claim();
  for (const client of await worker.clients.matchAll({ type: "window" })) client.postMessage({ release: RELEASE });
}

async function fresh(request: Request): Promise<Response> {
  const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
  // A proxy without its server.
  if (answer.status >= 502 && answer.status <= 504) throw new Error(String(answer.status));
  return answer;
}

async function held(path: string): Promise<Response | undefined> {
  const own = await (await caches.open(CACHE)).match(path, { ignoreVary: true });
  return own ?? (lasting(path) ? await caches.match(path, { ignoreVary: true }) : undefined);
}

/** The server's answer, else what is held in the place of it. */
async function serverFirst(request: Request, path: string): Promise<Response> {
  try {
    return await fresh(request);
  } catch (error) {
    const found = await held(path);
    if (found) return found;
    throw error;
  }
}

/** A reload that somebody forces past all that is held goes to the server. */
const forced = (request: Request): boolean => request.cache === "reload" || request.cache === "no-store";

async function heldFirst(request: Request, path: string): Promise<Response> {
  return (await held(path)) ?? fetch(request);
}

worker.addEventListener("install", (event) => {
  event.waitUntil(fill().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => event.waitUntil(takeOver()));

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== worker.location.origin || NOT_OURS.test(pathname)) return;
  if (request.mode === "navigate") event.respondWith(forced(request) ? serverFirst(request, SHELL) : heldFirst(request, SHELL));
  else if (lasting(pathname)) event.respondWith(heldFirst(request, pathname));
  else if (files.has(pathname)) event.respondWith(serverFirst(request, pathname));
});
