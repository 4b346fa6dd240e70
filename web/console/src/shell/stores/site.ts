/** What sites there are, how their doors, lanes and devices are called, and whose names holders have. */

import { computed, reactive, ref, shallowReactive } from "vue";

import { api, ApiError } from "@/api/client";
import type { HolderName, Layout, Page, Site, Text } from "@/api/types";

/** `name`: of a site that cannot be listed its id stands in. */
export type SiteItem = Pick<Site, "id"> & Partial<Omit<Site, "name">> & { name: Text | string };
import { say } from "@/kit/i18n";
import { preferences } from "@/kit/preferences";
import { recall, remember } from "@/kit/remembered";
import { session, takeStart } from "@/shell/stores/session";

export const sites = reactive({
  items: [] as SiteItem[],
  loaded: false,
  /** Without a signal: as they were when there was one, and to be asked for again. */
  remembered: false,
});
export const layouts = shallowReactive(new Map<string, Layout>());
/** Sites whose layout could not be asked for: what stands there of them is remembered. */
const oldLayouts = new Set<string>();
const pointsOf = new WeakMap<Layout, Map<string, Layout["points"][number]>>();

/** The site that the address names (`?site=`); `*`: all; null: none, what was chosen here counts. */
export const siteInAddress = ref<string | null>(null);

/** The site that is shown; null: all of them. */
export const currentSite = computed<string | null>(() => {
  if (session.about?.server === "gateway") return session.about.site;
  const known = sites.items.map((site) => site.id);
  if (known.length === 1) return known[0] ?? null;
  // Whoever was sent an address is to see what it is about.
  const wanted = siteInAddress.value ?? preferences.site;
  return wanted !== null && known.includes(wanted) ? wanted : null;
});

export const severalSites = computed(() => sites.items.length > 1);

/** A page's address for whoever looks at what the address names: they go on looking at that. */
export function here(path: string): string {
  return siteInAddress.value === null ? path : `${path}?site=${encodeURIComponent(siteInAddress.value)}`;
}

/** The site that an address means: the one it names, else the one that is shown, else the only one known. */
export function siteOf(named: string | null | undefined): string {
  return named ?? currentSite.value ?? [...layouts.keys()][0] ?? "";
}

/** What a site is called; its id while nothing is known of it. */
export function siteName(id: string): string {
  return say(layouts.get(id)?.name) || say(sites.items.find((known) => known.id === id)?.name) || id;
}

/** The same for what stands among the things of other sites; empty where only one site is shown. */
export function siteAmongOthers(id: string): string {
  return severalSites.value && currentSite.value === null ? siteName(id) : "";
}

/** A text of one line about something of that site, which it names among others. */
export function amongOthers(id: string, text: string): string {
  return [siteAmongOthers(id), text].filter(Boolean).join(" · ");
}

/** The layout of the site that is shown, or of the only one known. */
export const layout = computed<Layout | null>(() => {
  const site = currentSite.value ?? (layouts.size === 1 ? [...layouts.keys()][0] : null);
  return (site && layouts.get(site)) || null;
});

export const zone = computed<string | undefined>(() => layout.value?.timezone ?? [...layouts.values()][0]?.timezone);

export async function loadSites(): Promise<void> {
  const start = takeStart();
  sites.remembered = false;
  for (const layout of start?.layouts ?? []) learnLayout(layout);
  if (start) remember("sites", start.sites);
  sites.items = start?.sites ?? (await siteItems());
  sites.loaded = true;
  await Promise.all(sites.items.filter(({ id }) => !layouts.has(id) || oldLayouts.has(id)).map(({ id }) => loadLayout(id)));
}

async function siteItems(): Promise<SiteItem[]> {
  try {
    const { items } = await api.get<Page<SiteItem>>("/api/sites");
    remember("sites", items);
    return items;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 0) sites.remembered = true;
    const known = error.status === 0 ? recall<SiteItem[]>("sites") : null;
    if (known) return known;
    return (session.user?.sites ?? []).filter((id) => id !== "*").map((id) => ({ id, name: id }));
  }
}

