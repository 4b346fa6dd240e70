/** Devices and what they tell: values, meters, wires. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/points",
      component: () => import("@/areas/machines/Points.vue"),
      ability: "points.read",
      nav: { icon: "points", label: "nav.points" },
    },
    {
      path: "/meters",
      component: () => import("@/areas/machines/Meters.vue"),
      ability: "meters.read",
      nav: { icon: "meter", label: "nav.meters" },
    },
    {
      path: "/devices",
      component: () => import("@/areas/machines/Devices.vue"),
      ability: "devices.read",
      nav: { icon: "devices", label: "nav.devices" },
    },
  ],
  peeks: [
    {
      kind: "device",
      component: () => import("@/areas/machines/DevicePeek.vue"),
      ability: "devices.read",
      icon: "devices",
      label: "peek.device",
    },
    {
      kind: "point",
      component: () => import("@/areas/machines/PointPeek.vue"),
      ability: "points.read",
      icon: "points",
      label: "peek.point",
    },
    {
      kind: "meter",
      component: () => import("@/areas/machines/MeterPeek.vue"),
      ability: "meters.read",
      icon: "meter",
      label: "peek.meter",
    },
  ],
};
