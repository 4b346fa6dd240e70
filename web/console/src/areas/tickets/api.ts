/** /api/tickets. */

import { api } from "@/api/client";
import type { NewTicket, Page, Step, StepBody, StepOfEach, Ticket, TicketsAsked, TicketState } from "@/api/types";

export const ticketPage = (
  site: string | null,
  state: TicketState | null,
  cursor: string | number | null,
): Promise<Page<Ticket>> => api.get("/api/tickets", { site, state, cursor, limit: 100 });

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
