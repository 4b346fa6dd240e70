/** What a guard sees large: whoever waits, and never a car that was there before. */

import { describe, expect, it } from "vitest";

import type { EventItem, Lane, StandingCar } from "@/api/types";
import { inOrder, lastCars, sceneOf, type Scene } from "@/areas/guard/scenes";
import { entriesOf } from "@/live/rows";
import { access, lane, other } from "./items";

const PLATE = "沪A12345";
const STREAM = "f".repeat(32);

function car(seq: number | null, more: Partial<StandingCar> = {}): StandingCar {
  return { plate: PLATE, read_at: null, picture: null, stream: STREAM, seq, outcome: "denied", holder: null, blocked: false, ...more };
}

const asked = (id: number, source = "gate-in"): EventItem =>
  access(id, {
    kind: "access.denied",
    source,
    data: { credential: { kind: "plate", value: PLATE }, reason: { code: "visitor_ask", zh: "", en: "" }, stands: true },
  });

function scene(at: Lane, ...events: EventItem[]): Scene {
  return sceneOf(at, 0, lastCars(entriesOf(events), [at]).get("demo/gate-in") ?? null);
}

const with_ = (standing: StandingCar | null): Lane => ({ ...lane("gate-in"), car: standing });

describe("what is seen at a lane", () => {
  it("is the car that stands there, with what was decided about it", () => {
    expect(scene(with_(car(5)), asked(5))).toMatchObject({ mood: "asks", plate: PLATE, entry: { event: { id: 5 } } });
    expect(scene(with_(car(5, { blocked: true })), asked(5)).mood).toBe("blocked");
    expect(scene(with_(car(5, { outcome: "granted" })), asked(5)).mood).toBe("there");
  });

  it("is never the car of before", () => {
    const unread = scene(with_(car(9, { plate: null })), asked(5));
    expect(unread).toMatchObject({ mood: "asks", plate: null, entry: null, picture: null });
    const gone = scene(with_(null), other(6, "car.left", { after: 5, plate: null }), asked(5));
    expect(gone).toMatchObject({ mood: "calm", plate: PLATE });
  });

  it("asks no more once somebody has opened", () => {
    const opening = { command: "c", kind: "barrier.open", target: "gate-in", by: { id: "u", name: "x", role: "guard" }, reason: "" };
    const done = other(6, "command.done", { ...opening, subject: { stream: STREAM, seq: 5 } });
    expect(scene(with_(car(5)), done, asked(5)).mood).toBe("there");
  });

  it("is nothing where nobody has come", () => {
    expect(scene(with_(null))).toMatchObject({ mood: "calm", plate: null, entry: null, at: null });
  });
});

it("puts who waits longest first, then who came last", () => {
  const of = (key: string, mood: Scene["mood"], second: number) =>
    ({ key, mood, at: `2026-03-09T00:00:0${second}.000Z` }) as Scene;
  const scenes = [of("late", "asks", 3), of("gone", "calm", 2), of("newer", "calm", 4), of("early", "asks", 1), of("hit", "blocked", 9), of("in", "there", 5)];
  expect(inOrder(scenes).map(({ key }) => key)).toEqual(["hit", "early", "late", "in", "newer", "gone"]);
});
