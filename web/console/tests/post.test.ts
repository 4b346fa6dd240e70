/** What opens by its address depends on who is signed in. */

import { createApp, defineComponent, h } from "vue";
import { createMemoryHistory, createRouter, createWebHistory, useRoute, type Router } from "vue-router";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Role, User } from "@/api/types";
import AlarmPeek from "@/areas/alarms/AlarmPeek.vue";
import HolderDetail from "@/areas/people/HolderDetail.vue";
import People from "@/areas/people/People.vue";
import TicketDetail from "@/areas/tickets/TicketDetail.vue";
import TicketNewDialog from "@/areas/tickets/TicketNewDialog.vue";
import { drafts, draftsOf } from "@/kit/drafts";
import { i18n } from "@/kit/i18n";
import { live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";
import { T } from "@/testids";
import { alarm, ticket } from "./items";
import { at, server, settled, type } from "./mounting";

/** Pickers of dates are drawn slowly without a browser, and slower beside other tests. */
const SLOW_MS = 30_000;

const HOLDER = { id: "h1", site: "demo", name: "周", unit: "", kind: "resident", version: 1, valid_from: null, valid_to: null };
const card = { id: "c1", site: "demo", kind: "card", value: "04A1B2C3D4E5F6", holder: "h1", state: "active", version: 1, valid_from: null, valid_to: null };
const plate = { ...card, id: "c2", kind: "plate", value: "沪A12345" };

let leave = (): void => undefined;

function is(role: Role, ...can: typeof session.can): void {
  session.user = { id: "u", username: "u", name: "u", role, sites: ["demo"], language: "zh" } as User;
  session.can = can;
}

beforeEach(() =>
  void server(({ path, method }) => {
    if (method === "POST") return { status: 201, body: HOLDER };
    if (path === "/api/tickets/t") return { status: 200, body: ticket("t") };
    const whole = { ...HOLDER, credentials: [card, plate], grants: [] };
    return { status: 200, body: path.startsWith("/api/holders/h1") ? whole : { items: [], next: null } };
  },
  ),
);
afterEach(() => {
  leave();
  session.user = null;
  session.can = [];
  live.tickets.clear();
  live.alarms.clear();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

async function opened(page: object, address: string, props = {}, history = createMemoryHistory()): Promise<Router> {
  const router = createRouter({
    history,
    routes: [{ path: "/:rest(.*)*", component: { render: () => null } }],
  });
  await router.push(address);
  const host = document.body.appendChild(document.createElement("div"));
  const app = createApp(page, props).use(i18n).use(router);
  app.mount(host);
  leave = () => app.unmount();
  await settled();
  return router;
}

const form = () => document.querySelector(".form-dialog");

it.each([[["people.read", "people.write"], true], [["people.read"], false]] as const)(
  "opens the form for a new person to %s: %s",
  async (can, opens) => {
    is("manager", ...can);
    await opened(People, "/people?form=new");
    if (opens) await vi.waitFor(() => expect(form()).not.toBeNull());
    else expect(form()).toBeNull();
  },
  SLOW_MS,
);

it.each(["holder", "credential", "grant"])("opens no form for a %s to whoever may only read", async (name) => {
  is("guard", "people.read");
  await opened(HolderDetail, `/people/h1?form=${name}`, { site: "demo", holder: "h1" });
  await vi.waitFor(() => at(T.credential("沪A12345")));
  expect(form()).toBeNull();
});

it.each([
  ["finish", "tickets.work"],
  ["reopen", "tickets.reopen"],
] as const)("opens the form to %s a ticket to whoever may, and to nobody else", async (name, ability) => {
  live.tickets.set("t", ticket("t"));
  is("guard", "tickets.read");
  await opened(TicketDetail, `/tickets/t?form=${name}`, { id: "t" });
  expect(form()).toBeNull();
  session.can = ["tickets.read", ability];
  await vi.waitFor(() => expect(form()).not.toBeNull());
});

it("opens the form to send a ticket back to whoever asked for the work", async () => {
  live.tickets.set("t", ticket("t", { can: ["reopen"] }));
  is("guard", "tickets.read");
  await opened(TicketDetail, "/tickets/t?form=reopen", { id: "t" });
  await vi.waitFor(() => expect(form()).not.toBeNull());
});

it.each([["guard", false], ["maintenance", true]] as const)("tells a %s by which rule an alarm came: %s", async (role, told) => {
  live.alarms.set("a", alarm("a", { rule: "pump-1.dry_run" }));
  is(role);
  await opened(AlarmPeek, "/alarms/a", { id: "a" });
  await vi.waitFor(() => expect(document.body.textContent).toContain(i18n.global.t("alarms.duration")));
  expect(document.body.textContent?.includes("pump-1.dry_run")).toBe(told);
});

it("goes back from somebody just registered to the list, not to an empty form", async () => {
  is("manager", "people.read", "people.write");
  history.replaceState(null, "", "/people");
  const router = await opened(People, "/people", {}, createWebHistory());
  at(T.holderNew).click();
  await vi.waitFor(() => at(T.holderName), SLOW_MS);
  await type(at(T.holderName), "周");
  at(T.holderSend).click();
  await vi.waitFor(() => expect(router.currentRoute.value.query.peek).toBe("person:h1"), SLOW_MS);
  expect(router.currentRoute.value.query.form).toBeUndefined();
  router.back();
  await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe("/people"));
}, SLOW_MS);

it("leaves neither a draft nor an empty form behind a ticket that was sent", async () => {
  is("guard", "tickets.read", "tickets.create");
  draftsOf("u");
  history.replaceState(null, "", "/tickets");
  const New = defineComponent(() => () => (useRoute().query.new ? h(TicketNewDialog) : null));
  const router = await opened(New, "/tickets", {}, createWebHistory());
  await router.push("/tickets?new=ticket");
  await vi.waitFor(() => at(T.ticketNewName));
  await type(at(T.ticketNewName), "灯不亮");
  expect(drafts.size).toBe(1);
  at(T.ticketNewSend).click();
  await vi.waitFor(() => expect(router.currentRoute.value.path).toBe("/tickets/h1"));
  await settled();
  expect(drafts.size).toBe(0);
  router.back();
  await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe("/tickets"));
});
