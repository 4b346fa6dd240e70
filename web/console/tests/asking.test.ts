/** Why a barrier opens is said for the car that stands there, at the site that the title names. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { h, ref } from "vue";

import type { Lane, StandingCar } from "@/api/types";
import LanesPanel from "@/areas/guard/LanesPanel.vue";
import { drafts, draftsOf } from "@/kit/drafts";
import ReasonDialog from "@/shell/ReasonDialog.vue";
import { askWhy, question } from "@/shell/stores/asking";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { sites } from "@/shell/stores/site";
import { T } from "@/testids";
import { at, mount, server, settled, type } from "./mounting";

const COMMAND = { id: "c-1", site: "demo", target: "gate-in", kind: "barrier.open", state: "asked", reason: "" };

const car = (plate: string | null, seq: number): StandingCar => ({
  plate,
  read_at: null,
  picture: null,
  stream: "f".repeat(32),
  seq,
  outcome: null,
  holder: null,
  blocked: false,
});
const lane = (standing: StandingCar | null, more: Partial<Lane> = {}): Lane => ({
  id: "gate-in",
  site: "demo",
  barrier: "down",
  loops: { before: true, under: false },
  monitored: true,
  last_plate: null,
  last_plate_at: null,
  car: standing,
  at: null,
  can: ["barrier.open"],
  ...more,
});

let leave = (): void => undefined;

beforeEach(() => {
  localStorage.clear();
  draftsOf(`p-${Math.random()}`);
  session.user = { id: "u", username: "guard", name: "刘师傅", role: "guard", language: "zh", sites: ["demo"] };
  session.can = ["open"];
});
afterEach(() => {
  leave();
  question.value = null;
  session.user = null;
  session.can = [];
  sites.items = [];
  live.lanes.clear();
  live.commands.clear();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

async function asks(standing: StandingCar | null): Promise<void> {
  live.lanes.set("demo/gate-in", lane(standing));
  askWhy({ opening: "open", site: "demo", target: "gate-in", car: standing });
  await settled();
}

const send = () => at<HTMLButtonElement>(T.askSend);
const said = (testid: string) => document.querySelector(`[data-testid="${testid}"]`);

it("says that the car has changed, and opens for the new one only once that is chosen", async () => {
  const asked = server(() => ({ status: 202, body: COMMAND }));
  leave = mount(ReasonDialog);
  await asks(car("沪A12345", 7));
  at(T.askReason(2)).click();
  await settled();
  expect(send().disabled).toBe(false);
  live.lanes.set("demo/gate-in", lane(car("京N8X921", 9)));
  await settled();
  expect(at(T.askCar).textContent).toContain("N8X921");
  expect(at(T.askCarChanged).textContent).toContain("车辆已更换");
  expect(send().disabled).toBe(true);
  send().click();
  at(T.askReason(2)).click();
  await settled();
  expect([said(T.askCarChanged), send().disabled]).toEqual([null, false]);
  send().click();
  await settled();
  expect(asked.map(({ body }) => (body as { subject: unknown }).subject)).toEqual([{ stream: "f".repeat(32), seq: 9 }]);
});

it("takes the same plate read again for the same car", async () => {
  leave = mount(ReasonDialog);
  await asks(car("沪A12345", 7));
  live.lanes.set("demo/gate-in", lane(car("沪A12345", 8)));
  await settled();
  expect(said(T.askCarChanged)).toBeNull();
});

it("says that it gives back an earlier reason, and gives none to another car", async () => {
  leave = mount(ReasonDialog);
  await asks(car("沪A12345", 7));
  expect(said(T.draftRestored)).toBeNull();
  await type(at(T.askFree), "搬家");
  expect(drafts.size).toBe(1);
  leave();
  question.value = null;
  leave = mount(ReasonDialog);
  await asks(car("沪A12345", 7));
  expect(at(T.draftRestored).textContent).toContain("已恢复");
  expect(at<HTMLInputElement>(T.askFree).value).toBe("搬家");
  leave();
  question.value = null;
  leave = mount(ReasonDialog);
  await asks(car("京N8X921", 9));
  expect([said(T.draftRestored), at<HTMLInputElement>(T.askFree).value]).toEqual([null, ""]);
});

it("names the site among others", async () => {
  sites.items = [
    { id: "demo", name: "云杉苑" },
    { id: "annex", name: "南园" },
  ];
  leave = mount(ReasonDialog);
  await asks(null);
  expect(at(T.askDialog).textContent).toContain("云杉苑");
});

it("asks by its number for no lane that shows none", async () => {
  live.lanes.set("demo/a", lane(null, { id: "a", can: [] }));
  live.lanes.set("demo/b", lane(null, { id: "b", can: ["barrier.close"] }));
  live.lanes.set("demo/c", lane(null, { id: "c" }));
  const panel = ref<InstanceType<typeof LanesPanel> | null>(null);
  leave = mount({ setup: () => () => h(LanesPanel, { ref: panel }) });
  await settled();
  for (const place of [0, 1]) panel.value?.askNth(place);
  expect(question.value).toBeNull();
  panel.value?.askNth(2);
  expect(question.value?.target).toBe("c");
  expect(at(T.laneOpen("c")).querySelector("kbd")?.textContent).toBe("3");
});
