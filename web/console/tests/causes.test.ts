import { describe, expect, it } from "vitest";

import type { Alarm, AlarmState, Layout, Severity } from "@/api/types";
import { matches, sourcesOf, type Wanted } from "@/areas/alarms/filtering";
import { compareSeverity } from "@/kit/marks/severity";
import { allOf, causesOf, floodOf, severityOf } from "@/live/causes";

import { alarm } from "./items";

const BEGAN = Date.parse("2026-03-09T05:00:00.000Z");
const at = (second: number): string => new Date(BEGAN + second * 1000).toISOString();

const devices = [...Array(24).keys()].map((n) => ({
  id: `d-${n}`,
  name: { zh: `设备${n}`, en: `Device ${n}` },
  kind: n % 2 ? "pump" : "reader",
  profile: "x",
  bus: n < 12 ? "bus-a" : "bus-b",
  place: n < 12 ? { zh: "泵房", en: "Pump room" } : null,
}));
const layout = { gateway: "demo-gw", devices, doors: [], lanes: [] } as unknown as Layout;
const WIRINGS = new Map([["demo", layout]]);

const lost = (source: string, second: number, more: Partial<Alarm> = {}): Alarm =>
  alarm(`lost ${source}`, { rule: "device.lost", source, asset: source, raised_at: at(second), ...more });
const fault = (n: number, second: number, more: Partial<Alarm> = {}): Alarm =>
  alarm(`fault ${n}`, { rule: `rule-${n}@d-${n}`, source: `d-${n}`, asset: `d-${n}`, raised_at: at(second), ...more });

/** head: followers, in the order of the list. */
const told = (alarms: Alarm[]): string[] =>
  causesOf(alarms, WIRINGS).map(({ kind, head, followers }) => `${kind} ${head.id}: ${followers.length}`);

describe("alarms by their causes", () => {
  it("puts what a lost bus takes along under it, also what was noticed a little earlier", () => {
    expect(told([lost("bus-a", 10), lost("d-1", 0), lost("d-2", 40), fault(13, 20)])).toEqual([
      "bus lost bus-a: 2",
      "single fault 13: 0",
    ]);
  });

  it("keeps apart what came long before or after, elsewhere, or once the bus is back", () => {
    expect(told([lost("bus-a", 300), lost("d-1", 0), lost("d-2", 3600)]).length).toBe(3);
    expect(told([lost("bus-a", 0), { ...lost("d-1", 5), site: "north" }]).length).toBe(2);
    expect(told([lost("bus-a", 0, { cleared_at: at(9) }), lost("d-1", 5)]).length).toBe(2);
  });

  it("puts the faults of one device under its loss, and all of it under the power", () => {
    expect(told([lost("d-3", 0), fault(3, 10)])).toEqual(["device lost d-3: 1"]);
    const power = alarm("power", { rule: "phase-lost", source: "meter-main", asset: "meter-main", raised_at: at(0) });
    expect(told([power, lost("d-3", 20), lost("d-4", 25), lost("bus-b", 30)])).toEqual(["power power: 3"]);
  });

  it("puts together many that are alike, and shows what nobody has seen first", () => {
    const alike = [1, 2, 3, 4].map((n) => fault(n, n, { rule: "offline", state: "acknowledged" }));
    expect(told([...alike, fault(20, 0, { severity: "minor" })])).toEqual(["single fault 20: 0", "same fault 4: 3"]);
  });

  it("loses no alarm and shows none twice, whatever comes: thirty faults are a handful of causes", () => {
    const flood = [
      ...[...Array(22).keys()].map((n) => lost(`d-${n}`, n)),
      lost("bus-a", 5),
      lost("bus-b", 6),
      ...[...Array(6).keys()].map((n) => alarm(`door ${n}`, { rule: "door.held", source: `door-${n}`, asset: "", raised_at: at(n) })),
    ];
    expect(flood.length).toBe(30);
    const causes = causesOf(flood, WIRINGS);
    expect(causes.length).toBe(3);
    expect(causes.flatMap(allOf).map(({ id }) => id).sort()).toEqual(flood.map(({ id }) => id).sort());
  });
});

