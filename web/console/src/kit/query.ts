/**
 * What a page is set to (filter, tab, range, what lies over it) stands in its address: it survives a reload, Back finds it
 * again, and it can be sent to somebody.
 */

import { computed, shallowReactive, type ComputedRef, type WritableComputedRef } from "vue";
import { useRoute, useRouter, type LocationQueryRaw, type Router } from "vue-router";

/** How a value is written in an address. `read` takes whatever somebody typed there; `write` gives null for the default. */
export interface Codec<V> {
  read: (text: string | null) => V;
  write: (value: V) => string | null;
}

export const text: Codec<string> = { read: (found) => found ?? "", write: (value) => value || null };
export const maybe: Codec<string | null> = { read: (found) => found || null, write: (value) => value || null };
export const flag: Codec<boolean> = { read: (found) => found === "1", write: (value) => (value ? "1" : null) };

/** One of a few words, the usual one of which is not written. */
export function oneOf<V extends string>(known: readonly V[], usual: NoInfer<V>): Codec<V> {
  return {
    read: (found) => known.find((word) => word === found) ?? usual,
    write: (value) => (value === usual ? null : value),
  };
}

/** One or several of a few words, with commas, in the order in which they are known; the usual one is not written. */
export function someOf<V extends string>(known: readonly V[], usual: NoInfer<V>): Codec<readonly V[]> {
  return {
    read: (found) => {
      const asked = (found ?? "").split(",");
      const words = known.filter((word) => asked.includes(word));
      return words.length > 0 ? words : [usual];
    },
    write: (value) => (value.length === 1 && value[0] === usual ? null : value.join(",")),
  };
}

/** What was set and is not in the address yet: name → text, null to take it out. */
const pending = shallowReactive(new Map<string, string | null>());
let timer: ReturnType<typeof setTimeout> | undefined;

/** All that was set in one go is one navigation. It replaces: a filter is no page to go back to. */
async function flush(router: Router, path: string): Promise<void> {
  timer = undefined;
  const written = new Map(pending);
  const { query, hash, path: now } = router.currentRoute.value;
  // Whoever has left the page meanwhile does not take its filters along.
  if (now === path) await router.replace({ query: changed(query, written), hash });
  for (const [name, value] of written) if (pending.get(name) === value) pending.delete(name);
}

function changed(query: LocationQueryRaw, changes: ReadonlyMap<string, string | null>): LocationQueryRaw {
  const result = { ...query };
  for (const [name, value] of changes)
    if (value === null) delete result[name];
    else result[name] = value;
  return result;
}

function textOf(found: unknown): string | null {
  const first: unknown = Array.isArray(found) ? found[0] : found;
  return typeof first === "string" ? first : null;
}

/** A part of the page's address as a ref. `afterMs`: what is typed letter by letter is written once the hand rests. */
export function useQuery<V>(name: string, codec: Codec<V>, { afterMs = 0 } = {}): WritableComputedRef<V> {
  const [route, router] = [useRoute(), useRouter()];
  return computed({
    get: () => {
      const waiting = pending.get(name);
      return codec.read(waiting === undefined ? textOf(route.query[name]) : waiting);
    },
    set: (value) => {
      pending.set(name, codec.write(value));
      clearTimeout(timer);
      const { path } = router.currentRoute.value;
      timer = setTimeout(() => void flush(router, path), afterMs);
    },
  });
}

export interface Overlay {
  /** What is laid over the page; null: nothing. */
  value: ComputedRef<string | null>;
  /** Lays something over the page, or in the place of what lies there. */
  open: (wanted: string) => Promise<void>;
  close: () => Promise<void>;
}

declare module "vue-router" {
  interface HistoryState {
    /** The overlay that this place of the history was made for: leaving it is going back. */
    laid?: string;
  }
}

/** What lies over a page (a peek, a form) and stands in its address: opening it is a step that Back undoes. */
export function useOverlay(name: string): Overlay {
  const [route, router] = [useRoute(), useRouter()];
  const value = computed(() => textOf(route.query[name]));

  async function open(wanted: string): Promise<void> {
    const { query, hash } = router.currentRoute.value;
    const place = { query: { ...query, [name]: wanted }, hash };
    await (value.value === null ? router.push({ ...place, state: { laid: name } }) : router.replace(place));
  }

  async function close(): Promise<void> {
    if (value.value === null) return;
    const { path, hash, query } = router.currentRoute.value;
    const rest = changed(query, new Map([[name, null]]));
    if (history.state?.laid === name && (await back(router)) !== path) return;
    // What was filtered meanwhile stays filtered.
    await router.replace({ path, query: rest, hash });
  }

  return { value, open, close };
}

/** One step back, and the path that it led to. */
function back(router: Router): Promise<string> {
  return new Promise((resolve) => {
    const stop = router.afterEach((to) => {
      stop();
      resolve(to.path);
    });
    router.back();
  });
}

/**
 * Which of a page's forms is open: after a reload, and after signing in again in the middle of it, it is open again.
 * `may`: whether the person may send it, for an address is opened by whoever comes next, too.
 */
export function useForm<F extends string>(known: readonly F[], may: (form: F) => boolean): WritableComputedRef<F | null> {
  const overlay = useOverlay("form");
  return computed({
    get: () => known.find((word) => word === overlay.value.value && may(word)) ?? null,
    set: (wanted) => void (wanted === null ? overlay.close() : overlay.open(wanted)),
  });
}
