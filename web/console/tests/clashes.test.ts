import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { api } from "@/api/client";
import { credentials, type Credential } from "@/areas/people/api";
import { clashesOf, same, settled } from "@/kit/clashes";
import ClashDialog from "@/shell/ClashDialog.vue";
import { comparison, removing, saving } from "@/shell/stores/editing";
import { T } from "@/testids";

import { at, mount, server, settled as quiet } from "./mounting";

const CARD: Credential = {
  id: "c1",
  site: "demo",
  version: 1,
  kind: "card",
  value: "04A1B2C3D4E5F6",
  holder: "h1",
  state: "active",
  valid_from: null,
  valid_to: null,
  changed_at: "2026-03-09T00:00:00.000Z",
  printed: {},
};
const { id: _id, site: _site, version: _version, changed_at: _at, printed: _printed, ...BODY } = CARD;

describe("two forms of one record", () => {
  it("clash only where the other changed something to what is not wanted anyway", () => {
    const theirs = { ...BODY, state: "lost", valid_to: "2030-01-01T00:00:00Z" };
    const mine = { ...BODY, valid_to: "2030-01-01T08:00:00+08:00", valid_from: "2029-01-01T00:00:00Z" };
    expect(clashesOf(CARD, theirs, mine)).toEqual([
      { field: "state", old: "active", theirs: "lost", mine: "active", both: false },
    ]);
  });

  it("keep theirs unless mine is chosen", () => {
    const clashes = clashesOf({ a: 1, b: 1 }, { a: 2, b: 2 }, { a: 3, b: 1 });
    expect(clashes.map((clash) => clash.both)).toEqual([true, false]);
    expect(settled(clashes, { a: "mine", b: "theirs" })).toEqual({ a: 3, b: 2 });
  });

  it("know the same moment and the same text however they are written", () => {
    expect(same("2026-01-01T00:00:00Z", "2026-01-01T08:00:00.000+08:00")).toBe(true);
    expect(same({ zh: "门", en: "Door" }, { en: "Door", zh: "门" })).toBe(true);
    expect(same(null, undefined)).toBe(true);
    expect(same(["a", "b"], ["b", "a"])).toBe(false);
  });
});

describe("a form that was open while another saved", () => {
  let unmount: () => void;
  beforeEach(() => (unmount = mount(ClashDialog)));
  afterEach(() => {
    comparison.value?.decide(null);
    unmount();
    vi.unstubAllGlobals();
  });

  const refusing = (current: Credential): ReturnType<typeof server> =>
    server(({ headers, body }) =>
      headers["If-Match"] === `"${current.version}"`
        ? { status: 200, body: { ...current, ...(body as object) } }
        : { status: 412, body: { error: { code: "changed", message: "", fields: {}, current } } },
    );

  it("shows what the other changed, and does not make a lost card good again", async () => {
    const asked = refusing({ ...CARD, state: "lost", version: 2 });
    const longer = { ...BODY, valid_to: "2030-01-01T00:00:00Z" };
    const saved = saving(CARD, longer, (body, version) => credentials.change("demo", "c1", body, version));
    await quiet();
    expect(at(T.clashField("state")).textContent).toMatch(/有效.*已挂失.*有效/s);
    expect(at(T.clashChoice("state", "theirs")).getAttribute("aria-checked")).toBe("true");
    at(T.clashGo).click();
    expect(await saved).toMatchObject({ state: "lost", valid_to: longer.valid_to });
    expect(asked.map((one) => one.headers["If-Match"])).toEqual(['"1"', '"2"']);
  });

  it("decides nothing for a person where both changed the same", async () => {
    refusing({ ...CARD, state: "lost", version: 2 });
    const mine = { ...BODY, state: "revoked" as const };
    const saved = saving(CARD, mine, (body, version) => credentials.change("demo", "c1", body, version));
    await quiet();
    expect((at(T.clashGo) as HTMLButtonElement).disabled).toBe(true);
    at(T.clashChoice("state", "mine")).click();
    await quiet();
    at(T.clashGo).click();
    expect(await saved).toMatchObject({ state: "revoked" });
  });

  it("lets it be", async () => {
    refusing({ ...CARD, state: "lost", version: 2 });
    const gone = removing(CARD, (version) => credentials.remove("demo", "c1", version));
    await quiet();
    at(T.clashCancel).click();
    expect(await gone).toBe(false);
  });

  it("asks nothing where the other changed what this form does not have", async () => {
    refusing({ ...CARD, version: 2 });
    const saved = saving(CARD, BODY, (body, version) => credentials.change("demo", "c1", body, version));
    expect(await saved).toMatchObject({ state: "active" });
  });
});

describe("one act", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const keys = (asked: ReturnType<typeof server>): string[] => asked.map((one) => one.headers["Idempotency-Key"] ?? "");

  it("has one key, also for the second click of a double click", async () => {
    vi.useFakeTimers();
    const asked = server(() => ({ status: 201, body: {} }));
    await Promise.all([api.post("/api/tickets", { a: 1 }), api.post("/api/tickets", { a: 1 })]);
    await api.post("/api/tickets", { a: 1 });
    await api.post("/api/tickets", { a: 2 });
    vi.advanceTimersByTime(1001);
    await api.post("/api/tickets", { a: 1 });
    const [one, twin, third, other, later] = keys(asked);
    expect([twin, third]).toEqual([one, one]);
    expect(new Set([one, other, later]).size).toBe(3);
    expect(one).toMatch(/^[0-9a-f]{32}$/);
  });

  it("keeps its key while nobody knows whether it was done", async () => {
    vi.useFakeTimers();
    const asked = server(() => ({ status: 503, body: {} }));
    await api.post("/api/tickets", { b: 1 }).catch(() => undefined);
    vi.advanceTimersByTime(60_000);
    await api.post("/api/tickets", { b: 1 }).catch(() => undefined);
    const [one, again] = keys(asked);
    expect(again).toBe(one);
  });

  it("leaves out what asks for a password", async () => {
    const asked = server(() => ({ status: 200, body: {} }));
    await api.post("/api/session", { username: "a", password: "b" });
    await api.get("/api/tickets");
    expect(keys(asked)).toEqual(["", ""]);
  });
});
