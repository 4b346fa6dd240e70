/** What an area of the console says of itself: its pages, and what it lays over all of them. */

import type { Component } from "vue";

import type { Ability, Role } from "@/api/types";
import type { IconName } from "@/kit/AppIcon.vue";
import type { Kind } from "@/shell/addresses";

export interface Area {
  pages: readonly AreaPage[];
  /** Dialogs that any page may call up. They are fetched right after the first page is there, and sooner for whoever is quick. */
  over?: readonly (() => Promise<{ default: Component }>)[];
  /** Its things that have an address: each opens beside a list, or as a page. */
  peeks?: readonly AreaPeek[];
  /** What may be begun from everywhere. */
  beginnings?: readonly AreaBeginning[];
}

export interface AreaPeek {
  kind: Kind;
  /** Shows one; gets `id`, and `site` where the address names it. */
  component: () => Promise<{ default: Component }>;
  /** Who may see one, as far as that is known before the server is asked. */
  ability?: Ability;
  icon: IconName;
  /** Name of the text. */
  label: `peek.${string}`;
  /** Whether its page is listed among the area's own. */
  paged?: boolean;
}

export interface AreaBeginning {
  /** The word in the address: `?new=…`. */
  kind: string;
  /** The form, over whatever page. Emits `done`. */
  component: () => Promise<{ default: Component }>;
  ability: Ability;
  icon: IconName;
  /** Name of the text. */
  label: `begin.${string}`;
}

export interface AreaPage {
  path: `/${string}`;
  /** Fetched when it is first opened. */
  component: () => Promise<{ default: Component }>;
  /** Whether what the path names comes as props. */
  props?: boolean;
  /** Who may open it; without one, everybody who is signed in. */
  ability?: Ability;
  /** Its entry in the navigation; where it stands, a role's way says. */
  nav?: NavEntry;
}

export interface NavEntry {
  icon: IconName;
  /** Name of the text. */
  label: `nav.${string}`;
  /** How many wait for somebody there. */
  badge?: () => number;
  /** False: there is nothing to choose there just now. */
  shown?: () => boolean;
}

/** Where a person of a role begins, and in which order pages are offered to them. */
export interface Way {
  home: AreaPage["path"];
  /** The most wanted first: a desk's rail shows these, a phone the first of them. What is not named comes after, under “more”. */
  first: readonly AreaPage["path"][];
  /** What an entry is called where the page shows them their own work. */
  called?: Readonly<Partial<Record<AreaPage["path"], NavEntry["label"]>>>;
}

/** By what each role does all day; rights hide an entry, and never rename it. */
export const WAYS: Readonly<Record<Role, Way>> = {
  guard: { home: "/guard", first: ["/guard", "/alarms", "/history", "/tickets", "/people", "/devices", "/site-accounts"] },
  maintenance: { home: "/tickets", first: ["/tickets", "/devices", "/alarms", "/points", "/meters"], called: { "/tickets": "nav.tasks" } },
  installer: { home: "/devices", first: ["/devices", "/points", "/alarms", "/tickets", "/guard", "/people"] },
  manager: { home: "/guard", first: ["/sites", "/alarms", "/tickets", "/guard", "/meters", "/people", "/history"] },
  admin: { home: "/guard", first: ["/sites", "/alarms", "/tickets", "/guard", "/people", "/accounts", "/history"] },
};

/** So many entries a desk's rail has at most, “more” among them. */
export const MOST_ON_DESK = 7;
/** The same for a phone's row of tabs. */
export const MOST_ON_PHONE = 5;

/** `pages` in a role's order, and those that stand under “more” where `most` entries fit. Pure. */
export function laidOut<P extends { path: AreaPage["path"] }>(
  role: Role,
  pages: readonly P[],
  most: number,
): { shown: P[]; more: P[] } {
  const { first } = WAYS[role];
  const place = ({ path }: P): number => (first.includes(path) ? first.indexOf(path) : first.length);
  const ordered = [...pages].sort((a, b) => place(a) - place(b));
  const named = ordered.filter(({ path }) => first.includes(path)).length;
  const room = ordered.length > Math.min(most, named) ? Math.min(most - 1, named) : most;
  return { shown: ordered.slice(0, room), more: ordered.slice(room) };
}
