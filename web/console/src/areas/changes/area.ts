/** Who changed what. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/changes",
      component: () => import("@/areas/changes/Changes.vue"),
      ability: "changes.read",
      nav: { icon: "list", label: "nav.changes" },
    },
  ],
};
