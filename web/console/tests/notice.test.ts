/** What is said when a file cannot be fetched must not need one. */

import { afterEach, expect, it, vi } from "vitest";

import { notice } from "@/kit/notice";

vi.mock("@/kit/notice-shown", () => {
  throw new Error("no wire");
});

afterEach(() => vi.useRealTimers());

it("says its words plainly where the library does not come, for a while", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  notice("error", "无法连接");
  await vi.waitFor(() => expect(document.querySelector("[role=alert]")?.textContent).toBe("无法连接"));
  vi.advanceTimersByTime(6000);
  expect(document.querySelector("[role=alert]")).toBeNull();
});
