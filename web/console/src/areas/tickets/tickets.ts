/** In which order tickets stand, and what is said of one's own work. Pure. */

import { TICKET_STATES, type About, type Ticket, type User } from "@/api/types";
import { compareSeverity } from "@/kit/marks/severity";
import { personId } from "@/kit/person";

/** The columns of the board. */
export function statesAt(server: About["server"] | undefined): readonly Ticket["state"][] {
  return server === "gateway" ? ["raised", "cleared"] : TICKET_STATES;
}

/** Name of a state's text: a gateway does not know whether somebody has taken what it raised. */
export function stateName(state: Ticket["state"], server: About["server"] | undefined): string {
  return server === "gateway" && state === "raised" ? "standing" : state;
}

/** The worst first, then the one that waits longest. */
export function compareTickets(a: Ticket, b: Ticket): number {
  return compareSeverity(a.severity, b.severity) || a.raised_at.localeCompare(b.raised_at);
}

/**
 * The ticket as it is to be shown. The stream knows a step first. Of the same step the answer to a request is the fresher
 * one: what may be done also follows from accounts, which move no ticket; and it alone has the values around the fault.
 */
export function newest(heard: Ticket | undefined, answered: Ticket | null): Ticket | null {
  if (!heard || !answered) return answered ?? heard ?? null;
  // A gateway does not say when a ticket moved.
  if (answered.updated_at !== null && (heard.updated_at ?? "") <= answered.updated_at) return answered;
  return { ...heard, history: answered.history, first_history: answered.first_history };
}

/** Of the tickets that a person had (`mine`), those that somebody else has now. */
export function passedFrom(mine: ReadonlySet<string>, tickets: Iterable<Ticket>, user: string | undefined): Ticket[] {
  return [...tickets].filter(
    (ticket) => mine.has(ticket.id) && ticket.state === "taken" && ticket.assignee && ticket.assignee.id !== user,
  );
}

/** Whether somebody else has to accept it for the one reason that they did the work themselves. */
export function ownWork(ticket: Ticket, user: User | null, answers: boolean): boolean {
  if (user === null || ticket.state !== "done" || ticket.alarm !== null || ticket.can.includes("accept")) return false;
  const by = (step: string) => personId(ticket.steps.filter((each) => each.step === step).at(-1)?.by);
  const own = personId(ticket.assignee) === user.id || by("finished") === user.id;
  return own && (answers || by("opened") === user.id);
}
