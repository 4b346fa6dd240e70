import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Ticket } from "@/api/types";
import Tickets from "@/areas/tickets/Tickets.vue";
import { preferences } from "@/kit/preferences";
import { live } from "@/shell/stores/live";
import { T } from "@/testids";

import { ticket } from "./items";
import { at, mounted, server, settled, type } from "./mounting";

let leave = (): void => undefined;

afterEach(() => {
  leave();
  live.tickets.clear();
  vi.unstubAllGlobals();
});

const old = (n: number): Ticket =>
  ticket(`old-${n}`, { number: n, state: "closed", raised_at: `2025-01-${String(28 - n).padStart(2, "0")}T00:00:00.000Z` });

const queries = (asked: { path: string }[]): URLSearchParams[] =>
  asked.filter(({ path }) => path.startsWith("/api/tickets")).map(({ path }) => new URL(path, "http://x").searchParams);

async function opened(path: string, pages: Ticket[][]) {
  const asked = server(({ path: of }) => {
    const query = new URL(of, "http://x").searchParams;
    if (query.get("state") === "raised,taken,done") return { status: 200, body: { items: [], next: null } };
    const page = Number(query.get("cursor") ?? 0);
    return { status: 200, body: { items: pages[page] ?? [], next: page + 1 < pages.length ? String(page + 1) : null } };
  });
  const { leave: end, router } = mounted(Tickets);
  leave = end;
  await router.push(path);
  await settled();
  return { asked, router };
}

const rows = (): number => document.querySelectorAll(`[data-testid="${T.ticket}"]`).length;

describe("the list of tickets", () => {
  beforeEach(() => (preferences.ticketsAs = "list"));

  it("asks the server for what is looked for, and page by page", async () => {
    const { asked } = await opened("/tickets?state=closed&q=kunren&owner=mine&severity=critical", []);
    const wanted = { state: "closed", q: "kunren", assignee: "me", severity: "critical" };
    await vi.waitFor(() => expect(Object.fromEntries(queries(asked).at(-1) ?? [])).toMatchObject(wanted));
  });

  it("shows more, and not what lies between that no page has brought yet", async () => {
    live.tickets.set("far", ticket("far", { raised_at: "2024-01-01T00:00:00.000Z" }));
    await opened("/tickets", [[old(1), old(2)], [old(3)]]);
    await vi.waitFor(() => expect(rows()).toBe(2));
    at(T.ticketsMore).click();
    await vi.waitFor(() => expect(rows()).toBe(4));
    expect(document.querySelector(`[data-testid="${T.ticketsMore}"]`)).toBeNull();
  });

  it("keeps its state in the address", async () => {
    const { router, asked } = await opened("/tickets", [[old(1)]]);
    await vi.waitFor(() => expect(rows()).toBe(1));
    at(T.ticketsState("closed")).click();
    await vi.waitFor(() => expect(router.currentRoute.value.query.state).toBe("closed"));
    await vi.waitFor(() => expect(queries(asked).at(-1)?.get("state")).toBe("closed"));
  });
});

describe("a new snapshot", () => {
  const closedPages = (): Ticket[][] => [[old(1)], [old(2)]];

  beforeEach(() => (preferences.ticketsAs = "board"));
  afterEach(() => (live.asOf = null));

  it("has the server asked again: a ticket closed while the link was away is open no longer, and no page is lost", async () => {
    const gone = ticket("gone");
    let over = false;
    const pages = closedPages();
    server(({ path }) => {
      const query = new URL(path, "http://x").searchParams;
      if (query.get("state") === "raised,taken,done") return { status: 200, body: { items: over ? [] : [gone], next: null } };
      const page = Number(query.get("cursor") ?? 0);
      return { status: 200, body: { items: pages[page] ?? [], next: page + 1 < pages.length ? String(page + 1) : null } };
    });
    live.asOf = "2026-03-09T00:00:00.000Z";
    leave = mounted(Tickets).leave;
    const count = (state: string): number => at(T.ticketColumn(state)).querySelectorAll(`[data-testid="${T.ticket}"]`).length;
    await vi.waitFor(() => expect([count("raised"), count("closed")]).toEqual([1, 1]));
    at(T.ticketsMore).click();
    await vi.waitFor(() => expect(count("closed")).toBe(2));
    over = true;
    pages[0] = [ticket("gone", { state: "closed" })];
    live.asOf = "2026-03-09T00:10:00.000Z";
    await vi.waitFor(() => expect([count("raised"), count("closed")]).toEqual([0, 2]));
  });

  it("has nothing asked twice where it is the first", async () => {
    const { asked } = await opened("/tickets", closedPages());
    await settled();
    const before = asked.length;
    live.asOf = "2026-03-09T00:00:00.000Z";
    await settled();
    expect(asked.length).toBe(before);
  });
});

describe("the board of tickets", () => {
  beforeEach(() => (preferences.ticketsAs = "board"));

  it("says of each device that there may be more while the server has more", async () => {
    server(() => ({ status: 200, body: { items: [ticket("a")], next: "1" } }));
    const { leave: end, router } = mounted(Tickets);
    leave = end;
    await router.push("/tickets?group=device");
    await vi.waitFor(() => expect(at(T.ticketsGroup).querySelector(".count")?.textContent).toBe("1+"));
  });

  it("reaches every closed one, and finds by words that no screen holds", async () => {
    const { asked } = await opened("/tickets", [[old(1)], [old(2)]]);
    const closed = (): number => at(T.ticketColumn("closed")).querySelectorAll(`[data-testid="${T.ticket}"]`).length;
    await vi.waitFor(() => expect(closed()).toBe(1));
    expect(at(T.ticketColumn("closed")).textContent).toContain("1+");
    at(T.ticketsMore).click();
    await vi.waitFor(() => expect(closed()).toBe(2));
    const field = at(T.ticketWords);
    await type(field.matches("input") ? field : (field.querySelector("input") ?? field), "灯");
    await vi.waitFor(() => expect(queries(asked).map((query) => query.get("q"))).toContain("灯"));
    // The server found it, by whatever word of it.
    await vi.waitFor(() => expect(closed()).toBe(1));
  });
});