describe("what follows from nothing", () => {
  const cut = alarm("cut", { rule: "phase-lost", source: "meter-main", asset: "meter-main", raised_at: at(0) });
  const critical = { severity: "critical" } as const;

  it.each<[string, Alarm]>([
    ["a trapped person", fault(3, 10, { rule: "lift.trapped", ...critical })],
    ["a critical thing that falls silent", lost("d-3", 10, critical)],
    ["the site's own gateway", alarm("gw", { rule: "gateway.lost", source: "demo-gw", asset: "", raised_at: at(10) })],
    ["a leak", fault(3, 10, { rule: "water.leak" })],
  ])("does not fold %s under a power cut", (_, other) => {
    expect(told([cut, other]).length).toBe(2);
  });

  it("folds nothing under what is milder", () => {
    const mild = { severity: "minor" } as const;
    expect(told([{ ...cut, ...mild }, lost("d-3", 10)])).toEqual(["single lost d-3: 0", "single cut: 0"]);
    expect(told([lost("bus-a", 0, mild), lost("d-3", 10), lost("d-4", 10, mild)])).toEqual([
      "single lost d-3: 0",
      "bus lost bus-a: 1",
    ]);
    expect(told([lost("d-3", 0, mild), fault(3, 5)]).length).toBe(2);
  });

  it("takes only the supply of all for the supply of all", () => {
    const meter = (id: string, zh: string) => ({ ...devices[0]!, id, kind: "electricity_meter", name: { zh, en: "" } });
    const of = (...meters: (typeof devices)[number][]) =>
      new Map([["demo", { ...layout, devices: [...devices, ...meters] } as unknown as Layout]]);
    const [main, sub] = [meter("m-1", "总电表"), meter("m-2", "地下室电表")];
    const from = (source: string): Alarm[] => [{ ...cut, source, asset: source }, lost("d-3", 10)];
    expect(causesOf(from("m-1"), of(main, sub)).length).toBe(1);
    expect(causesOf(from("m-2"), of(main, sub)).length).toBe(2);
    // Two that say so: neither is known to be above all.
    expect(causesOf(from("m-1"), of(main, { ...sub, name: { zh: "二号楼总表", en: "" } })).length).toBe(2);
  });

  it("folds no critical one under others like it", () => {
    const like = [1, 2, 3, 4].map((n) => fault(n, n, { rule: "co-high", ...critical }));
    expect(told(like).length).toBe(4);
  });

  it("holds for any alarms: each in one group, each critical one drawn, none worse than what it is folded under", () => {
    let seed = 20_260_309;
    const upTo = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
    const one = <T,>(of: readonly T[]): T => of[upTo(of.length)]!;
    const RULES = ["device.lost", "device.failing", "gateway.lost", "phase-lost", "power-off", "lift.trapped", "co-high"];
    const SOURCES = ["bus-a", "bus-b", "d-1", "d-2", "d-13", "meter-main", "demo-gw", "elsewhere"];
    const SEVERITIES: Severity[] = ["critical", "major", "minor", "warning"];
    const STATES: AlarmState[] = ["active", "cleared", "acknowledged", "shelved"];
    for (let round = 0; round < 300; round += 1) {
      const alarms = [...Array(upTo(40)).keys()].map((n) => {
        const raised = upTo(2400);
        return alarm(`a-${n}`, {
          site: one(["demo", "demo", "north"]),
          rule: one(RULES),
          source: one(SOURCES),
          asset: one(["", ...SOURCES]),
          severity: one(SEVERITIES),
          state: one(STATES),
          raised_at: at(raised),
          cleared_at: upTo(4) ? null : at(raised + 5),
        });
      });
      const causes = causesOf(alarms, WIRINGS);
      expect(causes.flatMap(allOf).map(({ id }) => id).sort()).toEqual(alarms.map(({ id }) => id).sort());
      for (const cause of causes) {
        expect(severityOf(cause)).toBe(cause.head.severity);
        for (const follower of cause.followers) {
          expect(follower.severity).not.toBe("critical");
          expect(follower.rule).not.toMatch(/^gateway\./);
          expect(compareSeverity(follower.severity, cause.head.severity)).toBeGreaterThanOrEqual(0);
          if (["gateway", "power", "bus"].includes(cause.kind)) expect(follower.rule).toMatch(/^device\.(lost|failing)$/);
        }
      }
    }
  });
});

it("is a flood when more than ten that nobody has seen came within ten minutes", () => {
  const now = BEGAN + 60_000;
  const some = (count: number, more: Partial<Alarm> = {}): Alarm[] =>
    [...Array(count).keys()].map((n) => fault(n, n, more));
  expect(floodOf(some(10), now)).toBe(0);
  expect(floodOf(some(11), now)).toBe(11);
  expect(floodOf(some(22, { state: "acknowledged" }), now)).toBe(0);
  expect(floodOf(some(22), now + 11 * 60_000)).toBe(0);
});

describe("which alarms are shown", () => {
  const all: Wanted = { severities: [], kind: "", place: "", site: "", words: "", unseen: false };
  it.each<[string, Partial<Wanted>, boolean]>([
    ["all", {}, true],
    ["of its severity", { severities: ["major", "minor"] }, true],
    ["of another", { severities: ["minor"] }, false],
    ["of its kind", { kind: "pump" }, true],
    ["of another kind", { kind: "reader" }, false],
    ["at its place", { place: "泵房" }, true],
    ["elsewhere", { place: "大堂" }, false],
    ["of another site", { site: "north" }, false],
    ["by its words", { words: "停机 设备1" }, true],
    ["by other words", { words: "停机 电梯" }, false],
    ["unseen", { unseen: true }, true],
  ])("%s", (_, wanted, shown) => {
    expect(matches(fault(1, 0), { ...all, ...wanted }, layout, "设备1 Device 1")).toBe(shown);
  });

  it("asks the server for the things of a kind, which it does not know", () => {
    expect(sourcesOf({ ...all, kind: "pump", place: "泵房" }, [layout])).toEqual(["d-1", "d-3", "d-5", "d-7", "d-9", "d-11"]);
    expect(sourcesOf(all, [layout])).toBeNull();
  });
});
