/** Who comes and goes here: holders, their cards and plates, and who is kept out. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/people",
      component: () => import("@/areas/people/People.vue"),
      ability: "people.read",
      nav: { icon: "people", label: "nav.people" },
    },
  ],
  peeks: [
    {
      kind: "person",
      component: () => import("@/areas/people/HolderPeek.vue"),
      ability: "people.read",
      icon: "people",
      label: "peek.person",
    },
  ],
};
