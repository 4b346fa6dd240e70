/** Small things of the desk: what is said in words, what is not claimed before it is known, what a key reaches. */

import { defineComponent, h, useTemplateRef } from "vue";
import { createApp } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Layout, Role, User } from "@/api/types";
import AlarmDialogs from "@/areas/alarms/AlarmDialogs.vue";
import BlockedCard from "@/areas/guard/BlockedCard.vue";
import EntryRow from "@/areas/guard/EntryRow.vue";
import LanesPanel from "@/areas/guard/LanesPanel.vue";
import TicketCard from "@/areas/tickets/TicketCard.vue";
import Tickets from "@/areas/tickets/Tickets.vue";
import { chooseLanguage } from "@/kit/preferences";
import { i18n } from "@/kit/i18n";
import { entryOf } from "@/live/entries";
import { placeKey } from "@/live/table";
import AppShell from "@/shell/AppShell.vue";
import CommandTray from "@/shell/CommandTray.vue";
import ReasonDialog from "@/shell/ReasonDialog.vue";
import SignIn from "@/shell/SignIn.vue";
import { askWhy } from "@/shell/stores/asking";
import { follow, shownCommands } from "@/shell/stores/commands";
import { acknowledging, shelving, together } from "@/shell/stores/handling";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { holderNames, layouts } from "@/shell/stores/site";
import { T } from "@/testids";
import { access, alarm, ticket } from "./items";
import { at, mount, mounted, server, settled } from "./mounting";

const PUMP_HOUSE = { zh: "泵房", en: "Pump house" };
const door = (id: string, modes_end: boolean) => ({ id, name: { zh: id, en: id }, place: null, readers: [], zones: [], modes_end });
const DEMO = {
  site: "demo",
  name: { zh: "云杉苑", en: "Spruce Court" },
  doors: [door("lobby", true), door("garage", false)],
  lanes: [{ id: "gate-in", name: { zh: "入口", en: "Entry" }, direction: "in", place: null, zones: [] }],
  devices: [{ id: "pump-2", name: { zh: "2 号泵", en: "Pump 2" }, kind: "pump", place: PUMP_HOUSE }],
  zones: [],
  points: [],
  meters: [],
} as unknown as Layout;
const HOLDER = { id: "h-1", site: "demo", name: "周明远", unit: "12-301", kind: "resident" };

let leave = (): void => undefined;

function is(role: Role, ...can: typeof session.can): void {
  session.user = { id: "u", username: "u", name: "u", role, sites: ["demo"], language: "zh" } as User;
  session.can = can;
}

