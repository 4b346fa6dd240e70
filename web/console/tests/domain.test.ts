import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { Role, User } from "@/api/types";
import { lossOf } from "@/areas/machines/losses";
import { compareTickets } from "@/areas/tickets/tickets";
import { changesOf, movement, tracesOf } from "@/kit/charts/history";
import { plateLook, plateParts } from "@/kit/marks/plates";
import { stepsOf } from "@/kit/steps";
import { compareAlarms, rings, unseen } from "@/live/alarms";
import en from "@/locales/en.json";
import zh from "@/locales/zh.json";
import { able, homeOf, session } from "@/shell/stores/session";
import { alarm, ticket } from "./items";

describe("alarms", () => {
  it("stand by state, then severity, then the newest first", () => {
    const list = [
      alarm("shelved", { state: "shelved", severity: "critical" }),
      alarm("seen", { state: "acknowledged", severity: "critical" }),
      alarm("gone", { state: "cleared", severity: "critical" }),
      alarm("mild", { severity: "warning" }),
      alarm("old", { severity: "major", raised_at: "2026-03-08T00:00:00.000Z" }),
      alarm("new", { severity: "major", raised_at: "2026-03-09T00:00:00.000Z" }),
      alarm("worst", { severity: "critical" }),
    ];
    expect(list.sort(compareAlarms).map((one) => one.id)).toEqual([
      "worst",
      "new",
      "old",
      "mild",
      "gone",
      "seen",
      "shelved",
    ]);
  });

  it("are unseen until somebody acknowledges, and ring until then if they are bad", () => {
    expect(unseen(alarm("a"))).toBe(true);
    expect(unseen(alarm("a", { state: "cleared" }))).toBe(true);
    expect(unseen(alarm("a", { state: "acknowledged" }))).toBe(false);
    expect(rings(alarm("a", { severity: "critical" }))).toBe(true);
    expect(rings(alarm("a", { severity: "minor" }))).toBe(false);
    expect(rings(alarm("a", { state: "cleared" }))).toBe(true);
  });

  it.each([
    ["一句话。", ["一句话。"]],
    ["1. 先看；2. 再修；3. 记录。", ["先看", "再修", "记录。"]],
    ["1. Look. 2. Mend it at 2.5 bar. 3. Note it.", ["Look.", "Mend it at 2.5 bar.", "Note it."]],
    ["1、看\n2、修", ["看", "修"]],
    ["", []],
  ])("say what to do step by step: %s", (instruction, steps) => {
    expect(stepsOf(instruction)).toEqual(steps);
  });

  it("make tickets that stand by severity, then who waits longest", () => {
    const list = [
      ticket("b", { raised_at: "2026-03-09T02:00:00.000Z" }),
      ticket("a", { raised_at: "2026-03-09T01:00:00.000Z" }),
      ticket("c", { severity: "critical" }),
    ];
    expect(list.sort(compareTickets).map((one) => one.id)).toEqual(["c", "a", "b"]);
  });
});

describe("values around a fault", () => {
  it("are sorted into traces, what moved most first", () => {
    const traces = tracesOf(
      [
        ["p.still", 2, 5],
        ["p.flow", 2, 0],
        ["p.flow", 1, 27],
        ["p.still", 1, 5],
        ["p.running", 1, true],
        ["p.running", 2, false],
        ["p.code", 1, "none"],
        ["p.code", 2, null],
      ],
      3,
    );
    expect(traces.map((trace) => [trace.point, trace.kind])).toEqual([
      ["p.flow", "number"],
      ["p.running", "flag"],
      ["p.code", "label"],
      ["p.still", "number"],
    ]);
    expect(traces[0]?.spots).toEqual([
      [1, 27],
      [2, 0],
      [3, 0],
    ]);
    expect(traces.map((trace) => movement(trace) > 0)).toEqual([true, true, true, false]);
    expect(traces[2]?.words).toEqual([
      [1, "none"],
      [2, "–"],
      [3, "–"],
    ]);
  });

  it("say a state only where it changes", () => {
    expect(
      changesOf([
        [1, "a"],
        [2, "a"],
        [3, "b"],
        [4, "a"],
      ]),
    ).toEqual([
      [1, "a"],
      [3, "b"],
      [4, "a"],
    ]);
  });
});

describe("plates", () => {
  it.each([
    ["沪A12345", "", "blue"],
    ["沪AD12345", "", "green"],
    ["沪A12345", "yellow", "yellow"],
    ["沪A1234警", "", "white"],
    ["粤Z1234港", "black", "black"],
  ])("%s (%s) is %s", (plate, colour, look) => {
    expect(plateLook(plate, colour)).toBe(look);
  });

  it("are read in two parts, and lose no letter", () => {
    expect(plateParts("沪A12345")).toEqual(["沪A", "12345"]);
    expect(plateParts("")).toEqual(["", ""]);
  });
});

describe("roles", () => {
  const user = (role: Role, sites = ["demo"]): User => ({
    id: "u",
    username: role,
    name: role,
    role,
    language: "zh",
    sites,
  });
  it("may what the server says, and nothing without a person", () => {
    session.can = ["watch", "open"];
    expect(able("open")).toBe(false);
    session.user = user("guard");
    expect([able("open"), able("people.write")]).toEqual([true, false]);
    session.user = null;
  });

  it("start where their work is", () => {
    expect(homeOf(user("guard"), ["watch"])).toBe("/guard");
    expect(homeOf(user("maintenance"), [])).toBe("/tickets");
    expect(homeOf(user("installer"), ["watch"])).toBe("/devices");
    expect(homeOf(user("manager", ["*"]), ["watch", "sites.read"])).toBe("/sites");
    // At a gateway there are no other sites.
    expect(homeOf(user("manager", ["*"]), ["watch"])).toBe("/guard");
  });
});

describe("why a device is gone", () => {
  const { said, examples } = JSON.parse(
    readFileSync(join(import.meta.dirname, "../../../tests/drivers/losses.json"), "utf8"),
  ) as { said: string[]; examples: Record<string, string> };

  it.each(said)("%s", (why) => {
    const { key } = lossOf(why);
    expect(key).not.toBe("other");
    expect(zh.devices.loss).toHaveProperty(key);
    expect(en.devices.loss).toHaveProperty(key);
  });
  it.each(Object.entries(examples))("%s", (why, key) => {
    expect(lossOf(why).key).toBe(key);
  });
  it.each([
    ["unit 3 did not answer within 0.3 s", { unit: "3", seconds: "0.3" }],
    ["a.json is no key file", { file: "a.json" }],
    ["the key file b.json cannot be read: no", { file: "b.json" }],
    ["192.0.2.7:502 cannot be opened: no answer within 0.5 s", { where: "192.0.2.7:502" }],
    ["the line hums", { why: "the line hums" }],
  ])("names what %s names", (why, words) => {
    expect(lossOf(why).words).toEqual(words);
  });
  it("leaves no text without a reason", () => {
    const keys = new Set([...said, ...Object.keys(examples)].map((why) => lossOf(why).key));
    expect(Object.keys(zh.devices.loss).filter((key) => !keys.has(key))).toEqual([]);
  });
});
