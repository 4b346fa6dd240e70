import { afterEach, describe, expect, it, vi } from "vitest";

import type { Alarm, Layout } from "@/api/types";
import { deviceState } from "@/areas/machines/answering";
import Points from "@/areas/machines/Points.vue";
import { daysBefore, daysBetween, labelStep } from "@/kit/charts/days";
import { live } from "@/shell/stores/live";
import { layouts, sites } from "@/shell/stores/site";
import { T } from "@/testids";
import { at, mount, server, settled } from "./mounting";

let leave = (): void => undefined;

afterEach(() => {
  leave();
  sites.items = [];
  layouts.clear();
  live.alarms.clear();
  vi.unstubAllGlobals();
});

const name = (zh: string) => ({ zh, en: zh });

function point(id: string, type: string, value: unknown, more: object = {}) {
  const laidOut = { id, device: id.split(".")[0], name: name(id), type, unit: "", labels: {}, writable: false, detail: false, ...more };
  return { laidOut, item: { ...laidOut, site: "demo", value, quality: "good", at: "2026-03-09T00:00:00.000Z" } };
}

it("shows the points of a device in the server's order, in the trade's words", async () => {
  const found = [
    point("board.relay_2", "flag", true),
    point("board.relay_1", "flag", false),
    point("sump.level", "number", 3.2, { unit: "m" }),
    point("sump.range_zero", "number", 0, { detail: true }),
    point("sump.meter_clock", "text", "2026-11-30T04:47:54"),
  ];
  const devices = ["board", "sump"].map((id) => ({ id, name: name(id), kind: "level", profile: "p", bus: "b", place: null }));
  sites.items = [{ id: "demo", name: "云杉苑" }];
  layouts.set("demo", { site: "demo", name: name("云杉苑"), doors: [], lanes: [], zones: [], meters: [], devices, points: found.map((one) => one.laidOut) } as unknown as Layout);
  live.alarms.set("a", {
    id: "a", site: "demo", asset: "sump", severity: "major", state: "active", cleared_at: null, values: { level: 3.2 },
    raised_at: "2026-03-09T00:00:00.000Z",
  } as unknown as Alarm);  // prettier-ignore
  server(() => ({ status: 200, body: { items: found.map((one) => one.item), next: null } }));
  leave = mount(Points);
  await settled();
  const value = (id: string) => at(T.point(id)).querySelector("b")!.textContent;
  const order = [...document.querySelectorAll("[data-testid^=point-board]")].map((one) => one.getAttribute("data-testid"));
  expect(order).toEqual([T.point("board.relay_2"), T.point("board.relay_1")]);
  expect([value("board.relay_2"), value("board.relay_1")]).toEqual(["通", "断"]);
  expect(value("sump.meter_clock")).toBe("2026-11-30 04:47:54");
  expect(at(T.point("sump.level")).className).toContain("major");
  expect(at(T.point("board.relay_2")).className).not.toContain("major");
  // How a level is scaled nobody reads every day.
  expect(document.querySelector(`[data-testid="${T.point("sump.range_zero")}"]`)).toBeNull();
  at(T.pointsMore("sump")).click();
  await settled();
  expect(value("sump.range_zero")).toBe("0");
});

it("gives each day of a meter a place, and names them evenly", () => {
  const days = daysBetween("2026-02-27", "2026-03-02");
  expect(days).toEqual(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]);
  expect(daysBefore("2026-03-02", 3)).toBe("2026-02-27");
  expect([labelStep(31, 8), labelStep(7, 8), labelStep(2, 8)]).toEqual([4, 1, 1]);
});

describe("whether a device is there", () => {
  const point = (quality: "good" | "stale" | "bad", value: unknown = 1) => ({ quality, value });
  const standing = (online: boolean | null) => ({ id: "d", site: "demo", online, since: null, why: null });

  it("says the server's last word of it, however long ago, and nothing before that has come", () => {
    expect(deviceState([point("stale")], standing(false), true)).toBe("lost");
    expect(deviceState([point("stale")], standing(true), true)).toBe("waiting");
    expect(deviceState([point("stale")], standing(null), true)).toBe("unknown");
    expect(deviceState([point("good")], undefined, true)).toBe("loading");
    expect(deviceState([], standing(null), true)).toBe("none");
  });

  it("says how well it is where it answers, and that nothing is known while its gateway is away", () => {
    expect(deviceState([point("good"), point("bad")], standing(true), true)).toBe("partly");
    expect(deviceState([point("bad"), point("bad")], standing(true), true)).toBe("silent");
    expect(deviceState([point("good")], standing(true), true)).toBe("normal");
    expect(deviceState([], standing(true), true)).toBe("normal");
    expect(deviceState([point("good")], standing(true), false)).toBe("unknown");
  });
});
