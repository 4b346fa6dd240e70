import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Ticket } from "@/api/types";
import { groupsOf, matches, type Wanted } from "@/areas/tickets/filtering";
import { stepAsking } from "@/areas/tickets/stepping";
import Tickets from "@/areas/tickets/Tickets.vue";
import TicketValues from "@/areas/tickets/TicketValues.vue";
import { preferences } from "@/kit/preferences";
import { live } from "@/shell/stores/live";
import { T } from "@/testids";

import { ticket } from "./items";
import { at, mount, server, settled } from "./mounting";

const person = (name: string) => ({ id: name, name, role: "maintenance" });
const taken = (id: string, by: string, more: Partial<Ticket> = {}): Ticket =>
  ticket(id, {
    state: "taken",
    assignee: person(by),
    steps: [{ at: new Date(Date.now() - 120_000).toISOString(), step: "taken", by: person(by), text: "", was: null, to: null }],
    ...more,
  });

let leave = (): void => undefined;

afterEach(() => {
  leave();
  live.tickets.clear();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

async function answer(yes: boolean): Promise<string> {
  const box = await vi.waitFor(() => {
    const found = [...document.querySelectorAll<HTMLElement>(".el-message-box")].at(-1);
    if (!found) throw new Error("nobody asks");
    return found;
  });
  const said = box.querySelector(".el-message-box__message")?.textContent ?? "";
  box.querySelector<HTMLElement>(yes ? ".el-button--primary" : ".el-button:not(.el-button--primary)")?.click();
  await settled();
  return said;
}

describe("a ticket that somebody else took meanwhile", () => {
  const conflict = { error: { code: "ticket_taken", message: "李工 已接单", fields: {}, current: taken("t-1", "李工") } };

  it("is asked about, by name and time, and then taken over from them", async () => {
    const asked = server(({ path }) =>
      path.endsWith("/take") ? { status: 409, body: conflict } : { status: 200, body: taken("t-1", "宋工") },
    );
    const done = stepAsking("t-1", "take", {}, null);
    expect(await answer(true)).toBe("李工 2 分钟前已接单，改由我处理？");
    expect((await done)?.assignee?.name).toBe("宋工");
    expect(asked.map(({ path, body }) => [path, body])).toEqual([
      ["/api/tickets/t-1/take", {}],
      ["/api/tickets/t-1/take_over", { holder: "李工" }],
    ]);
  });

  it("stays with them when the person lets it be", async () => {
    const asked = server(() => ({ status: 409, body: conflict }));
    const done = stepAsking("t-1", "take", {}, null);
    await answer(false);
    expect(await done).toBeNull();
    expect(asked.length).toBe(1);
  });

  it("is asked about before it is finished, where it is known to be another's", async () => {
    const asked = server(() => ({ status: 200, body: taken("t-1", "李工", { state: "done" }) }));
    const done = stepAsking("t-1", "finish", { found: "a", done: "b" }, taken("t-1", "李工"));
    expect(await answer(true)).toContain("李工");
    await done;
    expect(asked[0]?.body).toEqual({ found: "a", done: "b", holder: "李工" });
  });
});

describe("which tickets are shown", () => {
  const all: Wanted = { owner: "all", severity: "", kind: "", site: "", words: "", since: 0 };
  it.each<[string, Partial<Wanted>, boolean]>([
    ["all", {}, true],
    ["one's own", { owner: "mine" }, true],
    ["nobody's", { owner: "nobody" }, false],
    ["of its severity", { severity: "major" }, true],
    ["of another", { severity: "minor" }, false],
    ["of another site", { site: "north" }, false],
    ["of a kind that it has not", { kind: "pump" }, false],
    ["by title and number", { words: "停机 #1" }, true],
    ["by who has it", { words: "宋工" }, true],
    ["by other words", { words: "电梯" }, false],
  ])("%s", (_, wanted, shown) => {
    expect(matches(taken("t-1", "宋工"), { ...all, ...wanted }, "宋工", undefined, "2 号泵")).toBe(shown);
  });

  it("stands together by device or by person", () => {
    const some = [taken("a", "x"), taken("b", "y", { asset: "lift-1" }), taken("c", "x")];
    const told = (by: "device" | "person"): string[] =>
      groupsOf(some, by).map(({ key, tickets }) => `${key}: ${tickets.map(({ id }) => id).join()}`);
    expect(told("device")).toEqual(["demo/pump-2: a,c", "demo/lift-1: b"]);
    expect(told("person")).toEqual(["x: a,c", "y: b"]);
  });
});

describe("the board", () => {
  beforeEach(() => (preferences.ticketsAs = "board"));

  it("takes several in one request, and says which were another's", async () => {
    const some = ["a", "b", "c"].map((id, n) => ticket(id, { number: n, can: ["take", "comment"] }));
    for (const each of some) live.tickets.set(each.id, each);
    const refused = { code: "ticket_taken", message: { zh: "李工 已接单", en: "" } };
    const asked = server(({ method, body }) => {
      if (method === "GET") return { status: 200, body: { items: [], next: null } };
      const { ids } = body as { ids: string[] };
      const items = ids.map((id) => (id === "c" ? { id, ticket: null, refused } : { id, ticket: taken(id, "宋工"), refused: null }));
      return { status: 200, body: { items } };
    });
    leave = mount(Tickets);
    await settled();
    for (const box of document.querySelectorAll<HTMLElement>(`[data-testid="${T.ticketBox}"]`)) box.click();
    await settled();
    at(T.ticketsStep("take")).click();
    await vi.waitFor(() => at(T.ticketsStepSend));
    at(T.ticketsStepSend).click();
    await vi.waitFor(() => expect(asked.some(({ method }) => method === "POST")).toBe(true));
    const sent = asked.filter(({ method }) => method === "POST");
    expect(sent.map(({ path, body }) => [path, body])).toMatchObject([
      ["/api/tickets/steps", { ids: ["a", "b", "c"], step: "take" }],
    ]);
    await vi.waitFor(() => expect(document.querySelector(".el-message--warning")?.textContent).toContain("李工 已接单"));
  });

  it("says on the card that the device has recovered, and how often it came again", async () => {
    server(() => ({ status: 200, body: { items: [], next: null } }));
    live.tickets.set("a", ticket("a", { count: 2, recovered_at: new Date().toISOString() }));
    leave = mount(Tickets);
    await settled();
    const card = at(T.ticket);
    expect(card.textContent).toContain("设备已恢复");
    expect(card.textContent).toContain("同一故障再次发生（共 2 次）");
  });
});

it("a fault that came again offers the values around the first one too", async () => {
  const point = "pump-2.flow";
  const rows = (from: number): [string, number, number][] => [0, 1, 2].map((n) => [point, from + n * 1000, n]);
  const raised = Date.now() - 60_000;
  const of = ticket("t", { raised_at: new Date(raised).toISOString(), history: rows(raised + 50_000), first_history: rows(raised) });
  leave = mount(TicketValues, { ticket: of });
  await settled();
  expect(at(T.ticketMoment("last")).getAttribute("aria-pressed")).toBe("true");
  at(T.ticketMoment("first")).click();
  await settled();
  expect(at(T.ticketMoment("first")).getAttribute("aria-pressed")).toBe("true");
});
