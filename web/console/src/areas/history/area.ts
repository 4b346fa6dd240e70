/** Who came where, of all time: what a guard's feed holds is the last of it. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/history",
      component: () => import("@/areas/history/History.vue"),
      ability: "watch",
      nav: { icon: "list", label: "nav.history" },
    },
  ],
  peeks: [
    {
      kind: "vehicle",
      component: () => import("@/areas/history/VehiclePeek.vue"),
      ability: "watch",
      icon: "car",
      label: "peek.vehicle",
    },
  ],
};
