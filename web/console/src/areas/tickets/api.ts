/** /api/tickets. */

import { api } from "@/api/client";
import type { Page, Severity, Ticket, TicketState } from "@/api/types";

export const ticketPage = (
  site: string | null,
  state: TicketState | null,
  cursor: string | number | null,
): Promise<Page<Ticket>> => api.get("/api/tickets", { site, state, cursor, limit: 100 });

export const oneTicket = (id: string): Promise<Ticket> => api.get(`/api/tickets/${encodeURIComponent(id)}`);

export interface NewTicket {
  site: string;
  title: string;
  asset: string;
  place: string;
  severity: Severity;
  text: string;
}

export const openTicket = (body: NewTicket): Promise<Ticket> => api.post("/api/tickets", body);

export type Step = "take" | "comment" | "finish" | "accept" | "reopen";

/** `found`, `done`: what finished work says of the cause and the cure. */
export interface Said {
  text?: string;
  found?: string;
  done?: string;
}

export const takeStep = (id: string, step: Step, said: Said = {}): Promise<Ticket> =>
  api.post(`/api/tickets/${encodeURIComponent(id)}/${step}`, said);
