/** /api/entries: who came where, found by words, place, time and outcome. */

import { api, withQuery } from "@/api/client";
import type { Entry as Found, EventItem, Page } from "@/api/types";
import { entryOf, type Entry, type Traveller } from "@/live/entries";

export interface Wanted {
  site: string | null;
  q: string;
  /** The first moment, and the one after the last. */
  from: string | null;
  to: string | null;
  place: string | null;
  /** One, or several with commas. */
  outcome: string | null;
  traveller: Traveller | null;
}

export interface FoundEntries {
  entries: Entry[];
  next: string | null;
  /** A gateway looked no further back than this; null: everything was looked through. */
  lookedTo: string | null;
}

interface FoundPage extends Page<Omit<Found, "event"> & { event: EventItem }> {
  looked_to?: string | null;
}

export async function searchEntries(wanted: Wanted, cursor: string | null, limit: number): Promise<FoundEntries> {
  const page = await api.get<FoundPage>("/api/entries", { ...wanted, cursor, limit });
  return {
    entries: page.items.flatMap((item) => {
      const entry = entryOf(item.event);
      if (entry === null) return [];
      return [{ ...entry, passed: item.passed_at !== null, picture: item.picture }];
    }),
    next: page.next === null ? null : String(page.next),
    lookedTo: page.looked_to ?? null,
  };
}

/** Where the browser gets the same as a file. */
export const exportPath = (wanted: Wanted, format: "csv" | "xlsx", language: string): string =>
  withQuery("/api/entries/export", { ...wanted, format, language });
