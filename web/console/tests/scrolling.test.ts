import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createRouter, createWebHistory, type Router } from "vue-router";

import { keepScroll } from "@/shell/scrolling";

/** One for all: each would hear of every Back. */
const router: Router = createRouter({
  history: createWebHistory(),
  routes: [{ path: "/:rest(.*)*", component: { render: () => null } }],
});
keepScroll(router);

/** jsdom lays nothing out: a page is as long as it is said to be. */
function page(): HTMLElement {
  document.body.innerHTML = `<main><div class="page"></div></main>`;
  return document.querySelector(".page") as HTMLElement;
}

function scrolled(element: HTMLElement, depth: number): void {
  element.scrollTop = depth;
  element.dispatchEvent(new Event("scroll"));
}

beforeEach(async () => {
  vi.useFakeTimers();
  page();
  await router.push("/");
  await router.push("/alarms");
});
afterEach(() => vi.useRealTimers());

async function back(): Promise<void> {
  const there = new Promise((resolve) => {
    const stop = router.afterEach(() => {
      stop();
      resolve(undefined);
    });
  });
  router.back();
  await vi.advanceTimersByTimeAsync(5);
  await there;
}

it("is at Back where it was, once the page is there, and not where another page was", async () => {
  scrolled(page(), 640);
  await router.push("/alarms/a-1");
  expect(page().scrollTop).toBe(0);
  await back();
  const list = page();
  await vi.advanceTimersByTimeAsync(200);
  expect(list.scrollTop).toBe(640);
});

it("is left alone by what lies over the page", async () => {
  const list = page();
  scrolled(list, 300);
  await router.push("/alarms?peek=alarm:a-1");
  scrolled(list, 420);
  await back();
  await vi.advanceTimersByTimeAsync(200);
  expect(list.scrollTop).toBe(420);
});

it("is given up for whoever moves the page themselves", async () => {
  scrolled(page(), 640);
  await router.push("/alarms/a-1");
  await back();
  const list = page();
  document.dispatchEvent(new Event("wheel"));
  await vi.advanceTimersByTimeAsync(500);
  expect(list.scrollTop).toBe(0);
});
