import { describe, expect, it } from "vitest";

import { emptyState, FEED_LIMIT, fold, mergeEvents, snapshotOf } from "@/live/fold";
import { access, alarm, lane, other, snapshot, ticket } from "./items";

describe("what a live stream adds up to", () => {
  it("begins with a snapshot and follows the deltas", () => {
    const state = emptyState();
    fold(state, { type: "snapshot", snapshot: snapshot({ lanes: [lane("gate-in")], events: [access(2), access(1)] }) });
    fold(state, { type: "events", events: [access(3)] });
    fold(state, { type: "state", state: { kind: "lane", ...lane("gate-in", "up") } as never });
    expect(state.events.map((event) => event.id)).toEqual([3, 2, 1]);
    expect(state.lanes.get("demo/gate-in")?.barrier).toBe("up");
  });

  it("keeps the maps that somebody looks at", () => {
    const state = emptyState();
    const { lanes } = state;
    fold(state, { type: "snapshot", snapshot: snapshot({ lanes: [lane("gate-in")] }) });
    fold(state, { type: "snapshot", snapshot: snapshot({ lanes: [lane("gate-out")] }) });
    expect([...lanes.keys()]).toEqual(["demo/gate-out"]);
  });

  it("tells the lanes of two sites apart", () => {
    const state = emptyState();
    fold(state, {
      type: "snapshot",
      snapshot: snapshot({ lanes: [lane("gate-in", "down", "a"), lane("gate-in", "up", "b")] }),
    });
    expect(state.lanes.get("a/gate-in")?.barrier).toBe("down");
    expect(state.lanes.get("b/gate-in")?.barrier).toBe("up");
  });

  it("takes a repeated event once, and keeps the object that it had", () => {
    const first = access(1);
    const merged = mergeEvents([first], [access(1), access(2)]);
    expect(merged.map((event) => event.id)).toEqual([2, 1]);
    expect(merged[1]).toBe(first);
  });

  it("is bounded, and keeps nothing that the feed does not show", () => {
    const many = Array.from({ length: FEED_LIMIT + 20 }, (_, place) => access(place + 1));
    const merged = mergeEvents([], [...many, other(9000, "meter.read", {})]);
    expect(merged).toHaveLength(FEED_LIMIT);
    expect(merged[0]?.id).toBe(FEED_LIMIT + 20);
  });

  it("lets go of an alarm that is over", () => {
    const state = emptyState();
    fold(state, { type: "snapshot", snapshot: snapshot({ alarms: [alarm("a")] }) });
    fold(state, { type: "state", state: { kind: "alarm", ...alarm("a", { state: "acknowledged" }) } as never });
    expect(state.alarms.get("a")?.state).toBe("acknowledged");
    fold(state, { type: "state", state: { kind: "alarm", ...alarm("a", { state: "closed" }) } as never });
    expect(state.alarms.size).toBe(0);
  });

  it("knows a command by its frame's kind, and what it asks for by `command`", () => {
    const state = emptyState();
    fold(state, {
      type: "state",
      state: { kind: "command", command: "barrier.open", id: "c", site: "demo", target: "gate-in", state: "asked" },
    });
    fold(state, { type: "state", state: { kind: "command", id: "c", site: "demo", target: "gate-in", state: "done" } });
    expect(state.commands.get("c")).toMatchObject({ kind: "barrier.open", state: "done" });
  });

  it("ignores what it does not know", () => {
    const state = emptyState();
    fold(state, { type: "state", state: { kind: "weather", id: "x" } });
    expect(state).toEqual(emptyState());
  });

  it("forgets the feed at a reset: what was missed is not known", () => {
    const state = emptyState();
    fold(state, { type: "snapshot", snapshot: snapshot({ events: [access(1)], tickets: [ticket("t")] }) });
    fold(state, { type: "reset" });
    expect(state.events).toEqual([]);
    expect(state.asOf).toBeNull();
  });

  it("becomes a snapshot again for a tab that joins", () => {
    const state = emptyState();
    fold(state, {
      type: "snapshot",
      snapshot: snapshot({ lanes: [lane("gate-in")], alarms: [alarm("a")], events: [access(1)] }),
    });
    const copy = emptyState();
    fold(copy, { type: "snapshot", snapshot: snapshotOf(state) });
    expect(copy).toEqual(state);
  });
});
