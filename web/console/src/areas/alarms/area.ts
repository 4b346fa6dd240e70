/** Alarms, and the dialogs about one of them: other pages show alarms too, and call those up. */

import type { Area } from "@/shell/area";
import { unseenAlarms } from "@/shell/stores/live";

export const area: Area = {
  pages: [
    {
      path: "/alarms",
      component: () => import("@/areas/alarms/Alarms.vue"),
      ability: "alarms.ack",
      nav: { icon: "alarm", label: "nav.alarms", badge: () => unseenAlarms.value.length },
    },
  ],
  over: [() => import("@/areas/alarms/AlarmDialogs.vue")],
  peeks: [{ kind: "alarm", component: () => import("@/areas/alarms/AlarmPeek.vue"), icon: "alarm", label: "peek.alarm" }],
};
