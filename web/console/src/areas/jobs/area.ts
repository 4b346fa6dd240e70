/** Work that the hub does by itself, later: for administrators. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/jobs",
      component: () => import("@/areas/jobs/Jobs.vue"),
      ability: "jobs.run",
      nav: { icon: "clock", label: "nav.jobs" },
    },
  ],
};
