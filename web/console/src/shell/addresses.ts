/** Where each thing of the console stands: one address a thing, as a page, and as what lies over one. Pure. */

import type { Found } from "@/api/types";

/** Kind of thing → where its pages stand. */
const PAGES = {
  alarm: "/alarms",
  ticket: "/tickets",
  entry: "/events",
  device: "/devices",
  point: "/points",
  person: "/people",
  meter: "/meters",
  place: "/places",
  vehicle: "/vehicles",
  account: "/accounts",
} as const;

export type Kind = keyof typeof PAGES;
export const KINDS = Object.keys(PAGES) as Kind[];

export interface Thing {
  kind: Kind;
  id: string;
  /** Where ids of devices, points and people are unique; null where there is but one site. */
  site?: string | null;
}

/** The page of a thing. */
export function addressOf({ kind, id, site }: Omit<Thing, "id"> & { id: string | number }): string {
  const page = `${PAGES[kind]}/${encodeURIComponent(id)}`;
  return site ? `${page}?site=${encodeURIComponent(site)}` : page;
}

/** A thing as an overlay's word: `device:demo/pump-1`. */
export function wordOf({ kind, id, site }: Thing): string {
  return `${kind}:${site ? `${site}/` : ""}${id}`;
}

/** What an overlay's word means; null: nothing. */
export function thingOf(word: string | null): Thing | null {
  const [, kind, site, id] = /^(\w+):(?:([^/]*)\/)?(.+)$/.exec(word ?? "") ?? [];
  if (id === undefined || !KINDS.includes(kind as Kind)) return null;
  return { kind: kind as Kind, id, site: site || null };
}

/** The path under which the router knows the pages of a kind. */
export const routeOf = (kind: Kind): string => `${PAGES[kind]}/:id`;

/** Where something is that the search box found. */
export function addressOfFound({ kind, id, site }: Pick<Found, "kind" | "id" | "site">): string {
  return addressOf({ kind, id, site });
}
