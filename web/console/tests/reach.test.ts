/** What is begun from where somebody stands: a report of the device in sight, its repair, a person's entries. */

import { createApp, type Component } from "vue";
import { createMemoryHistory, createRouter, type Router } from "vue-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Layout, Role, User } from "@/api/types";
import NowPanel from "@/areas/guard/NowPanel.vue";
import DevicePeek from "@/areas/machines/DevicePeek.vue";
import HolderDetail from "@/areas/people/HolderDetail.vue";
import { area as sitesArea } from "@/areas/sites/area";
import TicketNewDialog from "@/areas/tickets/TicketNewDialog.vue";
import { draftsOf } from "@/kit/drafts";
import { i18n } from "@/kit/i18n";
import { placeKey } from "@/live/table";
import { together } from "@/shell/stores/handling";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { layouts, sites } from "@/shell/stores/site";
import { T } from "@/testids";
import { alarm } from "./items";
import { at, server, settled, type } from "./mounting";

const SLOW_MS = 30_000;
const PUMP = { id: "pump-2", name: { zh: "2 号泵", en: "Pump 2" }, kind: "pump", place: null, profile: "p", bus: "b" };
const LANE = { id: "gate-in", name: { zh: "入口", en: "Entry" }, direction: "in", place: null, zones: [] };
const DEMO = { site: "demo", name: { zh: "云杉苑", en: "Spruce" }, doors: [], lanes: [LANE], devices: [PUMP], zones: [], points: [], meters: [] };
const HOLDER = { id: "h-1", site: "demo", name: "周明远", unit: "", kind: "resident", version: 1, valid_from: null, valid_to: null, credentials: [], grants: [] };

let leave = (): void => undefined;

function is(role: Role, ...can: typeof session.can): void {
  session.user = { id: "u", username: "u", name: "u", role, sites: ["demo"], language: "zh" } as User;
  session.can = can;
}

async function opened(page: Component, address: string, props = {}): Promise<Router> {
  const router = createRouter({ history: createMemoryHistory(), routes: [{ path: "/:rest(.*)*", component: { render: () => null } }] });
  await router.push(address);
  const app = createApp(page, props).use(i18n).use(router);
  app.mount(document.body.appendChild(document.createElement("div")));
  leave = () => app.unmount();
  await settled();
  return router;
}

beforeEach(() => {
  layouts.set("demo", DEMO as unknown as Layout);
  sites.items = [{ id: "demo", name: DEMO.name }] as typeof sites.items;
  draftsOf("u");
});
afterEach(() => {
  leave();
  live.alarms.clear();
  live.lanes.clear();
  layouts.clear();
  sites.items = [];
  together.value = null;
  session.user = null;
  session.can = [];
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

it.each([
  ["/devices?peek=device:demo/pump-2&new=ticket", "pump-2"],
  ["/devices/pump-2?site=demo&new=ticket", "pump-2"],
  ["/guard?peek=alarm:a-1&new=ticket", "pump-2"],
  ["/guard?new=ticket", ""],
])("reports at %s the device in sight: %s", async (address, asset) => {
  is("guard", "tickets.create");
  live.alarms.set("a-1", alarm("a-1"));
  const asked = server(() => ({ status: 201, body: { id: "t-1" } }));
  await opened(TicketNewDialog, address);
  await vi.waitFor(() => at(T.ticketNewName), SLOW_MS);
  await type(at(T.ticketNewName), "漏水");
  at(T.ticketNewSend).click();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(asked[0]?.body).toMatchObject({ site: "demo", asset, title: "漏水" });
}, SLOW_MS);

it("lets a device be reported, and all its alarms be shelved, where the device is shown", async () => {
  is("maintenance", "tickets.create");
  live.alarms.set("a-1", alarm("a-1", { can: ["alarm.shelve"] }));
  live.alarms.set("a-2", alarm("a-2", { can: ["alarm.shelve"], asset: "pump-1" }));
  server(() => ({ status: 200, body: { items: [], next: null } }));
  const router = await opened(DevicePeek, "/devices?peek=device:demo/pump-2", { id: "pump-2", site: "demo" });
  at(T.alarmTag).click();
  expect(together.value).toMatchObject({ act: "shelve", title: "检修挂牌：2 号泵" });
  expect(together.value?.alarms.map(({ id }) => id)).toEqual(["a-1"]);
  at(T.deviceReport).click();
  await vi.waitFor(() => expect(router.currentRoute.value.query).toMatchObject({ new: "ticket", peek: "device:demo/pump-2" }));
});

it("leads from a person to where they came and went, whoever may see that", async () => {
  server(({ path }) => ({ status: 200, body: path.startsWith("/api/holders/") ? HOLDER : { items: [], next: null } }));
  for (const can of [["people.read", "watch"], ["people.read"]] as const) {
    is("manager", ...can);
    await opened(HolderDetail, "/people/h-1", { site: "demo", holder: "h-1" });
    await vi.waitFor(() => expect(document.body.textContent).toContain("周明远"));
    const link = document.querySelector(`[data-testid="${T.holderEntries}"]`);
    if (can.length === 1) expect(link).toBeNull();
    else expect(decodeURIComponent(link?.getAttribute("href") ?? "")).toBe("/history?q=周明远&site=demo");
    leave();
    document.body.replaceChildren();
  }
});

it("calls no blocked car a visitor's", async () => {
  is("guard", "watch", "open");
  const car = { plate: "粤B88888", read_at: null, picture: null, stream: null, seq: null, outcome: "denied", holder: null };
  for (const [blocked, said] of [[true, false], [false, true]] as const) {
    live.lanes.set(placeKey("demo", "gate-in"), { id: "gate-in", site: "demo", barrier: "down", loops: null, car: { ...car, blocked }, last_plate: null, can: [], at: null } as never);
    await opened(NowPanel, "/guard");
    expect(at(T.now).textContent?.includes("临停车")).toBe(said);
    leave();
    document.body.replaceChildren();
  }
});

it("shows the overview to whoever compares sites, also where there is one", () => {
  expect(sitesArea.pages[0]?.nav?.shown?.() ?? true).toBe(true);
});
