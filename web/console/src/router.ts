/** The pages, and who may open them. */

import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";

import { homeOf, type Ability } from "@/domain/roles";
import { able, session, sessionKnown } from "@/stores/session";

declare module "vue-router" {
  interface RouteMeta {
    ability?: Ability;
    open?: boolean;
  }
}

const routes: RouteRecordRaw[] = [
  { path: "/sign-in", component: () => import("@/pages/SignIn.vue"), meta: { open: true } },
  { path: "/guard", component: () => import("@/pages/Guard.vue"), meta: { ability: "watch" } },
  { path: "/alarms", component: () => import("@/pages/Alarms.vue"), meta: { ability: "alarms.ack" } },
  { path: "/tickets", component: () => import("@/pages/Tickets.vue"), meta: { ability: "tickets.read" } },
  {
    path: "/tickets/:id",
    component: () => import("@/pages/TicketDetail.vue"),
    props: true,
    meta: { ability: "tickets.read" },
  },
  { path: "/points", component: () => import("@/pages/Points.vue"), meta: { ability: "points.read" } },
  { path: "/meters", component: () => import("@/pages/Meters.vue"), meta: { ability: "meters.read" } },
  { path: "/devices", component: () => import("@/pages/Devices.vue"), meta: { ability: "devices.read" } },
  { path: "/people", component: () => import("@/pages/People.vue"), meta: { ability: "people.read" } },
  { path: "/sites", component: () => import("@/pages/Sites.vue"), meta: { ability: "sites.read" } },
  { path: "/accounts", component: () => import("@/pages/Accounts.vue"), meta: { ability: "accounts.write" } },
  {
    path: "/site-accounts",
    component: () => import("@/pages/SiteAccounts.vue"),
    meta: { ability: "accounts.lock" },
  },
  { path: "/me", component: () => import("@/pages/Me.vue") },
  { path: "/changes", component: () => import("@/pages/Changes.vue"), meta: { ability: "changes.read" } },
  { path: "/", component: () => import("@/pages/NotFound.vue") },
  { path: "/:rest(.*)*", component: () => import("@/pages/NotFound.vue") },
];

export const router = createRouter({ history: createWebHistory(), routes });

router.beforeEach(async (to) => {
  await sessionKnown;
  if (to.meta.open) return session.user ? homeOf(session.user, session.about) : true;
  if (session.user === null) return { path: "/sign-in", query: to.path === "/" ? {} : { next: to.fullPath } };
  if (to.path === "/") return homeOf(session.user, session.about);
  if (to.meta.ability && !able(to.meta.ability)) return homeOf(session.user, session.about);
  return true;
});

// A page of the last release is gone after an upgrade: fetch the new console once instead of failing.
router.onError((error, to) => {
  if (!/import|fetch|load/i.test(String(error))) return;
  const key = "gatehouse.reloaded";
  if (sessionStorage.getItem(key) === to.fullPath) return;
  sessionStorage.setItem(key, to.fullPath);
  location.assign(to.fullPath);
});
