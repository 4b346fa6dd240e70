/** Filters and what lies over a page stand in its address. */

import { afterEach, beforeEach, expect, it } from "vitest";
import { createApp, defineComponent, type WritableComputedRef } from "vue";
import { createRouter, createWebHistory, type Router } from "vue-router";

import { flag, oneOf, someOf, text, useOverlay, useQuery, type Overlay } from "@/kit/query";

let router: Router;
let filter: WritableComputedRef<"all" | "bad">;
let typed: WritableComputedRef<string>;
let only: WritableComputedRef<boolean>;
let peek: Overlay;
let leave = (): void => undefined;

const Page = defineComponent(() => {
  filter = useQuery("filter", oneOf(["all", "bad"], "all"));
  typed = useQuery("q", text, { afterMs: 20 });
  only = useQuery("only", flag);
  peek = useOverlay("peek");
  return () => null;
});

const later = (ms = 40): Promise<void> => new Promise((done) => setTimeout(done, ms));
const address = (): string => router.currentRoute.value.fullPath;

beforeEach(async () => {
  history.replaceState(null, "", "/list");
  router = createRouter({ history: createWebHistory(), routes: [{ path: "/:rest(.*)*", component: Page }] });
  const app = createApp(Page).use(router);
  await router.push("/list");
  app.mount(document.createElement("div"));
  leave = () => app.unmount();
});
afterEach(() => leave());

it("writes several changes as one replacement, and nothing that is usual", async () => {
  let navigations = 0;
  router.afterEach(() => void (navigations += 1));
  const steps = history.length;
  filter.value = "bad";
  only.value = true;
  expect(filter.value).toBe("bad");
  await later(5);
  expect(address()).toBe("/list?filter=bad&only=1");
  expect([navigations, history.length]).toEqual([1, steps]);
  filter.value = "all";
  only.value = false;
  await later(5);
  expect(address()).toBe("/list");
});

it("reads what is there, and takes a word that it does not know for the usual one", async () => {
  await router.push("/list?filter=bad&q=gate&q=twice&only=x");
  expect([filter.value, typed.value, only.value]).toEqual(["bad", "gate", false]);
  await router.push("/list?filter=worse");
  expect(filter.value).toBe("all");
});

it("holds what is typed at once, and writes it when the hand rests", async () => {
  typed.value = "泵";
  expect([typed.value, address()]).toEqual(["泵", "/list"]);
  await later();
  expect(router.currentRoute.value.query.q).toBe("泵");
});

it("leaves a page's filters behind with the page", async () => {
  typed.value = "x";
  await router.push("/other");
  await later();
  expect(address()).toBe("/other");
  expect(typed.value).toBe("");
});

it("lays a peek over the page as a step that Back undoes; another takes its place", async () => {
  const steps = history.length;
  await peek.open("alarm:1");
  await peek.open("alarm:2");
  expect([address(), history.length]).toEqual(["/list?peek=alarm:2", steps + 1]);
  router.back();
  await later();
  expect([address(), peek.value.value]).toEqual(["/list", null]);
});

it("closes by going back, and keeps what was filtered meanwhile", async () => {
  await peek.open("alarm:1");
  filter.value = "bad";
  await later(5);
  await peek.close();
  expect(address()).toBe("/list?filter=bad");
});

it("closes in place what was opened by its address", async () => {
  await router.replace("/list?filter=bad&peek=alarm:1");
  await peek.close();
  expect(address()).toBe("/list?filter=bad");
});

it("takes several words where several are meant, and the usual one where none is known", () => {
  const states = someOf(["open", "active", "shelved", "closed"], "open");
  expect(states.read("shelved,active")).toEqual(["active", "shelved"]);
  expect([states.read(null), states.read("x,y")]).toEqual([["open"], ["open"]]);
  expect([states.write(["open"]), states.write(["active", "shelved"])]).toEqual([null, "active,shelved"]);
});
