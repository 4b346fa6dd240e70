/** What people looked at and were refused, as the history tells it. Pure. */

import type { EventItem, RecordsRead, RequestRefused } from "@/api/types";

export const LOOK_KINDS: readonly string[] = ["records.read", "request.refused"];

type LookData = Pick<RecordsRead, "by" | "times" | "address"> & Partial<RecordsRead & RequestRefused>;

export interface Look {
  id: number;
  at: string;
  who: string;
  role: string;
  times: number;
  address: string;
  /** Key of the sentence, and what it says. */
  says: { key: string; words: Record<string, string | number> };
}

export function lookOf(event: EventItem): Look {
  const data = event.data as unknown as LookData;
  const says: Look["says"] =
    event.kind === "request.refused"
      ? { key: "looks.refused", words: { request: data.request ?? "" } }
      : { key: `looks.read.${data.what}`, words: { count: data.records ?? 0 } };
  const { by, times, address = "" } = data;
  return { id: event.id, at: event.at, who: by.name, role: by.role, times, address, says };
}