beforeEach(() => {
  layouts.set("demo", DEMO);
  is("guard", "watch", "open");
});
afterEach(() => {
  leave();
  for (const { id } of shownCommands.value) live.commands.delete(id);
  live.lanes.clear();
  live.alarms.clear();
  live.events = [];
  layouts.clear();
  holderNames.clear();
  acknowledging.value = shelving.value = together.value = null;
  session.user = session.about = null;
  session.can = [];
  chooseLanguage("zh");
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

it.each([
  ["plate", "zh", "住户车"],
  ["card", "zh", "住户卡"],
  ["plate", "en", "Resident's car"],
] as const)("says of a known %s in %s whose it is: %s", async (kind, language, said) => {
  chooseLanguage(language);
  await settled();
  holderNames.set("h-1", HOLDER as never);
  const entry = entryOf(access(7, { data: { credential: { kind, value: "沪A12345" } } }));
  leave = mount(EntryRow, { entry, today: "2026-03-09T00:00:00.000Z", canOpen: false });
  expect(at(T.entryWhose).textContent).toBe(said);
});

it("says in a lane's tile whose the car there is", async () => {
  holderNames.set("h-1", { ...HOLDER, kind: "contractor" } as never);
  const car = { plate: "沪A12345", read_at: null, picture: null, stream: null, seq: null, outcome: "granted", holder: "h-1", blocked: false };
  live.lanes.set(placeKey("demo", "gate-in"), { id: "gate-in", site: "demo", barrier: "down", loops: null, car, last_plate: null, can: [] } as never);
  leave = mount(LanesPanel);
  await settled();
  expect(at(T.laneWhose("gate-in")).textContent).toContain("外协车");
});

it("calls a gateway's site by its name before anybody has signed in", () => {
  session.user = null;
  session.about = { server: "gateway", site: "demo", name: DEMO.name } as typeof session.about;
  leave = mount(SignIn);
  expect(at(T.signIn).textContent).toContain("您正在登录 云杉苑 现场控制台");
});

it("says of a page that is another role's whose it is not, and where to go", async () => {
  const AREA = [{ path: "/accounts", meta: { ability: "accounts.write" as const }, component: { render: () => "账号" } }];
  const router = createRouter({ history: createMemoryHistory(), routes: [...AREA, { path: "/:rest(.*)*", component: { render: () => "" } }] });
  server(() => ({ status: 200, body: { items: [], next: null } }));
  await router.push("/accounts");
  const app = createApp(AppShell).use(i18n).use(router);
  app.mount(document.body.appendChild(document.createElement("div")));
  leave = () => app.unmount();
  await settled();
  expect(at(T.notYours).textContent).toContain("此页不属于您的岗位");
  expect(at(T.notYours).querySelector("a")?.getAttribute("href")).toBe("/guard");
  session.can = ["accounts.write"];
  await settled();
  expect(document.body.textContent).toContain("账号");
});

it.each([
  ["garage", "lobby", false],
  ["lobby", "garage", true],
] as const)("offers no end of a mode at %s, whose gateway ends none", async (target, _, ends) => {
  const asked = server(() => ({ status: 202, body: { id: "c-1", state: "asked", by: {}, result: null } }));
  leave = mount(ReasonDialog);
  askWhy({ opening: "mode", site: "demo", target });
  await settled();
  at(T.modeChoice("unlocked")).click();
  await settled();
  expect(document.querySelector(`[data-testid="${T.modeLasting("7200")}"]`) !== null).toBe(ends);
  expect(document.querySelector(`[data-testid="${T.modeNoEnd}"]`) !== null).toBe(!ends);
  at(T.askReason(1)).click();
  if (ends) at(T.modeLasting("7200")).click();
  await settled();
  at(T.askSend).click();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect((asked[0]!.body as { args: object }).args).toEqual({ mode: "unlocked", ...(ends ? { for_s: 7200 } : {}) });
});

it("takes a usual reason for an alarm with one click, and lets it go with another", async () => {
  const asked = server(() => ({ status: 202, body: { id: "c-9", state: "asked" } }));
  leave = mount(AlarmDialogs);
  acknowledging.value = alarm("a-1");
  await settled();
  at(T.quickReason("on_the_way")).click();
  await settled();
  at(T.ackSend).click();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(asked[0]).toMatchObject({ path: "/api/alarms/a-1/ack", body: { note: "", reason_code: "on_the_way" } });
  await settled();
  shelving.value = alarm("a-2");
  await settled();
  for (let click = 0; click < 2; click += 1) {
    at(T.quickReason("parts_ordered")).click();
    await settled();
  }
  at(T.shelveSend).click();
  await vi.waitFor(() => expect(asked).toHaveLength(2));
  expect(asked[1]?.body).toEqual({ for_s: 1800, note: "" });
});

it("takes one usual reason for several alarms", async () => {
  const asked = server(() => ({ status: 202, body: { items: [] } }));
  leave = mount(AlarmDialogs);
  together.value = { act: "shelve", alarms: [alarm("a-1"), alarm("a-2")], title: "检修" } as never;
  await settled();
  at(T.quickReason("maintenance")).click();
  await settled();
  at(T.alarmsTogetherSend).click();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(asked[0]?.body).toEqual({ ids: ["a-1", "a-2"], note: "", reason_code: "maintenance", for_s: 14_400 });
});

it("says a ticket's place in the reader's language where the site knows it, and what was written elsewhere", async () => {
  for (const [place, language, said] of [["泵房", "en", "Pump house"], ["Pump house", "zh", "泵房"], ["后门边", "en", "后门边"]] as const) {
    chooseLanguage(language);
    await settled();
    leave = mount(TicketCard, { ticket: ticket("t", { place }) });
    expect(document.body.textContent).toContain(said);
    leave();
  }
});

it("claims no number of tickets before anybody has told one", async () => {
  const answers: ((response: Response) => void)[] = [];
  vi.stubGlobal("fetch", () => new Promise<Response>((resolve) => answers.push(resolve)));
  leave = mounted(Tickets).leave;
  await settled();
  const count = () => at(T.ticketColumn("raised")).querySelector(".count")?.textContent;
  expect(count()).toBe("–");
  expect(at(T.ticketColumn("raised")).textContent).not.toContain("没有");
  for (const answer of answers) answer(new Response(JSON.stringify({ items: [], next: null }), { status: 200 }));
  await vi.waitFor(() => expect(count()).toBe("0"));
});

it("brings a hit on the block list under the hand by a key, and notes nothing by it", async () => {
  live.events = [
    access(7, { kind: "access.denied", source: "gate-in", at: new Date().toISOString(), data: { rule: "block:b-1", credential: { kind: "plate", value: "粤B88888" } } }),
  ];
  const asked = server(() => ({ status: 202, body: {} }));
  let card: InstanceType<typeof BlockedCard> | null = null;
  const Page = defineComponent(() => {
    const held = useTemplateRef<InstanceType<typeof BlockedCard>>("card");
    return () => h(BlockedCard, { ref: "card", onVnodeMounted: () => (card = held.value) });
  });
  leave = mount(Page);
  await settled();
  card!.visit();
  expect(document.activeElement).toBe(at(T.blockedSeen));
  expect(asked).toEqual([]);
});

it("says why a command was not carried out instead of that its time is over", async () => {
  const why = { zh: "未执行：网关离线", en: "Not carried out: gateway offline" };
  leave = mount(CommandTray);
  follow({ id: "c-7", site: "demo", target: "gate-in", kind: "barrier.open", reason: "", state: "asked" });
  live.commands.set("c-7", { id: "c-7", state: "expired", result: { at: "", why } } as never);
  await settled();
  expect(at(T.command).textContent).toContain(why.zh);
  expect(at(T.command).textContent).not.toContain("已过有效期");
});
