import { describe, expect, it } from "vitest";

import { clockText, dayText, fullText, momentText, spanOf } from "@/kit/format/time";
import { numberText, unitText, valueText } from "@/kit/format/values";

const SHANGHAI = "Asia/Shanghai";
const AT = "2026-03-08T16:30:05.250Z";

describe("times", () => {
  it("are those of the site, wherever the screen stands", () => {
    expect(clockText(AT, SHANGHAI)).toBe("00:30:05");
    expect(clockText(AT, SHANGHAI, false)).toBe("00:30");
    expect(dayText(AT, SHANGHAI)).toBe("2026-03-09");
    expect(fullText(AT, "UTC")).toBe("2026-03-08 16:30:05");
  });

  it("say the day only when it is not today", () => {
    expect(momentText(AT, Date.parse("2026-03-09T03:00:00Z"), SHANGHAI)).toBe("00:30:05");
    expect(momentText(AT, Date.parse("2026-03-10T03:00:00Z"), SHANGHAI)).toBe("03-09 00:30");
    expect(momentText(AT, Date.parse("2027-03-10T03:00:00Z"), SHANGHAI)).toBe("2026-03-09 00:30");
  });

  it("are a dash when there is none, and survive a zone that nobody knows", () => {
    for (const none of [null, undefined, "", "not a time"]) expect(clockText(none)).toBe("–");
    expect(clockText(AT, "Mars/Olympus")).toMatch(/^\d\d:\d\d:\d\d$/);
  });

  it.each([
    [59_000, "seconds", 59],
    [60_000, "minutes", 1],
    [3_600_000, "hours", 1],
    [47 * 3_600_000, "hours", 47],
    [49 * 3_600_000, "days", 2],
    [-5, "seconds", 0],
  ])("%i ms are %s %i", (ms, unit, count) => {
    expect(spanOf(ms)).toEqual({ unit, count });
  });
});

describe("values", () => {
  it.each([
    [5, "5"],
    [1834201.72, "1834201.7"],
    [27.4, "27.4"],
    [27.456, "27.46"],
    [0.84, "0.84"],
    [0.01234, "0.0123"],
    [Number.NaN, "–"],
  ])("%d is written %s", (value, text) => {
    expect(numberText(value)).toBe(text);
  });

  it.each([
    ["m3/h", "m³/h"],
    ["degC", "°C"],
    ["kWh", "kWh"],
    ["%RH", "%RH"],
    [undefined, ""],
  ])("have the unit %s as %s", (unit, text) => {
    expect(unitText(unit)).toBe(text);
  });

  it("know words for yes and no, and a dash for nothing", () => {
    const flags = { yes: "是", no: "否" };
    expect([true, false, null, undefined, "open", 3].map((value) => valueText(value, flags))).toEqual([
      "是",
      "否",
      "–",
      "–",
      "open",
      "3",
    ]);
  });
});
