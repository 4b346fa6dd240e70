import { afterEach, describe, expect, it, vi } from "vitest";

import AccountPeek from "@/areas/accounts/AccountPeek.vue";
import PlacePeek from "@/areas/guard/PlacePeek.vue";
import VehiclePeek from "@/areas/history/VehiclePeek.vue";
import MeterPeek from "@/areas/machines/MeterPeek.vue";
import { KINDS, routeOf, thingOf, wordOf } from "@/shell/addresses";
import { allPeeks } from "@/shell/peeking";
import Course from "@/shell/marks/Course.vue";
import { live } from "@/shell/stores/live";
import { layouts, siteInAddress, sites } from "@/shell/stores/site";
import { T } from "@/testids";

import { access, alarm, lane, other } from "./items";
import { at, mount, server, settled } from "./mounting";

let leave = (): void => undefined;

afterEach(() => {
  leave();
  layouts.clear();
  sites.loaded = false;
  sites.items = [];
  vi.unstubAllGlobals();
});

const lines = (): string[] =>
  [...document.querySelectorAll(`[data-testid="${T.timelineEntry}"]`)].map((line) => line.textContent ?? "");

describe("what was recorded of a thing", () => {
  it("is asked of the server by its source, a page at a time", async () => {
    const by = { id: "a", name: "王保安", role: "guard" };
    const opened = other(7, "command.done", { command: "c", kind: "barrier.open", target: "gate-in", by, reason: "装修车辆" });
    const asked = server(({ path }) => {
      const first = !path.includes("before=");
      return { status: 200, body: first ? { items: [opened], next: 7 } : { items: [access(3)], next: null } };
    });
    leave = mount(Course, { site: "demo", source: "gate-in" });
    await settled();
    expect(lines()[0]).toContain("王保安");
    expect(lines()[0]).toContain("装修车辆");
    at(T.course).querySelector<HTMLElement>("button")?.click();
    await settled();
    expect(lines().length).toBe(2);
    expect(asked.map(({ path }) => new URL(path, "http://x").searchParams.get("source"))).toEqual(["gate-in", "gate-in"]);
  });

  it.each([
    ["holder", { holder: "h-1" }],
    ["plate", { plate: "沪A12345" }],
  ])("of somebody is who came where, by %s", async (name, props) => {
    const item = { event: access(3), outcome: "granted", traveller: "person", passed_at: null, picture: null };
    const asked = server(() => ({ status: 200, body: { items: [item], next: null } }));
    leave = mount(Course, { site: "demo", ...props });
    await settled();
    expect(lines()[0]).toContain("放行");
    const url = new URL(asked[0]?.path ?? "", "http://x");
    expect([url.pathname, url.searchParams.get(name)]).toEqual(["/api/entries", Object.values(props)[0]]);
  });

  it("is said to be missing where the server says so, and to be nothing where there is none", async () => {
    server(() => ({ status: 403, body: { error: { code: "role", message: "", fields: {} } } }));
    leave = mount(Course, { site: "demo", source: "x" });
    await settled();
    expect(at(T.course).textContent).toContain("您的岗位不能查看此内容");
    leave();
    server(() => ({ status: 200, body: { items: [], next: null } }));
    leave = mount(Course, { site: "demo", source: "x" });
    await settled();
    expect(at(T.course).textContent).toContain("还没有记录");
  });
});

describe("a door or a lane", () => {
  const shows = async (id: string): Promise<string[]> => {
    const name = { zh: "东门", en: "East gate" };
    layouts.set("demo", { lanes: [{ id: "gate-in", name }], doors: [{ id: "lobby", name }], devices: [], zones: [] } as never);
    sites.loaded = true;
    server(() => ({ status: 200, body: { items: [], next: null } }));
    leave = mount(PlacePeek, { id, site: "demo" });
    await settled();
    return [...at(T.placePeek).querySelectorAll("dd")].map((line) => line.textContent?.trim() ?? "");
  };
  afterEach(() => {
    live.lanes.clear();
    live.doors.clear();
    live.alarms.clear();
    siteInAddress.value = null;
  });

  it("says that a barrier gives no feedback, and that a car is there that was not read", async () => {
    live.lanes.set("demo/gate-in", { ...lane("gate-in", "unknown"), monitored: false, car: { plate: null } as never });
    expect(await shows("gate-in")).toEqual(["无位置反馈", "未识别"]);
  });

  it("knows of no car until its gateway has said so", async () => {
    expect(await shows("gate-in")).toEqual(["状态未知", "未知"]);
  });

  it("says how a door stands", async () => {
    live.doors.set("demo/lobby", { id: "lobby", site: "demo", contact: "open", lock: "released", mode: "unlocked" } as never);
    expect(await shows("lobby")).toEqual(["门开 · 已开锁 · 常开"]);
    leave();
    live.doors.clear();
    expect(await shows("lobby")).toEqual(["门磁未知 · 锁状态未知"]);
  });

  it("leads to its alarm and leaves the address's site as it is", async () => {
    live.alarms.set("a-1", alarm("a-1", { source: "lobby" }));
    siteInAddress.value = "demo";
    await shows("lobby");
    const leads = (): unknown[] => [...at(T.placePeek).querySelectorAll("dd a")].map((link) => link.getAttribute("href"));
    expect(leads()).toEqual(["/alarms/a-1?site=demo"]);
    siteInAddress.value = null;
    await settled();
    expect(leads()).toEqual(["/alarms/a-1"]);
  });
});

describe("a thing with an address", () => {
  it("has a peek of its kind, and a page", () => {
    expect(allPeeks().map(({ kind }) => kind).sort()).toEqual([...KINDS].sort());
    for (const kind of ["meter", "place", "vehicle", "account"] as const) {
      expect(routeOf(kind)).toMatch(/^\/\w+\/:id$/);
      const thing = { kind, id: "沪A/1", site: "demo" };
      expect(thingOf(wordOf(thing))).toEqual(thing);
    }
  });

  it.each([
    ["meter", MeterPeek, T.meterPeek, "m-1"],
    ["vehicle", VehiclePeek, T.vehiclePeek, "沪A12345"],
    ["account", AccountPeek, T.accountPeek, "a-1"],
    ["place", PlacePeek, T.placePeek, "gate-in"],
  ])("shows a %s", async (kind, component, testid, id) => {
    const name = { zh: "东门", en: "East gate" };
    layouts.set("demo", { lanes: [{ id: "gate-in", name }], doors: [], devices: [], meters: [], zones: [] } as never);
    sites.loaded = true;
    const meter = { site: "demo", id: "m-1", register: "total", meter_no: "LY1", value: 5, unit: "kWh", at: "2026-03-09T00:00:00Z", days: [] };
    const account = { id: "a-1", username: "wang", name: "王", role: "guard", sites: ["demo"], active: true, signed_in_at: null };
    server(({ path }) => {
      const of = path.includes("/meters") ? [meter] : path.includes("/accounts") ? [account] : [];
      return { status: 200, body: { items: of, next: null } };
    });
    sites.items = [{ id: "demo", name }, { id: "annex", name }];
    leave = mount(component, { id, site: "demo" });
    await vi.waitFor(() => at(testid));
    // Its name stands where the page's headings leave it, and says of which site it is where there is a doubt.
    expect([...at(testid).querySelectorAll("h1, h2, h3, h4")].map(({ tagName }) => tagName)).toEqual(kind === "account" ? ["H1"] : ["H1", "H2"]);
    if (kind !== "account") expect(at(testid).querySelector(".site-name")?.textContent).toBe("东门");
  });
});
