import { afterEach, expect, it, vi } from "vitest";

import Sites from "@/areas/sites/Sites.vue";
import { mount, settled } from "./mounting";

let leave = (): void => undefined;

afterEach(() => {
  leave();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("asks a slow server once, and again when it has answered", async () => {
  vi.useFakeTimers();
  const waiting: (() => void)[] = [];
  vi.stubGlobal(
    "fetch",
    () => new Promise((answer) => waiting.push(() => answer(new Response('{"items": [], "next": null}')))),
  );
  leave = mount(Sites);
  vi.advanceTimersByTime(60_000);
  expect(waiting).toHaveLength(1);
  waiting[0]!();
  await vi.advanceTimersByTimeAsync(10_000);
  await settled();
  expect(waiting).toHaveLength(2);
});
