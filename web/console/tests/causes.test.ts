import { describe, expect, it } from "vitest";

import type { Alarm, Layout } from "@/api/types";
import { matches, sourcesOf, type Wanted } from "@/areas/alarms/filtering";
import { allOf, causesOf, floodOf } from "@/live/causes";

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
    expect(told([lost("bus-a", 10), fault(1, 0), fault(2, 40), fault(13, 20)])).toEqual([
      "bus lost bus-a: 2",
      "single fault 13: 0",
    ]);
  });

  it("keeps apart what came long before or after, elsewhere, or once the bus is back", () => {
    expect(told([lost("bus-a", 300), fault(1, 0), fault(2, 3600)]).length).toBe(3);
    expect(told([lost("bus-a", 0), { ...fault(1, 5), site: "north" }]).length).toBe(2);
    expect(told([lost("bus-a", 0, { cleared_at: at(9) }), fault(1, 5)]).length).toBe(2);
  });

  it("puts the faults of one device under its loss, and all of it under the power", () => {
    expect(told([lost("d-3", 0), fault(3, 10)])).toEqual(["device lost d-3: 1"]);
    const power = alarm("power", { rule: "phase-lost", source: "meter", asset: "meter", raised_at: at(0) });
    expect(told([power, lost("d-3", 20), fault(3, 25), lost("bus-b", 30)])).toEqual(["power power: 3"]);
  });

  it("puts together many that are alike, and shows what nobody has seen first", () => {
    const alike = [1, 2, 3, 4].map((n) => fault(n, n, { rule: "offline", state: "acknowledged" }));
    expect(told([...alike, fault(20, 0, { severity: "minor" })])).toEqual(["single fault 20: 0", "same fault 4: 3"]);
  });

  it("loses no alarm and shows none twice, whatever comes: thirty faults are a handful of causes", () => {
    const flood = [
      ...[...Array(22).keys()].map((n) => fault(n, n)),
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
