/** How far a page was scrolled is there again at Back and after a reload: kept by the place in the history, for this tab. */

import type { Router } from "vue-router";

const KEPT = "gatehouse.scrolled";
/** Places of the history that are remembered. */
const MOST = 40;
/** What a page asks of its server is there by then, or it is not as long as it was. */
const WAITS_MS = 4_000;
const LOOKS_MS = 60;
/** The feed of a post begins with what is new. */
const LIVE = new Set(["/guard"]);

/** What scrolled → how far. A page is "", a part of one goes by its `data-testid`. */
type Depths = Record<string, number>;

const places = new Map<string, Depths>(read());
let here = "";
let restoring: ReturnType<typeof setInterval> | undefined;

function read(): [string, Depths][] {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "[]") as [string, Depths][];
  } catch {
    return []; // forbidden, or something else stands there
  }
}

function write(): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...places].slice(-MOST)));
  } catch {
    // nothing is kept
  }
}

const nameOf = (element: Element): string | undefined =>
  element.matches(".page") ? "" : element.closest<HTMLElement>("main [data-testid]")?.dataset.testid;

function scrolls(element: Element): boolean {
  return element.scrollHeight > element.clientHeight && /auto|scroll/.test(getComputedStyle(element).overflowY);
}

function named(name: string): Element | undefined {
  if (name === "") return document.querySelector("main .page") ?? undefined;
  const part = document.querySelector(`main [data-testid="${CSS.escape(name)}"]`);
  return part ? [part, ...part.children, ...part.querySelectorAll(".stack")].find(scrolls) : undefined;
}

function remember(event: Event): void {
  const element = event.target;
  if (!(element instanceof Element) || restoring !== undefined || !element.closest("main")) return;
  const name = nameOf(element);
  if (name !== undefined) places.set(here, { ...places.get(here), [name]: element.scrollTop });
}

function stop(): void {
  clearInterval(restoring);
  restoring = undefined;
}

/** Whoever moves the page themselves means where they go. */
const HANDS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

function restore(depths: Depths): void {
  stop();
  const left = new Map(Object.entries(depths).filter(([, depth]) => depth > 0));
  const until = Date.now() + WAITS_MS;
  const look = (): void => {
    for (const [name, depth] of left) {
      const element = named(name);
      if (!element) continue;
      element.scrollTop = depth;
      if (Math.abs(element.scrollTop - depth) < 2) left.delete(name);
    }
    if (left.size === 0 || Date.now() > until) stop();
  };
  if (left.size > 0) restoring = setInterval(look, LOOKS_MS);
}

/** Begins to keep it. */
export function keepScroll(router: Router): void {
  document.addEventListener("scroll", remember, { capture: true, passive: true });
  for (const hand of HANDS) document.addEventListener(hand, stop, { capture: true, passive: true });
  addEventListener("pagehide", write);
  router.afterEach((to, from, failure) => {
    if (failure) return;
    const place = `${String(history.state?.position ?? "")} ${to.path}`;
    const [known, before] = [places.get(place), places.get(here)];
    const same = from.matched.length > 0 && to.path === from.path;
    here = place;
    // What lies over a page is another place of the history, and the same page.
    if (same && before) places.set(place, before);
    else if (known && !LIVE.has(to.path)) restore(known);
    else stop();
  });
}
