import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { defineComponent, h, useTemplateRef } from "vue";

import type { Alarm, Layout } from "@/api/types";
import AlarmDialogs from "@/areas/alarms/AlarmDialogs.vue";
import Alarms from "@/areas/alarms/Alarms.vue";
import AlarmsPanel from "@/areas/alarms/AlarmsPanel.vue";
import { acknowledging, together } from "@/shell/stores/handling";
import { live } from "@/shell/stores/live";
import { layouts } from "@/shell/stores/site";
import { T } from "@/testids";

import { alarm } from "./items";
import { at, mount, server, settled, type Asked } from "./mounting";

const NOW = Date.now();
const FLOOD = 30;
let leave = (): void => undefined;
let asked: Asked[] = [];

/** Thirty faults of one power cut: a bus of 24 devices that is lost, five doors, and a lift. */
function flood(): Alarm[] {
  const came = (n: number): string => new Date(NOW - 60_000 + n * 100).toISOString();
  const can: Alarm["can"] = ["alarm.ack", "alarm.shelve"];
  const one = (id: string, n: number, more: Partial<Alarm>): Alarm => alarm(id, { raised_at: came(n), can, ...more });
  return [
    one("bus", 0, { rule: "device.lost", source: "bus-a", asset: "" }),
    ...[...Array(23).keys()].map((n) => one(`d-${n}`, n, { rule: "device.lost", source: `d-${n}`, asset: `d-${n}` })),
    ...[...Array(5).keys()].map((n) => one(`door-${n}`, n, { rule: "lock.failed", source: `door-${n}`, asset: "" })),
    one("lift", 9, { rule: "lift.trapped", source: "lift-1", asset: "lift-1", severity: "critical" }),
  ];
}

beforeEach(() => {
  const devices = [...Array(24).keys()].map((n) => ({ id: `d-${n}`, name: { zh: `设备${n}`, en: "" }, kind: "pump", profile: "", bus: "bus-a", place: null }));
  layouts.set("demo", { gateway: "gw", devices, doors: [], lanes: [], zones: [], points: [], timezone: "Asia/Shanghai" } as unknown as Layout);
  for (const each of flood()) live.alarms.set(each.id, each);
  asked = server(({ path, body }) => {
    if (!path.startsWith("/api/alarms/")) return { status: 200, body: { items: [], next: null } };
    const { ids } = body as { ids?: string[] };
    return { status: 202, body: { items: (ids ?? []).map((id) => ({ id, command: { id }, refused: null })) } };
  });
});

afterEach(() => {
  leave();
  live.alarms.clear();
  layouts.clear();
  acknowledging.value = together.value = null;
  vi.unstubAllGlobals();
});

const all = (id: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];
const posted = (): { path: string; ids: string[] }[] =>
  asked.filter(({ method }) => method === "POST").map(({ path, body }) => ({ path, ids: (body as { ids: string[] }).ids }));

const Guarded = defineComponent({
  setup() {
    const panel = useTemplateRef<InstanceType<typeof AlarmsPanel>>("panel");
    return { panel };
  },
  render: () => h("div", [h(AlarmsPanel, { ref: "panel" }), h(AlarmDialogs)]),
});
const Listed = defineComponent(() => () => h("div", [h(Alarms), h(AlarmDialogs)]));

it("thirty faults are three causes, and two clicks acknowledge the flood's largest group", async () => {
  leave = mount(Guarded);
  await settled();
  expect(at(T.alarmFlood).textContent).toContain(String(FLOOD));
  expect(all(T.alarmCause).map((each) => `${each.dataset.kind} ${each.dataset.count}`)).toEqual([
    "single 1",
    "bus 24",
    "same 5",
  ]);
  at(T.alarmFloodAck).click();
  await vi.waitFor(() => at(T.alarmsTogetherSend));
  at(T.alarmsTogetherSend).click();
  await vi.waitFor(() => expect(posted().length).toBe(1));
  expect(posted()[0]?.path).toBe("/api/alarms/ack");
  expect(posted()[0]?.ids.length).toBe(24);
});

it("all thirty are acknowledged by three clicks: all boxes, acknowledge, send", async () => {
  leave = mount(Listed);
  await settled();
  all(T.alarmBox)[0]?.click();
  await settled();
  at(T.alarmsAct("ack")).click();
  await vi.waitFor(() => at(T.alarmsTogetherSend));
  at(T.alarmsTogetherSend).click();
  await vi.waitFor(() => expect(posted()[0]?.ids.length).toBe(FLOOD));
});

it("a box of a cause takes what is folded beneath it along, and a range goes by Shift", async () => {
  leave = mount(Listed);
  await settled();
  const boxes = (): HTMLElement[] => all(T.alarmBox).slice(1);
  expect(boxes().length).toBe(3);
  boxes()[1]?.click();
  await settled();
  expect(at(T.alarmsChosen).textContent).toContain("24");
  all(T.alarmFollowers)[0]?.click();
  await settled();
  expect(boxes().length).toBe(3 + 23);
});

it("A and Enter acknowledges at once; a letter typed goes into the note", async () => {
  leave = mount(Guarded);
  await settled();
  acknowledging.value = live.alarms.get("lift") ?? null;
  await vi.waitFor(() => expect(document.activeElement).toBe(at(T.ackSend)));
  at(T.ackSend).dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
  expect(document.activeElement?.tagName).toBe("INPUT");
});
