import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { EventItem, StandingCar } from "@/api/types";
import { type Entry, FEED_FILTERS, type Outcome, over, passesFilter, stands, wordsOf } from "@/live/entries";
import { entriesOf, Rows } from "@/live/rows";
import { access, other } from "./items";

function only(event: Parameters<typeof entriesOf>[0][number]): Entry {
  const [entry] = entriesOf([event]);
  if (!entry) throw new Error("no entry");
  return entry;
}

const OUTCOMES: [string, Record<string, unknown>, Outcome][] = [
  ["access.granted", { rule: "g-1" }, "granted"],
  ["access.granted", { rule: "visitor", reason: { code: "visitor_admitted", zh: "", en: "" } }, "visitor"],
  ["access.granted", { rule: "exit", reason: { code: "exit_visitor", zh: "", en: "" } }, "visitor"],
  ["access.denied", { rule: "unknown", reason: { code: "unknown_card", zh: "", en: "" } }, "refused"],
  ["access.denied", { rule: "block:b-1", reason: { code: "blocked_plate", zh: "", en: "" } }, "blocked"],
  ["access.denied", { rule: "visitor", reason: { code: "visitor_ask", zh: "", en: "" } }, "waiting"],
  ["access.denied", { rule: "plate", reason: { code: "low_confidence", zh: "", en: "" } }, "waiting"],
  ["access.denied", { rule: "visitor", reason: { code: "visitor_refused", zh: "", en: "" } }, "refused"],
];

interface Case {
  kind: string;
  source: string;
  data: Record<string, unknown>;
  entry: { outcome: Outcome; traveller: string; source: string; holder: string | null; direction: string | null } | null;
}

/** The table by which the servers call entries, too. */
const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../tests/contract/golden/entries.json"), "utf8"),
) as Case[];

it.each(CASES)("calls $kind what the servers call it", ({ kind, source, data, entry }) => {
  const [found] = entriesOf([other(1, kind, data, source)]);
  if (entry === null) expect(found).toBeUndefined();
  else expect(found).toMatchObject(entry);
});

