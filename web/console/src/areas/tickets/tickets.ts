/** In which order tickets stand, and what is said of one's own work. Pure. */

import type { Ticket, User } from "@/api/types";
import { compareSeverity } from "@/kit/marks/severity";
import { personId } from "@/kit/person";

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
  return { ...heard, history: answered.history };
}

/** Whether somebody else has to accept it for the one reason that they did the work themselves. */
export function ownWork(ticket: Ticket, user: User | null, answers: boolean): boolean {
  if (user === null || ticket.state !== "done" || ticket.alarm !== null || ticket.can.includes("accept")) return false;
  const by = (step: string) => personId(ticket.steps.filter((each) => each.step === step).at(-1)?.by);
  const own = personId(ticket.assignee) === user.id || by("finished") === user.id;
  return own && (answers || by("opened") === user.id);
}
