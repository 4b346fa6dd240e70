/** While several sites stand together, each thing names its own, and no key alone opens anything of one. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { h, ref } from "vue";

import AlarmDialogs from "@/areas/alarms/AlarmDialogs.vue";
import AlarmPeek from "@/areas/alarms/AlarmPeek.vue";
import BlockedCard from "@/areas/guard/BlockedCard.vue";
import EntryPeek from "@/areas/guard/EntryPeek.vue";
import LanesPanel from "@/areas/guard/LanesPanel.vue";
import NowPanel from "@/areas/guard/NowPanel.vue";
import DevicePeek from "@/areas/machines/DevicePeek.vue";
import PointPeek from "@/areas/machines/PointPeek.vue";
import BlockDialog from "@/areas/people/BlockDialog.vue";
import HolderDialog from "@/areas/people/HolderDialog.vue";
import TicketDetail from "@/areas/tickets/TicketDetail.vue";
import TicketNewDialog from "@/areas/tickets/TicketNewDialog.vue";
import Tickets from "@/areas/tickets/Tickets.vue";
import TicketsTogether from "@/areas/tickets/TicketsTogether.vue";
import { preferences } from "@/kit/preferences";
import { phone } from "@/kit/screen";
import CommandTray from "@/shell/CommandTray.vue";
import { question } from "@/shell/stores/asking";
import { dismiss, follow } from "@/shell/stores/commands";
import { acknowledging, shelving, together } from "@/shell/stores/handling";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { layouts, sites } from "@/shell/stores/site";
import { T } from "@/testids";
import { access, alarm, lane, ticket } from "./items";
import { at, mount, mounted, server, settled } from "./mounting";

const SLOW_MS = 30_000;
const NAMES = { demo: "云杉苑", annex: "南园" } as const;
let leave = (): void => undefined;

function layout(site: keyof typeof NAMES, lanes: string[]): void {
  const called = (id: string) => ({ id, name: { zh: id, en: id }, direction: "in" });
  const device = { id: "pump-2", name: { zh: "二号泵", en: "Pump 2" }, place: { zh: "", en: "" }, profile: "", bus: "" };
  const point = { id: "pump-2.flow", device: "pump-2", name: { zh: "流量", en: "Flow" }, unit: "", labels: null };
  const parts = { doors: [], lanes: lanes.map(called), zones: [], devices: [device], points: [point], timezone: "Asia/Shanghai" };
  layouts.set(site, { site, name: { zh: NAMES[site], en: site }, gateway: `${site}-gw`, ...parts } as never);
}

beforeEach(() => {
  session.user = { id: "u", username: "u", name: "u", role: "admin", sites: ["*"] } as unknown as typeof session.user;
  session.can = ["open", "watch", "tickets.read"];
  sites.items = Object.entries(NAMES).map(([id, name]) => ({ id, name }));
  sites.loaded = true;
  layout("demo", ["gate-in", "gate-out"]);
  layout("annex", ["yard-in"]);
  for (const [site, id] of [["demo", "gate-in"], ["demo", "gate-out"], ["annex", "yard-in"]] as const)
    live.lanes.set(`${site}/${id}`, { ...lane(id, "down", site), at: "2026-03-09T00:00:00.000Z" });
  server(({ path }) => {
    if (path.startsWith("/api/points"))
      return { status: 200, body: { items: [{ site: "annex", id: "pump-2.flow", value: 1, quality: "good", at: null }], next: null } };
    if (path === "/api/tickets/t") return { status: 200, body: ticket("t", { site: "annex" }) };
    return { status: 200, body: { items: [], next: null } };
  });
});
afterEach(() => {
  leave();
  leave = () => undefined;
  vi.unstubAllGlobals();
  session.user = null;
  session.can = [];
  sites.items = [];
  sites.loaded = false;
  layouts.clear();
  for (const table of [live.lanes, live.alarms, live.tickets]) table.clear();
  live.events = [];
  question.value = null;
  acknowledging.value = shelving.value = together.value = null;
  preferences.ticketsAs = "board";
});

describe("in “all sites” a thing names its own", () => {
  it("in what lies beside a list", async () => {
    live.alarms.set("a", alarm("a", { site: "annex" }));
    live.tickets.set("t", ticket("t", { site: "annex" }));
    live.events = [{ ...access(7), site: "annex" }];
    for (const [peek, id] of [
      [AlarmPeek, "a"],
      [EntryPeek, "7"],
      [DevicePeek, "pump-2"],
      [PointPeek, "pump-2.flow"],
      [TicketDetail, "t"],
    ] as const) {
      leave = mount(peek, { id, site: "annex" });
      await settled();
      expect(document.querySelector(".site-name")?.textContent, id).toContain("南园");
      leave();
    }
  });

  it("in the list of tickets, and in a step of several", async () => {
    live.tickets.set("t", ticket("t", { site: "annex", can: ["take"] }));
    preferences.ticketsAs = "list";
    leave = mounted(Tickets).leave;
    await settled();
    expect(at(T.ticket).textContent).toContain("南园");
    leave();
    leave = mount(TicketsTogether, { chosen: [ticket("t", { site: "annex", can: ["take"] })] });
    at(T.ticketsStep("take")).click();
    await settled();
    expect(document.querySelector(".named")?.textContent).toContain("南园");
  });

  it("where it is acknowledged or shelved, alone and with others", async () => {
    leave = mount(AlarmDialogs);
    acknowledging.value = alarm("a", { site: "annex" });
    await settled();
    expect(at(T.ackDialog).textContent).toContain("南园");
    acknowledging.value = null;
    shelving.value = alarm("a", { site: "annex" });
    await settled();
    expect(at(T.shelveDialog).textContent).toContain("南园");
    together.value = { act: "ack", alarms: [alarm("a"), alarm("b", { site: "annex" })], title: "" };
    await settled();
    const named = [...at(T.alarmsTogether).querySelectorAll(".named li")].map((line) => line.textContent ?? "");
    expect(named.map((line) => [line.includes("云杉苑"), line.includes("南园")])).toEqual([[true, false], [false, true]]);
  });

  it("in a command on its way, and in the small pictures beside the large one", async () => {
    follow({ id: "c", site: "annex", target: "yard-in", kind: "barrier.open", reason: "", state: "asked" });
    leave = mount({ setup: () => () => [h(CommandTray), h(NowPanel)] });
    await settled();
    expect(at(T.command).textContent).toContain("南园 · yard-in");
    expect(at(T.nowOther("yard-in")).textContent).toContain("南园 · yard-in");
    dismiss("c");
  });
});

describe("a hit in “all sites”", () => {
  afterEach(() => (phone.value = false));

  it("names its own on a phone, folded and read out", async () => {
    phone.value = true;
    const data = { rule: "block:b-1", credential: { kind: "plate", value: "粤B88888" } };
    live.events = [{ ...access(7, { kind: "access.denied", source: "yard-in", at: new Date().toISOString(), data }), site: "annex" }];
    leave = mount(BlockedCard);
    await settled();
    expect(at(T.blockedMore).textContent).toContain("南园 · yard-in");
    expect(at(T.blockedCard).querySelector('[role="alert"]')?.textContent).toContain("南园 · yard-in");
  });
});

describe("a form in “all sites”", () => {
  it.each([
    ["somebody kept out", BlockDialog, { site: null }, "block-send"],
    ["somebody new", HolderDialog, { site: null, holder: null }, "holder-send"],
    ["a ticket", TicketNewDialog, {}, "ticket-new-send"],
  ] as const)("leaves open at which one it is: %s", async (_, dialog, props, send) => {
    const asked = server(() => ({ status: 201, body: { id: "x" } }));
    leave = mount(dialog, props);
    await vi.waitFor(() => at(send), SLOW_MS);
    await settled();
    at(send).click();
    await settled();
    const missing = [...document.querySelectorAll(".el-form-item.is-error")].map((each) => each.querySelector("label")?.textContent);
    expect(missing).toContain("项目");
    expect(asked.filter(({ method }) => method === "POST")).toEqual([]);
  }, SLOW_MS);
});

describe("a digit in “all sites”", () => {
  const panel = ref<InstanceType<typeof LanesPanel> | null>(null);
  const press = async (key: string): Promise<void> => {
    at(T.whichSite).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await settled();
  };

  beforeEach(async () => {
    leave = mount({ setup: () => () => h(LanesPanel, { ref: panel }) });
    await settled();
  });

  it("is a lane's place among those of its site, and asks of which", async () => {
    const keys = (id: string) => at(T.laneOpen(id)).querySelector("kbd")?.textContent;
    expect(["gate-in", "gate-out", "yard-in"].map(keys)).toEqual(["1", "2", "1"]);
    panel.value?.askNth(0);
    panel.value?.askNth(1); // before the question is there: the key was meant for it
    await vi.waitFor(() => at(T.whichSiteOf("demo")));
    expect(question.value).toBeNull();
    expect(at(T.whichSiteOf("demo")).textContent).toContain("云杉苑");
    await press("2");
    expect(question.value).toMatchObject({ site: "annex", target: "yard-in", opening: "open" });
  });

  it("asks also where but one site has such a lane, and nothing where none has", async () => {
    panel.value?.askNth(1);
    await vi.waitFor(() => at(T.whichSiteOf("demo")));
    expect(question.value).toBeNull();
    at(T.whichSiteOf("demo")).click();
    await settled();
    expect(question.value).toMatchObject({ site: "demo", target: "gate-out" });
    question.value = null;
    panel.value?.askNth(7);
    await settled();
    expect(document.querySelectorAll(".sites .site")).toHaveLength(0);
    expect(question.value).toBeNull();
  });
});