describe("entries", () => {
  it.each(OUTCOMES)("%s %o is %s", (kind, data, outcome) => {
    expect(only(access(1, { kind, data })).outcome).toBe(outcome);
  });

  it("shows reads that are not of now, but not those that a camera says it stored", () => {
    const reason = { code: "replayed_old", zh: "按相机时钟是 3 天 前的识别", en: "Read 3 d ago by its camera's clock" };
    const read = { plate: "沪A12345", camera: "gate-in-cam", replayed: true, reason, picture: "p1" };
    const entry = only(other(1, "plate.seen", read));
    expect(entry).toMatchObject({ outcome: "replayed", traveller: "car", reason, picture: "p1" });
    expect(passesFilter(entry, "refused")).toBe(true);
    const stored = { ...read, reason: { ...reason, code: "replayed" } };
    // Gateways of before say no reason.
    for (const data of [stored, { ...read, reason: null }, { ...read, replayed: false, reason: null }])
      expect(entriesOf([other(1, "plate.seen", data)])).toEqual([]);
  });

  it("shows what guards did by hand, and not what happened to alarms", () => {
    const by = { id: "u", name: "刘师傅", role: "guard" };
    const data = { command: "c", kind: "barrier.open", target: "gate-in", by, reason: "访客已登记" };
    expect(only(other(1, "command.done", data))).toMatchObject({
      outcome: "manual",
      traveller: "car",
      source: "gate-in",
    });
    expect(only(other(1, "command.failed", data)).outcome).toBe("failed");
    expect(entriesOf([other(1, "command.done", { ...data, kind: "alarm.ack" })])).toEqual([]);
    expect(entriesOf([other(1, "meter.read", {})])).toEqual([]);
  });

  it("notes the passage that followed a decision, also when it comes later", () => {
    const known = new Rows();
    const decision = access(5);
    expect(entriesOf([decision], known)[0]?.passed).toBe(false);
    const passed = entriesOf([other(6, "passage.made", { after: 5, direction: "in" }), decision], known);
    expect(passed.map((entry) => entry.passed)).toEqual([true]);
  });

  it("finds the decision of a passage by its first place when a fork has moved either of them", () => {
    const [old, now] = ["a".repeat(32), "b".repeat(32)];
    const moved = { ...access(3), stream: now, first: { stream: old, seq: 1947 } };
    const stranger = { ...access(1947), stream: now };
    const passage = other(4, "passage.made", { after: 1947, after_stream: old, direction: "in" });
    const entries = entriesOf([{ ...passage, stream: now }, stranger, moved]);
    expect(entries.map((entry) => entry.passed)).toEqual([false, true]);
  });

  it("keeps an entry the same object while nothing new is said of it", () => {
    const known = new Rows();
    const event = access(5);
    const [before] = entriesOf([event], known);
    const [, after] = entriesOf([access(6), event], known);
    expect(after).toBe(before);
  });

  it("takes colour and picture from the camera's read of that plate at that time", () => {
    const plate = { credential: { kind: "plate", value: "沪A12345" } };
    const decision = access(3, { source: "gate-in", at: "2026-03-09T00:00:10.000Z", data: plate });
    const read = {
      ...other(2, "plate.seen", { plate: "沪A12345", colour: "blue", picture: "p1" }),
      at: "2026-03-09T00:00:09.500Z",
    };
    const old = {
      ...other(1, "plate.seen", { plate: "沪A12345", colour: "green", picture: "p0" }),
      at: "2026-03-08T00:00:00.000Z",
    };
    expect(entriesOf([decision, read, old])[0]).toMatchObject({ traveller: "car", colour: "blue", picture: "p1" });
    const replayed = { ...read, data: { ...read.data, replayed: true } };
    expect(entriesOf([decision, replayed])[0]?.picture).toBeNull();
  });

  it("filters", () => {
    const car = only(access(1, { data: { credential: { kind: "plate", value: "沪A12345" } } }));
    const refused = only(access(2, { kind: "access.denied" }));
    const shown = FEED_FILTERS.map((filter) => [car, refused].filter((entry) => passesFilter(entry, filter)).length);
    expect(shown).toEqual([2, 1, 1, 1]);
  });

  it("is found by card, reason and name", () => {
    const entry = only(access(1));
    const words = wordsOf(entry, ["陈思远"]);
    for (const typed of ["", "04a1b2", "有通行", "grant", "陈思"]) expect(words.includes(typed)).toBe(true);
    expect(words.includes("沪a")).toBe(false);
  });
});

