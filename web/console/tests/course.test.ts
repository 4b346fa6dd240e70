import { afterEach, describe, expect, it, vi } from "vitest";

import AccountPeek from "@/areas/accounts/AccountPeek.vue";
import PlacePeek from "@/areas/guard/PlacePeek.vue";
import VehiclePeek from "@/areas/history/VehiclePeek.vue";
import MeterPeek from "@/areas/machines/MeterPeek.vue";
import { KINDS, routeOf, thingOf, wordOf } from "@/shell/addresses";
import { allPeeks } from "@/shell/peeking";
import Course from "@/shell/marks/Course.vue";
import { layouts, sites } from "@/shell/stores/site";
import { T } from "@/testids";

import { access, other } from "./items";
import { at, mount, server, settled } from "./mounting";

let leave = (): void => undefined;

afterEach(() => {
  leave();
  layouts.clear();
  sites.loaded = false;
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
  ])("shows a %s", async (_, component, testid, id) => {
    const name = { zh: "东门", en: "East gate" };
    layouts.set("demo", { lanes: [{ id: "gate-in", name }], doors: [], devices: [], meters: [], zones: [] } as never);
    sites.loaded = true;
    const meter = { site: "demo", id: "m-1", register: "total", meter_no: "LY1", value: 5, unit: "kWh", at: "2026-03-09T00:00:00Z", days: [] };
    const account = { id: "a-1", username: "wang", name: "王", role: "guard", sites: ["demo"], active: true, signed_in_at: null };
    server(({ path }) => {
      const of = path.includes("/meters") ? [meter] : path.includes("/accounts") ? [account] : [];
      return { status: 200, body: { items: of, next: null } };
    });
    leave = mount(component, { id, site: "demo" });
    await vi.waitFor(() => at(testid));
  });
});
