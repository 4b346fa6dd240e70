/** The sites of a person at a glance, be it one. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/sites",
      component: () => import("@/areas/sites/Sites.vue"),
      ability: "sites.read",
      nav: { icon: "sites", label: "nav.sites" },
    },
  ],
};
