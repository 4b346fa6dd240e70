import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defineComponent, h } from "vue";

import { overlaid } from "@/kit/keys";
import DropMenu from "@/kit/menu/DropMenu.vue";
import MenuItem from "@/kit/menu/MenuItem.vue";
import { at, mount, settled } from "./mounting";

const picked = vi.fn();
let leave = (): void => undefined;

const Page = defineComponent(() => () =>
  h(DropMenu, { onPick: picked }, {
    button: ({ trigger }: { trigger: Record<string, unknown> }) => h("button", { type: "button", "data-testid": "button", ...trigger }),
    items: () => [
      h(MenuItem, { disabled: true, "data-testid": "who" }, () => "who"),
      ...["a", "b", "c"].map((value) => h(MenuItem, { value, "data-testid": value }, () => value)),
      ...["d", "e"].map((value) => h(MenuItem, { value, checked: value === "d", "data-testid": value }, () => value)),
    ],
  }),
);

beforeEach(() => {
  vi.stubGlobal("checkVisibility", () => true);
  picked.mockReset();
  leave = mount(Page);
});
afterEach(() => leave());

const menu = (): HTMLElement | null => document.querySelector("[role=menu]");
const on = (): string | undefined => (document.activeElement as HTMLElement | null)?.dataset.testid;
async function press(key: string): Promise<KeyboardEvent> {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  document.activeElement?.dispatchEvent(event);
  await settled();
  return event;
}
async function click(testid: string): Promise<void> {
  at(testid).click();
  await settled();
}

it("opens by its button, on the first line that can be chosen, and lies over the page", async () => {
  expect(menu()).toBeNull();
  await click("button");
  expect(at("button").getAttribute("aria-expanded")).toBe("true");
  expect(at("button").getAttribute("aria-controls")).toBe(menu()?.id);
  expect(on()).toBe("a");
  menu()!.checkVisibility = () => true;
  expect(overlaid()).toBe(true);
});

it("is walked round with the arrows, and chosen from with Enter", async () => {
  at("button").focus();
  await press("ArrowDown");
  await press("ArrowUp");
  expect(on()).toBe("e");
  await press("ArrowDown");
  await press("ArrowDown");
  expect(on()).toBe("b");
  await press("Enter");
  expect(picked.mock.calls).toEqual([["b"]]);
  expect(menu()).toBeNull();
  expect(on()).toBe("button");
});

it("is left by Escape, which nobody else hears, and gives the focus back", async () => {
  await click("button");
  const heard = vi.fn();
  addEventListener("keydown", heard);
  const event = await press("Escape");
  removeEventListener("keydown", heard);
  expect(menu()).toBeNull();
  expect(on()).toBe("button");
  expect(event.defaultPrevented).toBe(true);
  expect(heard).not.toHaveBeenCalled();
});

it("goes when somebody touches the page beside it", async () => {
  await click("button");
  document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
  await settled();
  expect(menu()).toBeNull();
  expect(picked).not.toHaveBeenCalled();
});

it("says which of several holds, and is walked over those too", async () => {
  await click("button");
  expect([at("d").getAttribute("role"), at("d").getAttribute("aria-checked")]).toEqual(["menuitemradio", "true"]);
  expect([at("e").getAttribute("aria-checked"), at("a").getAttribute("role"), at("a").getAttribute("aria-checked")]).toEqual(["false", "menuitem", null]);
  await press("End");
  expect(on()).toBe("e");
});

it.each([
  ["downwards in the upper half", 100, { top: "100px", bottom: "" }],
  ["upwards in the lower half", 700, { top: "", bottom: "28px" }],
])("opens beside its button %s", async (_, top, wanted) => {
  leave();
  vi.stubGlobal("innerHeight", 768);
  leave = mount(defineComponent(() => () =>
    h(DropMenu, { placement: "beside" }, {
      button: ({ trigger }: { trigger: Record<string, unknown> }) => h("button", { type: "button", "data-testid": "button", ...trigger }),
      items: () => h(MenuItem, { value: "a", "data-testid": "a" }, () => "a"),
    }),
  ));
  at("button").getBoundingClientRect = () => ({ left: 0, right: 76, top, bottom: top + 40 }) as DOMRect;
  await click("button");
  expect({ top: menu()?.style.top, bottom: menu()?.style.bottom }).toEqual(wanted);
});

it("offers nothing where there is nothing to choose", async () => {
  await click("button");
  await click("who");
  expect(picked).not.toHaveBeenCalled();
  expect(menu()).not.toBeNull();
});