describe("what follows an entry", () => {
  const ask = { rule: "visitor", reason: { code: "visitor_ask", zh: "", en: "" }, stands: true };
  const plated = { credential: { kind: "plate", value: "苏E54321" } };
  const waiting = access(5, { kind: "access.denied", source: "gate-in", data: { ...ask, ...plated } });
  const by = { id: "u", name: "刘师傅", role: "guard" };
  const subject = { stream: waiting.stream, seq: 5 };
  const opening = { command: "c", kind: "barrier.open", target: "gate-in", by, reason: "访客已登记" };
  const car: StandingCar = {
    plate: "苏E54321",
    read_at: null,
    picture: null,
    stream: waiting.stream,
    seq: 5,
    outcome: "denied",
    holder: null,
    blocked: false,
  };
  const row = (...later: EventItem[]): Entry => {
    const found = entriesOf([...later, waiting]).find((entry) => entry.event.id === 5);
    if (!found) throw new Error("no entry");
    return found;
  };

  it("waits for as long as its car stands there, and no longer", () => {
    const entry = row();
    expect([stands(entry, car), over(entry, car)]).toEqual([true, false]);
    for (const other of [null, { ...car, seq: 6 }, { ...car, seq: null }])
      expect([stands(entry, other), over(entry, other)]).toEqual([false, true]);
  });

  it("of a gateway of before nobody knows whether it stands there: it can still be opened for", () => {
    const before = only(access(5, { kind: "access.denied", data: { ...ask, ...plated, stands: undefined } }));
    expect(stands(before, null)).toBe(true);
  });

  it("ends when somebody opened for it, and the row of that says for which car", () => {
    const done = other(6, "command.done", { ...opening, subject, plate: "苏E54321", picture: "p1" });
    expect(row(done)).toMatchObject({ opened: { by: "刘师傅", at: done.at }, passed: false });
    expect(stands(row(done), car)).toBe(false);
    expect(only(done)).toMatchObject({ outcome: "manual", credential: { kind: "plate", value: "苏E54321" }, picture: "p1" });
    const passed = other(7, "passage.made", { after: 5, after_stream: waiting.stream, direction: "in" });
    expect(entriesOf([passed, done, waiting]).map((entry) => entry.passed)).toEqual([true, true]);
    // What came to nothing ends nothing.
    const failed = other(6, "command.failed", { ...opening, subject });
    expect(row(failed).opened).toBeNull();
    expect(entriesOf([passed, failed])[0]?.passed).toBe(false);
  });

  it("ends when its car has left, and not when another has", () => {
    const left = (after: number) => other(6, "car.left", { after, after_stream: waiting.stream, plate: null });
    expect(row(left(5))).toMatchObject({ left: true, passed: false });
    expect(row(left(4)).left).toBe(false);
    // Where nothing tells of passages, one that was let in is not said to have turned back.
    const unseen = other(6, "car.left", { after: 5, after_stream: waiting.stream, plate: null, watched: false });
    expect(row(unseen).left).toBe(false);
  });

  it("is found by the place where it was before a fork", () => {
    const moved = { ...waiting, stream: "e".repeat(32), seq: 2, first: { stream: waiting.stream, seq: 5 } };
    const [entry] = entriesOf([moved]);
    expect(entry && stands(entry, car)).toBe(true);
  });

  it("shows a car that was not read as one to look at", () => {
    const reason = { code: "car_unread", zh: "车在闸前，相机没有识别", en: "Not read" };
    const arrived = other(8, "car.arrived", { reason, plate: null });
    const entry = only(arrived);
    expect(entry).toMatchObject({ outcome: "waiting", traveller: "car", reason, watched: true });
    expect(stands(entry, { ...car, plate: null, seq: 8 })).toBe(true);
    expect(only(other(9, "car.arrived", { reason, plate: "粤B88888", blocked: true })).outcome).toBe("blocked");
  });

  it("hears of an entry from its own site alone", () => {
    const noted = other(9, "hit.acknowledged", { by, subject, command: "c" });
    const done = other(9, "command.done", { ...opening, subject });
    const deed = { by: "刘师傅", at: noted.at };
    const heard = (...said: EventItem[]) => {
      const [entry] = entriesOf([...said, waiting]).filter(({ event }) => event.id === waiting.id);
      return [entry?.opened ?? null, entry?.noted ?? null];
    };
    expect(heard(done)[0]).toMatchObject(deed);
    expect(heard({ ...noted, site: "elsewhere" }, { ...done, site: "elsewhere" })).toEqual([null, null]);
  });

  it("tells who noted a hit, also of the same car's hits before it, and of no other's", () => {
    const hit = (id: number, value: string) =>
      access(id, {
        kind: "access.denied",
        source: "gate-in",
        data: { rule: "block:b-1", credential: { kind: "plate", value }, reason: { code: "blocked_plate", zh: "", en: "" } },
      });
    const noted = other(9, "hit.acknowledged", { by, subject: { stream: waiting.stream, seq: 7 }, command: "c" });
    const found = entriesOf([hit(10, "粤B88888"), noted, hit(8, "京A00001"), hit(7, "粤B88888"), hit(6, "粤B88888")]);
    expect(found.map((entry) => [entry.event.id, entry.noted?.by ?? null])).toEqual([
      [10, null],
      [8, null],
      [7, "刘师傅"],
      [6, "刘师傅"],
    ]);
  });
});
