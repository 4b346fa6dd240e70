import { afterEach, describe, expect, it, vi } from "vitest";

import type { Change } from "@/areas/changes/api";
import ChangeList from "@/areas/changes/ChangeList.vue";
import { preferences } from "@/kit/preferences";
import { fieldText } from "@/shell/fields";
import { T } from "@/testids";

import { at, mount, server, settled } from "./mounting";

const CHANGE: Change = {
  event: 7,
  at: "2026-03-09T00:12:05.000Z",
  site: "demo",
  kind: "credential",
  id: "c1",
  subject: "h1",
  change: "updated",
  by: { id: "a1", name: "赵敏", role: "manager" },
  fields: [
    { field: "state", before: "active", after: "lost" },
    { field: "valid_to", before: null, after: "2026-05-01T00:00:00.000Z" },
  ],
  erased: false,
};

describe("what was changed", () => {
  afterEach(() => {
    preferences.language = "zh";
    vi.unstubAllGlobals();
  });

  async function shown(change: Partial<Change>, language: "zh" | "en" = "zh"): Promise<string> {
    preferences.language = language;
    server(() => ({ status: 200, body: { items: [{ ...CHANGE, ...change }], next: null } }));
    const unmount = mount(ChangeList, { site: "demo" });
    await settled();
    const text = (at(T.change(7)).textContent ?? "").replaceAll(/\s+/g, " ");
    unmount();
    return text;
  }

  it("is said as old → new, by whom, in both languages", async () => {
    expect(await shown({})).toMatch(/赵敏.*修改.*门禁介质.*状态.*有效.*→.*已挂失.*失效时间.*（空）.*→/);
    expect(await shown({}, "en")).toMatch(/赵敏.*Changed.*Card or plate.*State.*Active.*→.*Lost/);
  });

  it("is said to be erased where it is", async () => {
    const text = await shown({ erased: true, fields: [{ field: "name", before: null, after: null }] });
    expect(text).toContain("内容已按规定删除");
    expect(text).not.toContain("→");
  });

  it.each([
    ["kind", "resident", "住户"],
    ["kind", "plate", "车牌"],
    ["role", "guard", "门岗"],
    ["active", false, "否"],
    ["name", { zh: "东门岗", en: "East gate" }, "东门岗"],
    ["places", [], "（空）"],
    ["schedule", "always", "全天"],
    ["windows", [{ days: [1, 7], since: "08:00", until: "18:00" }], "周一、周日 08:00–18:00"],
    ["days", [{ day: "2026-10-01", hours: [] }], "2026-10-01 不开放"],
  ])("words the value of %s", (field, value, expected) => {
    preferences.language = "zh";
    expect(fieldText(field, value, "demo")).toContain(expected);
  });
});
