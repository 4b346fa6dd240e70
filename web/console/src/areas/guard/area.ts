/** What a guard watches: who comes, doors and lanes. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/guard",
      component: () => import("@/areas/guard/Guard.vue"),
      ability: "watch",
      nav: { icon: "guard", label: "nav.guard" },
    },
  ],
  peeks: [
    { kind: "entry", component: () => import("@/areas/guard/EntryPeek.vue"), icon: "person", label: "peek.entry" },
    { kind: "place", component: () => import("@/areas/guard/PlacePeek.vue"), ability: "watch", icon: "door", label: "peek.place" },
  ],
};