function learnLayout(layout: Layout): void {
  layouts.set(layout.site, layout);
  oldLayouts.delete(layout.site);
  remember(`layout.${layout.site}`, layout);
}

export async function loadLayout(site: string): Promise<void> {
  try {
    learnLayout(await api.get<Layout>("/api/site", { site }));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // A site that has not described itself yet, or that nobody has told of here: ids stand for names.
    if (error.status !== 0) return;
    sites.remembered = true;
    oldLayouts.add(site);
    const known = recall<Layout>(`layout.${site}`);
    if (known && !layouts.has(site)) layouts.set(site, known);
  }
}

/** The name of a door, lane or device of a site. */
export function nameOf(site: string | undefined, id: string): Text {
  const known = site === undefined ? layout.value : layouts.get(site);
  const found =
    known?.doors.find((door) => door.id === id) ??
    known?.lanes.find((lane) => lane.id === id) ??
    known?.devices.find((device) => device.id === id) ??
    known?.zones.find((place) => place.id === id);
  return found?.name ?? { zh: id, en: id };
}

/** The name of a place as somebody wrote it down, in both languages where the site's layout knows it. */
export function placeNamed(site: string, written: string): Text {
  const { devices = [], doors = [], lanes = [], zones = [] } = layouts.get(site) ?? {};
  const known = [...[...devices, ...doors, ...lanes].map(({ place }) => place), ...[...zones, ...doors, ...lanes].map(({ name }) => name)];
  return known.find((place) => place && (place.zh === written || place.en === written)) ?? { zh: written, en: written };
}

/** What a site's layout says about a point, by its id. */
export function pointOf(site: string, id: string): Layout["points"][number] | undefined {
  const layout = layouts.get(site);
  if (!layout) return undefined;
  let byId = pointsOf.get(layout);
  if (!byId) pointsOf.set(layout, (byId = new Map(layout.points.map((point) => [point.id, point]))));
  return byId.get(id);
}

export const holderNames = shallowReactive(new Map<string, HolderName | null>());
const wanted = new Map<string, string | undefined>();
const browsed = new Set<string>();
let asking = false;
/** Holders that one question may bring. */
const PAGE = 500;

/** A holder's name, asked for once and kept; undefined while it is not known. */
export function holderName(id: string | null, site?: string): HolderName | undefined {
  if (id === null) return undefined;
  const known = holderNames.get(id);
  if (known === undefined && session.user !== null && !wanted.has(id)) {
    wanted.set(id, site);
    if (!asking) {
      asking = true;
      queueMicrotask(() => void askHolders());
    }
  }
  return known ?? undefined;
}

/** A small site's holders come with one question, those of a large one singly. */
async function askHolders(): Promise<void> {
  for (const [id, site] of wanted) {
    try {
      if (!browsed.has(site ?? "")) {
        browsed.add(site ?? "");
        const page = await api.get<Page<HolderName>>("/api/holders", { site, limit: PAGE });
        for (const holder of page.items) holderNames.set(holder.id, holder);
      }
      if (!holderNames.has(id)) {
        const one = await oneHolder(id, site);
        holderNames.set(id, one);
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Names are a comfort: where they may not be read, or were erased, card or plate stand in.
      if (!holderNames.has(id)) holderNames.set(id, null);
    }
    wanted.delete(id);
  }
  asking = false;
}

async function oneHolder(id: string, site: string | undefined): Promise<HolderName | null> {
  if (session.about?.server !== "gateway")
    return api.get<HolderName>(`/api/holders/${encodeURIComponent(id)}`, { site });
  return (await api.get<Page<HolderName>>("/api/holders", { ids: id })).items[0] ?? null;
}

/** Forgets what belongs to the person who signed out. */
export function forgetSites(): void {
  sites.items = [];
  sites.loaded = sites.remembered = false;
  layouts.clear();
  oldLayouts.clear();
  holderNames.clear();
  browsed.clear();
}
