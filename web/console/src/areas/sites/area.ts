/** All sites of a person at a glance. */

import type { Area } from "@/shell/area";
import { severalSites, sites } from "@/shell/stores/site";

export const area: Area = {
  pages: [
    {
      path: "/sites",
      component: () => import("@/areas/sites/Sites.vue"),
      ability: "sites.read",
      nav: { icon: "sites", label: "nav.sites", shown: () => severalSites.value || !sites.loaded },
    },
  ],
};
