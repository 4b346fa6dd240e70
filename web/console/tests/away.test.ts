/** What must reach a gateway that is away is greyed, with the reason; what is counted of it is marked. */

import { afterEach, beforeEach, expect, it, vi } from "vitest";

import AlarmActions from "@/areas/alarms/AlarmActions.vue";
import { ackAll } from "@/areas/alarms/grouped";
import Meters from "@/areas/machines/Meters.vue";
import DevicePeek from "@/areas/machines/DevicePeek.vue";
import PointDetail from "@/areas/machines/PointDetail.vue";
import NowPanel from "@/areas/guard/NowPanel.vue";
import Sites from "@/areas/sites/Sites.vue";
import TicketDetail from "@/areas/tickets/TicketDetail.vue";
import Tickets from "@/areas/tickets/Tickets.vue";
import AppNav from "@/shell/AppNav.vue";
import { together } from "@/shell/stores/handling";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { layouts, siteInAddress, sites } from "@/shell/stores/site";
import { T } from "@/testids";
import { alarm, lane, ticket } from "./items";
import { at, mount, server, settled } from "./mounting";

const told = vi.hoisted(() => vi.fn());
vi.mock("@/kit/notice", () => ({ notice: told }));

let leave = (): void => undefined;
const can = ["alarm.ack", "alarm.shelve"] as never;

beforeEach(() => {
  session.about = { server: "hub" } as typeof session.about;
  session.user = { id: "u", role: "installer", sites: ["demo"], name: "王" } as typeof session.user;
  session.can = ["points.write", "alarms.ack", "watch"] as never;
  live.asOf = new Date().toISOString();
  live.gateways.set("demo-gw", { id: "demo-gw", site: "demo", online: false, seen_at: "2026-03-09T00:00:00.000Z" } as never);
});
afterEach(() => {
  leave();
  together.value = null;
  live.gateways.clear();
  live.alarms.clear();
  live.asOf = null;
  session.about = session.user = null;
  session.can = [];
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

it("an alarm is acknowledged, shelved and tagged only where its gateway would hear of it", async () => {
  live.alarms.set("a-1", alarm("a-1", { can }));
  leave = mount(AlarmActions, { alarm: alarm("a-1", { can }), device: true });
  await settled();
  for (const id of [T.alarmAck, T.alarmShelve, T.alarmTag]) {
    expect(at<HTMLButtonElement>(id).disabled).toBe(true);
    expect(at(id).title).toContain("指令到不了");
  }
  live.gateways.set("demo-gw", { id: "demo-gw", site: "demo", online: true, seen_at: null } as never);
  await settled();
  expect(at<HTMLButtonElement>(T.alarmAck).disabled).toBe(false);
});

it("a device is tagged only where its gateway would hear of it", async () => {
  server(() => ({ status: 200, body: { items: [], next: null } }));
  const device = { id: "pump-2", name: { zh: "二号泵", en: "Pump 2" }, place: { zh: "", en: "" }, profile: "", bus: "" };
  layouts.set("demo", { site: "demo", name: { zh: "云杉苑", en: "Spruce" }, doors: [], lanes: [], zones: [], devices: [device], points: [] } as never);
  live.alarms.set("a-1", alarm("a-1", { can }));
  leave = mount(DevicePeek, { id: "pump-2", site: "demo" });
  await settled();
  expect(at<HTMLButtonElement>(T.alarmTag).disabled).toBe(true);
  expect(at(T.alarmTag).title).toContain("指令到不了");
  live.gateways.set("demo-gw", { id: "demo-gw", site: "demo", online: true, seen_at: null } as never);
  await settled();
  expect(at<HTMLButtonElement>(T.alarmTag).disabled).toBe(false);
  layouts.clear();
});

it("a ticket says that its alarm is closed only where that is known", async () => {
  server(({ path }) => ({ status: 200, body: path === "/api/tickets/t" ? ticket("t", { alarm: "a-9" }) : { items: [], next: null } }));
  sites.items = ["demo", "annex"].map((id) => ({ id, name: id }));
  leave = mount(TicketDetail, { id: "t" });
  await settled();
  const said = (): string => at(T.ticketDetail).querySelector(".about")?.textContent ?? "";
  expect(said()).toContain("已关闭");
  siteInAddress.value = "annex"; // the alarms of another site are heard
  await settled();
  expect(said()).not.toContain("已关闭");
  siteInAddress.value = "demo";
  await settled();
  expect(said()).toContain("已关闭");
  live.asOf = null;
  await settled();
  expect(said()).not.toContain("已关闭");
  expect(said()).toContain("–");
  siteInAddress.value = null;
  sites.items = [];
});

it("that the gateway is away can be acknowledged: the hub says that itself", async () => {
  leave = mount(AlarmActions, { alarm: alarm("a-2", { can, rule: "gateway.lost", source: "demo-gw" }) });
  await settled();
  expect(at<HTMLButtonElement>(T.alarmAck).disabled).toBe(false);
  ackAll([alarm("a-1", { can }), alarm("a-2", { can, rule: "gateway.lost" })], "both");
  expect(together.value?.alarms.map(({ id }) => id)).toEqual(["a-2"]);
  together.value = null;
  ackAll([alarm("a-1", { can })], "one");
  expect(together.value).toBeNull();
  expect(told).toHaveBeenCalledWith("warning", expect.stringContaining("指令到不了"));
});

it("no value is written to a point of it", async () => {
  server(() => ({ status: 200, body: { items: [], next: null } }));
  const point = { key: "demo/p.x", id: "p.x", site: "demo", device: "p", name: null, type: "number", unit: "", labels: {}, writable: true, value: 1, quality: "stale", at: null, detail: false, contact: false };
  leave = mount(PointDetail, { point });
  await settled();
  const send = document.querySelector<HTMLButtonElement>(".write button[type=submit]")!;
  expect([send.disabled, send.title.includes("指令到不了")]).toEqual([true, true]);
});

it("the numbers beside the navigation say that they are not of now", async () => {
  live.alarms.set("a-1", alarm("a-1"));
  leave = mount(AppNav);
  await settled();
  const badge = document.querySelector<HTMLElement>(".badge")!;
  expect(badge.dataset.standing).not.toBe("live");
  expect(badge.className).toContain("old");
});

it.each([
  ["tickets", Tickets, T.standing],
  ["meters", Meters, T.standing],
  ["sites", Sites, T.standing],
  ["the large picture", NowPanel, T.nowStanding],
])("%s say that they are not of now", async (_, page, mark) => {
  server(() => ({ status: 200, body: { items: [], next: null } }));
  sites.items = [{ id: "demo", name: "云杉苑" }];
  live.lanes.set("demo/gate-in", lane("gate-in"));
  // That a gateway is lost a site's card says in words of its own; here it is the link.
  live.gateways.set("demo-gw", { id: "demo-gw", site: "demo", online: true, seen_at: null, backlog: 0 } as never);
  leave = mount(page);
  await settled();
  expect(["stale", "unknown"]).toContain(at(mark).dataset.standing);
  sites.items = [];
  live.lanes.clear();
});
