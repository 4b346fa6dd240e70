/** Steps of a ticket, asked of the server: what somebody else has is passed over only by who was asked about it. */

import { ApiError } from "@/api/client";
import type { Person, Ticket } from "@/api/types";
import { takeStep, type Said, type Step } from "@/areas/tickets/api";
import { confirmed } from "@/kit/confirming";
import { spanOf } from "@/kit/format/time";
import { i18n } from "@/kit/i18n";
import { personName } from "@/kit/person";

/** Codes of a 409 that asks whether somebody else is to be passed over. */
const ASKS = ["ticket_taken", "ticket_finish_others"];

/** Since when whoever has it has it: their last taking. */
export function takenAt(ticket: Ticket): string | null {
  return ticket.steps.filter((step) => step.step === "taken" || step.step === "taken_over").at(-1)?.at ?? null;
}

/**
 * Takes the step, and answers the ticket after it; null: the person was told whose it is, and let it be.
 *
 * `known`: the ticket as it is shown, where it is somebody else's and the step would pass over them.
 */
export async function stepAsking(id: string, step: Step, said: Said, known: Ticket | null): Promise<Ticket | null> {
  let held = known;
  for (;;) {
    if (held && !(await passes(step, held))) return null;
    try {
      const passing = held && step === "take" ? "take_over" : step;
      return await takeStep(id, passing, held ? { ...said, holder: held.assignee?.id ?? "" } : said);
    } catch (error) {
      if (!(error instanceof ApiError) || !ASKS.includes(error.code) || error.current === null) throw error;
      held = error.current as unknown as Ticket;
    }
  }
}

function passes(step: Step, held: Ticket): Promise<boolean> {
  const { t } = i18n.global;
  const at = takenAt(held);
  const span = spanOf(at === null ? 0 : Date.now() - Date.parse(at));
  const words = { name: personName(held.assignee), span: t(`span.${span.unit}`, { count: span.count }) };
  const which = step === "finish" ? "finish" : "take";
  return confirmed(t(`handling.ask.${which}`, words), { yes: t(`handling.ask.${which}Yes`), customClass: "ask-holder" });
}

/** Who has the ticket, if that is somebody else than `user`. */
export function otherHolder(ticket: Ticket | null, user: string | undefined): Person | null {
  if (!ticket || ticket.state !== "taken" || ticket.assignee === null) return null;
  return ticket.assignee.id === user ? null : ticket.assignee;
}
