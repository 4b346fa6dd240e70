import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { exportPath } from "@/areas/history/api";
import { dayAfter, momentsOf, startOf } from "@/areas/history/days";
import History from "@/areas/history/History.vue";
import { session } from "@/shell/stores/session";
import { T } from "@/testids";
import { access } from "./items";
import { at, mount, server, settled, type, type Asked } from "./mounting";

describe("days of a site", () => {
  it.each([
    ["2026-03-09", "Asia/Shanghai", "2026-03-08T16:00:00.000Z"],
    ["2026-03-09", "UTC", "2026-03-09T00:00:00.000Z"],
    ["2026-03-09", "America/New_York", "2026-03-09T04:00:00.000Z"],
    // The clocks were put forward this very day: it began by the old time.
    ["2026-03-08", "America/New_York", "2026-03-08T05:00:00.000Z"],
    ["2026-11-01", "America/New_York", "2026-11-01T04:00:00.000Z"],
  ])("%s begins in %s at %s", (day, zone, begins) => {
    expect(new Date(startOf(day, zone) ?? 0).toISOString()).toBe(begins);
  });

  it("knows what is no day", () => {
    for (const day of ["", "2026-13-01", "yesterday", "2026-3-9"]) expect(startOf(day, "UTC")).toBeNull();
    expect(dayAfter("2026-02-28", 1)).toBe("2026-03-01");
  });

  it("makes ranges of the gate's own days", () => {
    const now = Date.parse("2026-03-08T17:00:00Z"); // 01:00 of the ninth
    const moments = (range: Parameters<typeof momentsOf>[0], first = "", last = "") =>
      Object.values(momentsOf(range, first, last, now, "Asia/Shanghai"));
    expect(moments("all")).toEqual([null, null]);
    expect(moments("today")).toEqual(["2026-03-08T16:00:00.000Z", null]);
    expect(moments("yesterday")).toEqual(["2026-03-07T16:00:00.000Z", "2026-03-08T16:00:00.000Z"]);
    expect(moments("week")).toEqual(["2026-03-02T16:00:00.000Z", null]);
    expect(moments("days", "2026-01-01", "2026-01-02")).toEqual(["2025-12-31T16:00:00.000Z", "2026-01-02T16:00:00.000Z"]);
    expect(moments("days", "2026-01-01")).toEqual(["2025-12-31T16:00:00.000Z", null]);
  });
});

describe("the page of entries", () => {
  let leave = (): void => undefined;
  beforeEach(() => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    session.about = { server: "hub", site: null, version: "0", hub_connected: null, working_alone_since: null, backlog: null };
  });
  afterEach(() => {
    leave();
    session.about = null;
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  const found = (id: number) => ({
    event: access(id, { source: "gate-in", data: { credential: { kind: "plate", value: `沪A0000${id}` }, holder: null } }),
    outcome: "granted",
    traveller: "car",
    passed_at: "2026-03-09T00:01:00.000Z",
    picture: null,
  });

  async function open(pages: Record<string, unknown>[]): Promise<Asked[]> {
    const asked = server(() => ({ status: 200, body: pages.shift() ?? { items: [], next: null } }));
    leave = mount(History);
    await passed();
    return asked;
  }

  async function passed(): Promise<void> {
    await vi.advanceTimersByTimeAsync(700);
    await settled();
  }

  const queries = (asked: Asked[]) =>
    asked.filter(({ path }) => path.startsWith("/api/entries")).map(({ path }) => path.slice("/api/entries".length));
  const plates = () => [...document.querySelectorAll<HTMLElement>("[data-plate]")].map((row) => row.dataset.plate);

  it("asks the server for what was typed, and for the next page", async () => {
    const asked = await open([
      { items: [found(3)], next: null },
      { items: [found(2)], next: "c-1" },
      { items: [found(1)], next: null },
    ]);
    expect(queries(asked)).toEqual(["?limit=60"]);
    const search = at(T.historySearch);
    await type((search.matches("input") ? search : search.querySelector("input")) as HTMLElement, "沪a·0");
    await passed();
    expect(queries(asked)[1]).toBe(`?${new URLSearchParams({ q: "沪a·0", limit: "60" }).toString()}`);
    expect(at(T.historyCount).textContent).toContain("1 条以上");
    at(T.historyMore).click();
    await passed();
    expect(queries(asked)[2]).toContain("cursor=c-1");
    expect(plates()).toEqual(["沪A00002", "沪A00001"]);
    expect(document.body.textContent).toContain("已通过");
  });

  it("says that nothing was found, and what went wrong", async () => {
    await open([{ items: [], next: null }]);
    expect(at(T.historyEmpty).textContent).toContain("没有符合条件的记录");
    leave();
    server(() => ({ status: 503, body: { error: { code: "busy", message: "忙" } } }));
    leave = mount(History);
    await passed();
    expect(document.querySelector("[role=alert]")?.textContent).toContain("忙");
  });

  it("says how far a gateway has looked, which makes no files", async () => {
    session.about = { ...session.about!, server: "gateway" };
    await open([{ items: [], next: null, looked_to: "2026-03-08T00:00:00.000Z" }]);
    expect(at(T.historyCount).textContent).toContain("只查到");
    expect(document.querySelector(`[data-testid="${T.historyExport("csv")}"]`)).toBeNull();
  });

  it("makes a file of what is shown", () => {
    const wanted = { site: "demo", q: "沪", from: null, to: null, place: null, outcome: null, traveller: null };
    expect(decodeURIComponent(exportPath(wanted, "csv", "zh"))).toBe(
      "/api/entries/export?site=demo&q=沪&format=csv&language=zh",
    );
  });
});
