import { describe, expect, it } from "vitest";

import type { Role, Ticket, User } from "@/api/types";
import { newest, ownWork, passedFrom, stateName, statesAt } from "@/areas/tickets/tickets";
import zh from "@/locales/zh.json";

const person = (id: string, role: Role): User => ({ id, username: id, name: id, role, language: "zh", sites: ["demo"] });

function done(openedBy: string, doneBy: string, assignee = doneBy, alarm: string | null = null): Ticket {
  const by = (id: string) => ({ id, name: id, role: "maintenance" });
  return {
    state: "done",
    alarm,
    can: [],
    assignee: by(assignee),
    steps: [
      { at: "", step: "opened", by: by(openedBy), text: "" },
      { at: "", step: "finished", by: by(doneBy), text: "" },
    ],
  } as unknown as Ticket;
}

describe("a ticket heard of and asked for", () => {
  const at = (updated_at: string | null, can: string[], history: unknown[] = []) =>
    ({ id: "t-1", updated_at, can, history }) as unknown as Ticket;

  it.each([
    ["the answer alone", undefined, at("2", ["accept"], [1]), ["accept"], [1]],
    ["the stream alone", at("2", ["take"]), null, ["take"], []],
    ["the answer, of the same step", at("2", ["reopen"]), at("2", ["accept"], [1]), ["accept"], [1]],
    ["the answer, of a later one", at("1", ["take"]), at("2", ["accept"], [1]), ["accept"], [1]],
    ["the stream, of a later one", at("3", ["reopen"]), at("2", ["accept"], [1]), ["reopen"], [1]],
    ["the stream, where nobody says when", at(null, ["x"]), at(null, [], [1]), ["x"], [1]],
  ])("is shown by %s", (_, heard, answered, can, history) => {
    expect(newest(heard, answered)).toMatchObject({ can, history });
  });
});

describe("a ticket that passes on", () => {
  const held = (id: string, assignee: string | null, state = "taken") =>
    ({ id, state, assignee: assignee && { id: assignee, name: assignee, role: "maintenance" } }) as unknown as Ticket;

  it("is told to whoever had it, once it is another's", () => {
    const now = [held("a", "bai"), held("b", "song"), held("c", "bai"), held("d", "bai", "done"), held("e", null)];
    expect(passedFrom(new Set(["a", "b", "d", "e"]), now, "song").map(({ id }) => id)).toEqual(["a"]);
  });
});

describe("a ticket at its gateway", () => {
  it("is never said to be raised, taken or closed: its alarm is over, or not", () => {
    expect(statesAt("gateway").map((state) => zh.tickets.state[stateName(state, "gateway") as "cleared"])).toEqual([
      "告警未恢复",
      "告警已恢复",
    ]);
    expect(statesAt("hub")).toEqual(["raised", "taken", "done", "closed"]);
    expect(stateName("raised", "hub")).toBe("raised");
  });
});

describe("work that waits to be accepted", () => {
  it.each([
    ["a manager, another's work", person("mei", "manager"), done("wang", "song"), false],
    ["a manager who did it", person("mei", "manager"), done("wang", "mei"), true],
    ["a manager who handed it over after finishing", person("mei", "manager"), done("wang", "mei", "song"), true],
    ["who asked for it", person("wang", "guard"), done("wang", "song"), false],
    ["who asked for it and did it", person("song", "maintenance"), done("song", "song"), true],
    ["a colleague", person("bai", "maintenance"), done("wang", "song"), false],
    ["nobody, where a device vouches", person("mei", "manager"), done("wang", "mei", "mei", "a-1"), false],
  ])("is one's own, for another to accept: %s", (_, user, ticket, expected) => {
    expect(ownWork(ticket, user, user.role === "manager")).toBe(expected);
    // Whoever may accept it all the same is told nothing.
    expect(ownWork({ ...ticket, can: ["accept"] }, user, user.role === "manager")).toBe(false);
  });

  it("says first that the work is done", () => {
    expect(zh.tickets.waitsForAcceptance).toMatch(/^已完成，/);
    expect(zh.tickets.waitsForAlarm).toMatch(/^已完成，/);
  });
});
