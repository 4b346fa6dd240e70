/** The rows of the feed, kept as events come, are those that all events at once would make. */

import { describe, expect, it } from "vitest";

import type { EventItem } from "@/api/types";
import { mergeEvents } from "@/live/fold";
import { entriesOf, Rows } from "@/live/rows";
import { access, other } from "./items";

/** Numbers that look random and are the same each time (a 32-bit linear congruence). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

const BY = [{ id: "u", name: "刘师傅", role: "guard" }, { id: "v", name: "王师傅", role: "guard" }];
const PLATES = ["沪A12345", "粤B88888", "苏E54321"];

/** An event of any kind that the feed draws from, about one of few cars and places, or about one shortly before it. */
function drawn(id: number, roll: (sides: number) => number): EventItem {
  const at = new Date(Date.UTC(2026, 2, 9) + id * 1000 + roll(9000)).toISOString();
  const plate = PLATES[roll(PLATES.length)]!;
  const source = roll(2) ? "gate-in" : "gate-out";
  const before = Math.max(1, id - 1 - roll(12));
  const subject = { stream: "f".repeat(32), seq: before };
  const credential = { kind: "plate", value: plate };
  const made: (() => EventItem)[] = [
    () => access(id),
    () => access(id, { source, data: { credential, picture: roll(2) ? "own" : null } }),
    () => access(id, { kind: "access.denied", source, data: { credential, rule: "block:b-1" } }),
    () => access(id, { kind: "access.denied", source, data: { credential, reason: { code: "visitor_ask", zh: "", en: "" } } }),
    () => other(id, "plate.seen", { plate, colour: ["", "blue", "green"][roll(3)], picture: roll(3) ? `p${id}` : null }, source),
    () => other(id, "passage.made", { after: before, direction: "in" }, source),
    () => other(id, "car.left", { after: before, plate: null }, source),
    () => other(id, "car.arrived", { plate: null, reason: { code: "car_unread", zh: "", en: "" } }, source),
    () => other(id, "hit.acknowledged", { by: BY[roll(2)], subject, command: "c" }, source),
    () => other(id, "command.done", { by: BY[roll(2)], kind: "barrier.open", target: source, subject, reason: "x" }, source),
    () => other(id, "command.failed", { by: BY[roll(2)], kind: "barrier.open", target: source, subject, reason: "x" }, source),
  ];
  const event = made[roll(made.length)]!();
  // Some were moved by a fork: others go on naming them by their first place.
  const first = roll(6) === 0 ? { stream: event.stream!, seq: event.seq } : null;
  return { ...event, at, first, ...(first ? { stream: "e".repeat(32), seq: 100_000 + id } : {}) };
}

function events(count: number, roll: (sides: number) => number): EventItem[] {
  return Array.from({ length: count }, (_, place) => drawn(place + 1, roll));
}

/** Cut into parts of any size. */
function parts(all: EventItem[], roll: (sides: number) => number): EventItem[][] {
  const cut: EventItem[][] = [];
  for (let from = 0; from < all.length; ) {
    const size = 1 + roll(20);
    cut.push(all.slice(from, from + size));
    from += size;
  }
  return cut;
}

function shuffled<V>(of: readonly V[], roll: (sides: number) => number): V[] {
  const mixed = [...of];
  for (let place = mixed.length - 1; place > 0; place -= 1) {
    const with_ = roll(place + 1);
    [mixed[place], mixed[with_]] = [mixed[with_]!, mixed[place]!];
  }
  return mixed;
}

describe("rows that are kept", () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))("are the same however events come (%i)", (seed) => {
    const roll = dice(seed);
    const all = events(200, roll);
    const rows = new Rows();
    let held: EventItem[] = [];
    for (const part of shuffled(parts(all, roll), roll)) {
      held = mergeEvents(held, shuffled([...part, all[roll(all.length)]!], roll));
      expect(rows.take(held)).toEqual(entriesOf(held));
    }
  });

  it.each([101, 102, 103])("keep what they took from events that are held no longer (%i)", (seed) => {
    const roll = dice(seed);
    const all = events(2600, roll);
    const whole = new Map(entriesOf([...all].reverse()).map((entry) => [entry.event.id, entry]));
    const rows = new Rows();
    let held: EventItem[] = [];
    let found: ReturnType<typeof entriesOf> = [];
    for (const part of parts(all, roll)) {
      held = mergeEvents(held, part, 80);
      found = rows.take(held);
    }
    expect(held).toHaveLength(80);
    expect(found).toEqual(held.flatMap((event) => whole.get(event.id) ?? []));
  });

  it("are made anew only where something new is said, and the events are not gone through again", () => {
    const many = Array.from({ length: 5000 }, (_, place) => access(place + 1)).reverse();
    const rows = new Rows();
    const before = rows.take(many);
    const more = mergeEvents(many, [access(5001), other(5002, "passage.made", { after: 4000, direction: "in" })], 6000);
    const after = rows.take(more);
    expect(after).toHaveLength(5001);
    expect(after.filter((entry, place) => place > 0 && entry !== before[place - 1]).map((entry) => entry.event.id)).toEqual([4000]);
  });

  it("begin anew after a reset, and where a feed of another site takes their place", () => {
    const rows = new Rows();
    const [first] = rows.take([access(1)]);
    const [again] = rows.take([access(1)]);
    expect(again).toEqual(first);
    expect(rows.take([{ ...access(2), site: "elsewhere" }]).map((entry) => entry.event.site)).toEqual(["elsewhere"]);
    expect(rows.take([])).toEqual([]);
  });
});

it("merges what is sorted with what comes, and cuts off the oldest", () => {
  const roll = dice(7);
  let held: EventItem[] = [];
  const seen = new Set<number>();
  for (let turn = 0; turn < 40; turn += 1) {
    const ids = Array.from({ length: roll(8) }, () => 1 + roll(120));
    for (const id of ids) seen.add(id);
    const before = new Map(held.map((event) => [event.id, event]));
    held = mergeEvents(held, ids.map((id) => access(id)), 500);
    expect(held.map((event) => event.id)).toEqual([...seen].sort((a, b) => b - a));
    for (const event of held) if (before.has(event.id)) expect(event).toBe(before.get(event.id));
  }
  expect(mergeEvents(held, [access(500)], 3).map((event) => event.id)).toEqual([500, ...[...seen].sort((a, b) => b - a)].slice(0, 3));
});
