import { describe, expect, it } from "vitest";

import { COMMAND_KINDS } from "@/api/types";
import { isPlateEnd, plateEnd } from "@/kit/marks/plates";
import { OFFERED, QUICK_REASONS, reasonText } from "@/kit/reasons";

describe("reasons", () => {
  it.each([
    [{ reason: "301 搬家" }, "301 搬家", "301 搬家"],
    [{ reason: "访客已登记", reason_code: "visitor_registered" }, "访客已登记", "Visitor registered"],
    [{ reason: "", reason_code: "visitor_registered" }, "访客已登记", "Visitor registered"],
    [{ reason: "301", reason_code: "visitor_registered" }, "访客已登记 · 301", "Visitor registered · 301"],
    [{ reason: "later words", reason_code: "of_a_later_version" }, "later words", "later words"],
    [{ reason: "访客已登记" }, "访客已登记", "Visitor registered"],
    [{ reason: "before codes", reason_code: null }, "before codes", "before codes"],
  ])("%o is said in the reader's own language", (of, zh, en) => {
    expect([reasonText(of, "zh"), reasonText(of, "en")]).toEqual([zh, en]);
  });

  it("offers only what it has words for, and only for commands", () => {
    for (const [kind, codes] of Object.entries(OFFERED)) {
      expect(COMMAND_KINDS).toContain(kind);
      for (const code of codes) expect(QUICK_REASONS).toHaveProperty(code);
    }
  });

  it("takes the end of a plate however it is typed", () => {
    expect(plateEnd("粤B·88888")).toBe("8888");
    expect(isPlateEnd("沪A12D45", " 2d45 ")).toBe(true);
    expect(isPlateEnd("沪A12345", "2346")).toBe(false);
    expect(isPlateEnd("沪A12345", "")).toBe(false);
  });
});
