/** The head of every page, before all of it has come. */

import { afterEach, expect, it, vi } from "vitest";

import { preferences } from "@/kit/preferences";
import AppHeader from "@/shell/AppHeader.vue";
import { layouts, sites } from "@/shell/stores/site";
import { mount, settled } from "./mounting";

vi.mock("@/shell/SiteChoice.vue", () => new Promise(() => undefined));

let leave = (): void => undefined;
afterEach(() => {
  leave();
  sites.items = [];
  layouts.clear();
  preferences.site = null;
});

it("says which site is shown before one can choose another", async () => {
  sites.items = [{ id: "demo", name: { zh: "云杉苑", en: "Spruce" } }, { id: "annex", name: { zh: "南园", en: "South" } }];
  leave = mount(AppHeader);
  await settled();
  const said = (): string | undefined => document.querySelector("header > .site-name")?.textContent ?? undefined;
  expect(said()).toBe("全部项目");
  preferences.site = "annex";
  await settled();
  expect(said()).toBe("南园");
});
