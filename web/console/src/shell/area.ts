/** What an area of the console says of itself: its pages, and what it lays over all of them. */

import type { Component } from "vue";

import type { Ability } from "@/api/types";
import type { IconName } from "@/kit/AppIcon.vue";
import type { Kind } from "@/shell/addresses";

export interface Area {
  pages: readonly AreaPage[];
  /** Dialogs that any page may call up. They come with the frame, at once: unlike pages, they are not fetched later. */
  over?: readonly Component[];
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
  /** Its entry in the navigation, which stands where the page stands in the list of areas. */
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
