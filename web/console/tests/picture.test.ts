import { afterEach, beforeEach, expect, it, vi } from "vitest";

import EventPicture from "@/areas/guard/EventPicture.vue";
import { mount, settled } from "./mounting";

let leave = (): void => undefined;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  leave();
  vi.useRealTimers();
});

const picture = (): HTMLImageElement => document.querySelector("img")!;

it("asks again for a picture that is not there yet, at the one address that a server knows", async () => {
  leave = mount(EventPicture, { id: "ab12", alt: "入口" });
  const first = picture();
  first.dispatchEvent(new Event("error"));
  vi.advanceTimersByTime(60_000);
  await settled();
  // A new element: the browser asks anew.
  expect(picture()).not.toBe(first);
  expect(picture().getAttribute("src")).toBe("/api/pictures/ab12");
  picture().dispatchEvent(new Event("load"));
  await settled();
  expect(picture().alt).toBe("入口");
});
