/** A part that does not come: the person is told, and may ask again. */

import { afterEach, expect, it, vi } from "vitest";

import SearchButton from "@/shell/SearchButton.vue";
import { T } from "@/testids";
import { at, mount, settled } from "./mounting";

vi.mock("@/shell/SearchDialog.vue", () => {
  throw new Error("no way to it");
});
const told = vi.hoisted(() => vi.fn());
vi.mock("@/kit/notice", () => ({ notice: told }));

let leave = (): void => undefined;
afterEach(() => {
  leave();
  vi.restoreAllMocks();
});

function press(key: string): boolean {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
  return !event.defaultPrevented;
}

it("a search that cannot be loaded says so, and leaves the page its keys", async () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  leave = mount(SearchButton);
  for (const time of [1, 2]) {
    at(T.searchOpen).click();
    expect(press("1")).toBe(false); // gathered for the box
    await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(time));
    expect(told).toHaveBeenLastCalledWith("error", expect.stringContaining("没有加载成功"));
    await settled();
    expect(press("1")).toBe(true);
  }
});
