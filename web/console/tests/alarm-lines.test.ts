/** What a guard reads of alarms in a flood, and which one a key takes. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defineComponent, h, useTemplateRef } from "vue";
import type { Router } from "vue-router";

import type { Alarm, Layout } from "@/api/types";
import Alarms from "@/areas/alarms/Alarms.vue";
import AlarmsPanel from "@/areas/alarms/AlarmsPanel.vue";
import { acknowledging, together } from "@/shell/stores/handling";
import { live } from "@/shell/stores/live";
import { layouts, sites } from "@/shell/stores/site";
import { T } from "@/testids";

import { alarm } from "./items";
import { at, mounted, server, settled } from "./mounting";

const NOW = Date.now();
let leave = (): void => undefined;
let router: Router;

function come(id: string, second: number, more: Partial<Alarm> = {}): void {
  const raised_at = new Date(NOW - 60_000 + second * 1000).toISOString();
  const message = { zh: `告警 ${id}`, en: `alarm ${id}` };
  const said: Partial<Alarm> = { rule: id, source: id, asset: id, message, raised_at, can: ["alarm.ack"] };
  live.alarms.set(id, alarm(id, { ...said, ...more }));
}

beforeEach(() => {
  layouts.set("demo", { site: "demo", name: { zh: "滨江", en: "Riverside" }, gateway: "gw", devices: [], doors: [], lanes: [], zones: [], points: [], timezone: "Asia/Shanghai" } as unknown as Layout);
  server(() => ({ status: 200, body: { items: [], next: null } }));
});

afterEach(() => {
  leave();
  live.alarms.clear();
  layouts.clear();
  sites.items = [];
  acknowledging.value = together.value = null;
  vi.unstubAllGlobals();
});

const all = (id: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];
let panel: InstanceType<typeof AlarmsPanel> | null = null;

async function guard(): Promise<void> {
  const Guarded = defineComponent(() => {
    const held = useTemplateRef<InstanceType<typeof AlarmsPanel>>("panel");
    return () => h(AlarmsPanel, { ref: "panel", onVnodeMounted: () => (panel = held.value) });
  });
  ({ leave, router } = mounted(Guarded));
  await settled();
}

const lost = { rule: "device.lost" };
const cut = { rule: "phase-lost", source: "meter-main" };

describe("in a flood", () => {
  beforeEach(async () => {
    sites.items = [
      { id: "demo", name: "demo" },
      { id: "north", name: "north" },
    ];
    come("cut", 0, cut);
    for (let n = 0; n < 11; n += 1) come(`pump-${n}`, n, lost);
    come("lift", 5, { severity: "critical" });
    come("leak", 20);
    await guard();
  });

  it("draws each critical one, and tells of a folded line how bad it is and what is in it", () => {
    const lines = all(T.alarmLine);
    expect(lines.map(({ dataset }) => dataset.severity)).toEqual(["critical", "major", "major"]);
    const [lift, leak, group] = lines.map((line) => line.textContent ?? "");
    expect(lift).toContain("告警 lift");
    expect(leak).toContain("告警 leak");
    expect(group).toContain("告警 cut");
    expect(group).toContain("告警 pump-10 · 告警 pump-9 · 告警 pump-8");
    expect(group).toContain("另有 8 条");
  });

  it("counts on a button only where it is several, and names the site among others", () => {
    expect(all(T.alarmLineAck).map((button) => button.textContent?.trim())).toEqual(["确认收到", "确认收到", "确认收到（12）"]);
    for (const line of all(T.alarmLine)) expect(line.textContent).toContain("滨江");
    expect(at(T.alarmFlood).textContent).toContain("滨江");
  });

  it("takes one alarm by its own button, a group by the group's, and no critical one along", () => {
    all(T.alarmLineAck)[0]?.click();
    expect(acknowledging.value?.id).toBe("lift");
    all(T.alarmLineAck)[2]?.click();
    expect(together.value?.alarms.length).toBe(12);
    panel?.ackTopGroup();
    expect(together.value?.alarms.map(({ severity }) => severity)).not.toContain("critical");
  });
});

describe("the key for the top alarm", () => {
  it("takes the most urgent one that is drawn", async () => {
    come("cut", 0, cut);
    come("pump-1", 30, lost);
    await guard();
    panel?.ackTop();
    expect(acknowledging.value?.id).toBe("cut");
  });

  it("takes the one that somebody looks at, and none if that has been seen", async () => {
    come("lift", 0, { severity: "critical" });
    come("leak", 1);
    come("seen", 2, { state: "acknowledged", can: [] });
    await guard();
    await router.push("/?peek=alarm:leak");
    panel?.ackTop();
    expect(acknowledging.value?.id).toBe("leak");
    acknowledging.value = null;
    await router.push("/?peek=alarm:seen");
    panel?.ackTop();
    expect(acknowledging.value).toBeNull();
  });

  it("unfolds what it takes where only folded ones wait", async () => {
    come("cut", 0, { ...cut, state: "acknowledged", can: [] });
    come("pump-1", 30, lost);
    await guard();
    expect(all(T.alarm).length).toBe(1);
    panel?.ackTop();
    await settled();
    expect(acknowledging.value?.id).toBe("pump-1");
    expect(all(T.alarm).length).toBe(2);
  });

  it("leaves a critical one out of its group, also where it is what the others follow from", async () => {
    come("cut", 0, { ...cut, severity: "critical" });
    come("pump-1", 1, lost);
    come("pump-2", 2, lost);
    await guard();
    panel?.ackTopGroup();
    expect(together.value?.alarms.map(({ id }) => id).sort()).toEqual(["pump-1", "pump-2"]);
  });
});

describe("boxes of the list", () => {
  const boxes = (): HTMLElement[] => all(T.alarmBox).slice(1);
  const rows = (): (string | undefined)[] => all(T.alarm).map(({ dataset }) => dataset.rule);
  const chosen = (): (string | undefined)[] => all(T.alarm).filter((row) => row.querySelector("input")?.checked).map(({ dataset }) => dataset.rule);
  const click = async (box: HTMLElement | undefined, shiftKey = false): Promise<void> => {
    box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));
    await settled();
  };

  async function list(): Promise<void> {
    ({ leave } = mounted(Alarms));
    await settled();
  }

  it("go by Shift over the rows between, as they stand, without what is folded elsewhere", async () => {
    // By severity and age alone the silent pumps stand between the leak and the smoke.
    come("smoke", 50);
    come("pump-1", 40, lost);
    come("pump-2", 39, lost);
    come("leak", 30);
    come("cut", 20, cut);
    come("door", 10);
    await list();
    expect(rows()).toEqual(["smoke", "phase-lost", "leak", "door"]);
    await click(boxes()[2]);
    await click(boxes()[3], true);
    expect(chosen()).toEqual(["leak", "door"]);
    expect(at(T.alarmsChosen).textContent).toContain("2");
    await click(boxes()[0], true);
    expect(chosen()).toEqual(["smoke", "phase-lost", "leak", "door"]);
    expect(at(T.alarmsChosen).textContent).toContain("4");
  });

  it("begin a range at a folded group that was chosen whole", async () => {
    come("cut", 20, cut);
    come("pump-1", 40, lost);
    come("leak", 10);
    come("door", 5);
    await list();
    await click(boxes()[0]);
    await click(boxes()[2], true);
    expect(chosen()).toEqual(["phase-lost", "leak", "door"]);
    expect(at(T.alarmsChosen).textContent).toContain("4");
  });

  it("let go what has changed its state meanwhile, for good", async () => {
    come("leak", 10);
    come("door", 5);
    await list();
    await click(boxes()[0]);
    await click(boxes()[1]);
    live.alarms.set("leak", { ...live.alarms.get("leak")!, state: "cleared" });
    await settled();
    expect(chosen()).toEqual(["door"]);
    live.alarms.set("leak", { ...live.alarms.get("leak")!, state: "active" });
    await settled();
    expect(chosen()).toEqual(["door"]);
  });
});
