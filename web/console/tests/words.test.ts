import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Layout, PointState } from "@/api/types";
import PointDetail from "@/areas/machines/PointDetail.vue";
import { pointName, worded } from "@/kit/i18n";
import { chooseLanguage, preferences } from "@/kit/preferences";
import { session } from "@/shell/stores/session";
import { layouts, loadSites, pointOf, sites } from "@/shell/stores/site";
import { mount, server, settled } from "./mounting";

const DOOR = {
  id: "lift-1.door",
  device: "lift-1",
  name: { zh: "轿门", en: "StandingCar door" },
  type: "label",
  unit: "",
  labels: { closed: { zh: "关门到位", en: "closed" }, half_open: { zh: "半开", en: "half open" } },
} as const;
const LAYOUT: Layout = {
  site: "demo",
  gateway: "demo-gw",
  name: { zh: "云杉苑", en: "Spruce Court" },
  timezone: "Asia/Shanghai",
  doors: [],
  lanes: [],
  devices: [],
  points: [DOOR],
  zones: [],
  meters: [],
} as unknown as Layout;

beforeEach(() => chooseLanguage("zh"));
afterEach(() => {
  layouts.clear();
  sites.items = [];
  session.about = null;
});

describe("what a label is called", () => {
  it("comes from its point, in the person's language", () => {
    expect(worded("closed", DOOR)).toBe("关门到位");
    chooseLanguage("en");
    expect(worded("closed", DOOR)).toBe("closed");
    expect(worded("half_open", DOOR)).toBe("half open");
  });

  it.each([
    ["lobby-a.lock", "released", "已开锁"],
    ["lobby-a.mode", "locked", "常闭（封锁）"],
    ["gate-in.barrier", "up", "已抬杆"],
  ])("%s, which no profile describes: %s is %s", (id, value, said) => {
    expect(worded(value, { id })).toBe(said);
  });

  it("is readable even where nobody named it", () => {
    expect(worded("motor_protection", { id: "pump-9.alarm_code", labels: {} })).toBe("motor protection");
    expect(worded("closed")).toBe("closed");
  });
});

describe("what a point is called", () => {
  it("comes from its profile, or from the console for doors and lanes", () => {
    expect(pointName(DOOR)).toBe("轿门");
    expect(pointName({ id: "gate-in.loop_under" })).toBe("闸下地感");
    expect(pointName(undefined)).toBe("");
  });

  it("is found in its own site's layout only", () => {
    layouts.set("demo", LAYOUT);
    expect(pointOf("demo", "lift-1.door")).toBe(DOOR);
    expect(pointOf("elsewhere", "lift-1.door")).toBeUndefined();
    expect(pointOf("demo", "lift-1.nothing")).toBeUndefined();
  });
});

it("the drawer of a point says its value and its past in words", async () => {
  preferences.language = "zh";
  const at = "2026-03-09T00:00:00.000Z";
  server(({ path }) => {
    const read = { at, value: "half_open", quality: "good" };
    return { status: 200, body: { items: path.startsWith("/api/readings") ? [read] : [], next: null } };
  });
  const point: PointState = { id: DOOR.id, site: "demo", value: "closed", quality: "good", at, unit: "" };
  const leave = mount(PointDetail, { point: { ...point, ...DOOR, key: `demo/${DOOR.id}` } });
  await settled();
  expect(document.body.textContent).toContain("轿门");
  expect(document.body.textContent).toContain("关门到位");
  expect(document.body.textContent).toContain("半开");
  leave();
});

it("a gateway's console calls its site by its name, not by its id", async () => {
  session.about = { server: "gateway", site: "demo" } as typeof session.about;
  server(({ path }) =>
    path.startsWith("/api/sites")
      ? { status: 200, body: { items: [{ id: "demo", name: LAYOUT.name }], next: null } }
      : { status: 200, body: LAYOUT },
  );
  await loadSites();
  expect(sites.items).toEqual([{ id: "demo", name: { zh: "云杉苑", en: "Spruce Court" } }]);
});
