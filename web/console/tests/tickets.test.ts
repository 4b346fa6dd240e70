import { describe, expect, it } from "vitest";

import type { Role, Ticket, User } from "@/api/types";
import { acceptance } from "@/areas/tickets/tickets";
import zh from "@/locales/zh.json";

const person = (id: string, role: Role): User => ({ id, username: id, name: id, role, language: "zh", sites: ["demo"] });

function done(openedBy: string, doneBy: string, assignee = doneBy, alarm: string | null = null): Ticket {
  const by = (id: string) => ({ id, name: id, role: "maintenance" });
  return {
    state: "done",
    alarm,
    assignee: by(assignee),
    steps: [
      { at: "", step: "opened", by: by(openedBy), text: "" },
      { at: "", step: "finished", by: by(doneBy), text: "" },
    ],
  } as unknown as Ticket;
}

describe("who accepts finished work", () => {
  it.each([
    ["a manager, another's work", person("mei", "manager"), done("wang", "song"), "may"],
    ["a manager who did it", person("mei", "manager"), done("wang", "mei"), "own"],
    ["a manager who handed it over after finishing", person("mei", "manager"), done("wang", "mei", "song"), "own"],
    ["an administrator who did it asks the server", person("root", "admin"), done("wang", "root"), "may"],
    ["who asked for it", person("wang", "guard"), done("wang", "song"), "may"],
    ["who asked for it and did it", person("song", "maintenance"), done("song", "song"), "own"],
    ["a colleague", person("bai", "maintenance"), done("wang", "song"), "no"],
    ["nobody, where a device vouches", person("mei", "manager"), done("wang", "song", "song", "a-1"), "no"],
  ])("%s", (_, user, ticket, expected) => {
    expect(acceptance(ticket, user, user.role === "manager" || user.role === "admin")).toBe(expected);
  });

  it("says first that the work is done", () => {
    expect(zh.tickets.waitsForAcceptance).toMatch(/^已完成，/);
    expect(zh.tickets.waitsForAlarm).toMatch(/^已完成，/);
  });
});
