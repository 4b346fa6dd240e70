import { afterEach, describe, expect, it, vi } from "vitest";

import LookList from "@/areas/accounts/LookList.vue";
import { lookOf } from "@/areas/accounts/looks";
import HolderDetail from "@/areas/people/HolderDetail.vue";
import en from "@/locales/en.json";
import zh from "@/locales/zh.json";
import { session } from "@/shell/stores/session";
import { T } from "@/testids";
import { at, mount, server, settled } from "./mounting";

let leave = (): void => undefined;
const BY = { id: "a-1", name: "王伟", role: "guard" };
const event = (id: number, kind: string, data: Record<string, unknown>) => ({
  id, site: "demo", gateway: null, stream: "h", seq: id, at: "2026-09-21T08:00:00.000Z",
  received_at: "2026-09-21T08:00:00.000Z", first: null, kind, source: "a-1",
  data: { by: BY, times: 19, address: "192.0.2.7", ...data },
});  // prettier-ignore
const EVENTS = [
  event(2, "request.refused", { request: "GET /api/holders" }),
  event(1, "records.read", { what: "holders", records: 120, ids: [] }),
];

afterEach(() => {
  leave();
  session.user = null;
  vi.unstubAllGlobals();
});

describe("who looked, and who was refused", () => {
  it("says it in words, with how often", async () => {
    const asked = server(() => ({ status: 200, body: { items: EVENTS, next: null } }));
    leave = mount(LookList);
    await settled();
    expect(asked[0]?.path).toContain("kind=records.read&kind=request.refused");
    expect(at(T.look(2)).textContent).toContain("无权限：GET /api/holders");
    expect(at(T.look(1)).textContent).toContain("人员资料（120 条）");
    expect(at(T.look(1)).textContent).toContain("19");
  });

  it.each(["pin", "holders", "credentials", "blocks", "pictures", "export"] as const)("has words for %s", (what) => {
    expect(lookOf(event(1, "records.read", { what, records: 1 })).says.key).toBe(`looks.read.${what}`);
    expect(zh.looks.read[what]).toBeTruthy();
    expect(en.looks.read[what]).toBeTruthy();
  });
});

describe("a PIN", () => {
  const PIN = {
    id: "c-1", site: "demo", kind: "pin", value: "••••", holder: "h-1", state: "active", valid_from: null, valid_to: null,
  };  // prettier-ignore

  it("is hidden until somebody has it shown", async () => {
    session.can = ["people.read", "people.write"];
    session.user = { id: "a", username: "zhao", name: "Zhao", role: "manager", language: "zh", sites: ["demo"] };
    const holder = { id: "h-1", site: "demo", name: "周明远", kind: "resident", unit: "", valid_from: null, valid_to: null };
    const asked = server(({ method, path }) => {
      if (method === "POST") return { status: 200, body: { value: "835512" } };
      if (path.includes("/api/schedules")) return { status: 200, body: { items: [], next: null } };
      return { status: 200, body: { ...holder, credentials: [PIN], grants: [] } };
    });
    leave = mount(HolderDetail, { site: "demo", holder: "h-1" });
    await settled();
    expect(document.body.textContent).not.toContain("835512");
    at(T.pinShow("c-1")).click();
    await settled();
    expect(asked.at(-1)).toMatchObject({ method: "POST", path: "/api/credentials/c-1/pin?site=demo" });
    expect(document.body.textContent).toContain("835512");
  });
});
