/** Which component shows which kind of thing: what the areas say of it. */

import { defineAsyncComponent, type Component } from "vue";

import { AREAS } from "@/areas";
import type { Kind } from "@/shell/addresses";
import type { AreaPeek } from "@/shell/area";

const PEEKS = new Map<Kind, AreaPeek>(AREAS.flatMap((area) => area.peeks ?? []).map((peek) => [peek.kind, peek]));
const components = new Map<Kind, Component>();

export const allPeeks = (): AreaPeek[] => [...PEEKS.values()];
export const peekOf = (kind: Kind): AreaPeek | undefined => PEEKS.get(kind);

/** Made once: a component that is defined anew would begin anew. */
export function componentOf({ kind, component }: AreaPeek): Component {
  let made = components.get(kind);
  if (!made) components.set(kind, (made = defineAsyncComponent(component)));
  return made;
}
