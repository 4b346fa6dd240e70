/** /api/tickets. */

import { api } from "@/api/client";
import type { NewTicket, Page, Step, StepBody, StepOfEach, Ticket, TicketsAsked } from "@/api/types";

/** What the server finds tickets by. `state`, `severity`: one, or several with commas; `assignee`: an account, `me` or `nobody`. */
export type TicketQuery = Partial<Record<"site" | "state" | "severity" | "assignee" | "q" | "from", string | null>> & {
  asset?: readonly string[];
};

export const ticketPage = (
  { site, state, severity, assignee, q, from, asset }: TicketQuery,
  cursor: string | number | null,
  limit: number,
): Promise<Page<Ticket>> => api.get("/api/tickets", { site, state, severity, assignee, q, from, asset, cursor, limit });

export const oneTicket = (id: string): Promise<Ticket> => api.get(`/api/tickets/${encodeURIComponent(id)}`);

export const openTicket = (body: NewTicket): Promise<Ticket> => api.post("/api/tickets", body);

export type { Step } from "@/api/types";

/** What a person says with a step. */
export type Said = Omit<StepBody, "assignee">;

export const takeStep = (id: string, step: Step, said: Said = {}): Promise<Ticket> =>
  api.post(`/api/tickets/${encodeURIComponent(id)}/${step}`, said);

/** Steps that several tickets take at once. */
export type Together = StepOfEach["step"];

export const stepOfEach = (
  step: Together,
  ids: readonly string[],
  said: { text: string; found: string; done: string },
): Promise<TicketsAsked> => api.post("/api/tickets/steps", { ids, step, ...said });
