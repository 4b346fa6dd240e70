/** The pages, and who may open them. */

import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteRecordRaw } from "vue-router";

import type { Ability } from "@/api/types";
import { AREAS } from "@/areas";
import { i18n } from "@/kit/i18n";
import { notice } from "@/kit/notice";
import { routeOf as pathOf } from "@/shell/addresses";
import type { AreaPage, AreaPeek } from "@/shell/area";
import { letOldGo, outdated, reachable } from "@/shell/offline";
import { allPeeks } from "@/shell/peeking";
import { keepScroll } from "@/shell/scrolling";
import { homeOf, session, sessionKnown } from "@/shell/stores/session";
import { siteInAddress } from "@/shell/stores/site";

declare module "vue-router" {
  interface RouteMeta {
    ability?: Ability;
    open?: boolean;
  }
}

/** A page of an area, as the router knows it. */
function routeOf({ path, component, props = false, ability }: AreaPage): RouteRecordRaw {
  return { path, component, props, meta: ability ? { ability } : {} };
}

/** A thing as a page of its own. */
function pageOf({ kind, ability }: AreaPeek): RouteRecordRaw {
  const component = () => import("@/shell/PeekPage.vue");
  return { path: pathOf(kind), component, props: ({ params }) => ({ kind, id: params.id }), meta: ability ? { ability } : {} };
}

const routes: RouteRecordRaw[] = [
  { path: "/sign-in", component: () => import("@/shell/SignIn.vue"), meta: { open: true } },
  ...AREAS.flatMap((area) => area.pages.map(routeOf)),
  ...allPeeks().filter((peek) => !peek.paged).map(pageOf),
  { path: "/", component: () => import("@/shell/NotFound.vue") },
  { path: "/:rest(.*)*", component: () => import("@/shell/NotFound.vue") },
];

export const router = createRouter({ history: createWebHistory(), routes });
keepScroll(router);

/** Begins to fetch a page before it is known whether it may be opened: that answer is under way meanwhile. */
function fetchAhead(to: RouteLocationNormalized): void {
  const page: unknown = to.matched[0]?.components?.default;
  if (typeof page === "function") void (page as () => Promise<unknown>)().catch(() => undefined);
}

router.beforeEach(async (to) => {
  if (!session.known) fetchAhead(to);
  await sessionKnown;
  if (to.meta.open) return session.user ? homeOf(session.user, session.can) : true;
  if (session.user === null) return { path: "/sign-in", query: to.path === "/" ? {} : { next: to.fullPath } };
  if (to.path === "/") return homeOf(session.user, session.can);
  return true;
});

const RELOADED = "gatehouse.reloaded";

router.afterEach((to, _, failure) => {
  siteInAddress.value = typeof to.query.site === "string" ? to.query.site : null;
  if (!failure) sessionStorage.removeItem(RELOADED);
});

// A newer release is held: whoever goes to another page gets that one, and what was typed stays.
router.beforeEach((to, from) => {
  if (!outdated.value || from.matched.length === 0 || to.path === from.path) return true;
  void letOldGo().then(() => location.assign(to.fullPath));
  return false;
});

// A page of the last release is gone after an upgrade: fetch the new console, once. Without a signal that would end in the
// browser's own page, with all that was typed: the app stays where it is, and says so.
router.onError(async (error, to) => {
  if (!/import|fetch|load/i.test(String(error))) return;
  if (sessionStorage.getItem(RELOADED) !== to.fullPath && (await reachable())) {
    sessionStorage.setItem(RELOADED, to.fullPath);
    location.assign(to.fullPath);
  } else notice("warning", i18n.global.t("offline.page"));
});
