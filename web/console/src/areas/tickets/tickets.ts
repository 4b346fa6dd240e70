/**
 * In which order tickets stand, and who accepts finished work that no device vouches for, as rules/tickets/steps.py has
 * it. Pure.
 */

import type { Ticket, User } from "@/api/types";
import { compareSeverity } from "@/kit/marks/severity";
import { personId } from "@/kit/person";

/** The worst first, then the one that waits longest. */
export function compareTickets(a: Ticket, b: Ticket): number {
  return compareSeverity(a.severity, b.severity) || a.raised_at.localeCompare(b.raised_at);
}

/** `own`: it would be theirs to accept, had they not done the work themselves. */
export type Acceptance = "may" | "own" | "no";

/** Whether they reported or asked for it. */
export function askedFor(ticket: Ticket, user: User | null): boolean {
  return user !== null && personId(ticket.steps.find((step) => step.step === "opened")?.by) === user.id;
}

export function acceptance(ticket: Ticket, user: User | null, answers: boolean): Acceptance {
  if (user === null || ticket.state !== "done" || ticket.alarm !== null) return "no";
  if (!answers && !askedFor(ticket, user)) return "no";
  const finished = ticket.steps.filter((step) => step.step === "finished").at(-1);
  const own = personId(ticket.assignee) === user.id || personId(finished?.by) === user.id;
  // An administrator may be the only one who is left; only the server knows, and it says so.
  return own && user.role !== "admin" ? "own" : "may";
}
