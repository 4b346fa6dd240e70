/** /api/events: one of them, and what stands around it. */

import { api } from "@/api/client";
import type { EventItem, Page } from "@/api/types";
import { FEED_KINDS } from "@/live/entries";

/** Records on either side of an event that may belong to it. */
const AROUND = 40;

/** The event, and its neighbours of the kinds that entries are drawn from. */
export async function eventAround(id: string): Promise<EventItem[]> {
  const event = await api.get<EventItem>(`/api/events/${encodeURIComponent(id)}`);
  const wanted = { site: event.site, kind: FEED_KINDS, limit: AROUND };
  const [before, after] = await Promise.all([
    api.get<Page<EventItem>>("/api/events", { ...wanted, before: event.id }),
    api.get<Page<EventItem>>("/api/events", { ...wanted, after: event.id }),
  ]);
  return [...[...after.items].reverse(), event, ...before.items];
}
