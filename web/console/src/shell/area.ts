/** What an area of the console says of itself: its pages, and what it lays over all of them. */

import type { Component } from "vue";

import type { Ability } from "@/api/types";
import type { IconName } from "@/kit/AppIcon.vue";

export interface Area {
  pages: readonly AreaPage[];
  /** Dialogs that any page may call up. They come with the frame, at once: unlike pages, they are not fetched later. */
  over?: readonly Component[];
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
