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
  beginnings: [
    {
      kind: "person",
      component: () => import("@/areas/people/PersonBegin.vue"),
      ability: "people.write",
      icon: "person",
      label: "begin.person",
    },
    {
      kind: "visitor",
      component: () => import("@/areas/people/VisitorBegin.vue"),
      ability: "people.write",
      icon: "visitor",
      label: "begin.visitor",
    },
    {
      kind: "block",
      component: () => import("@/areas/people/BlockBegin.vue"),
      ability: "people.write",
      icon: "block",
      label: "begin.block",
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
