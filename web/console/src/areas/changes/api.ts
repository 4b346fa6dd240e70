/** /api/changes: who changed what, from which value to which; /api/retention: what is kept how long. */

import { api } from "@/api/client";
import type { Instant, Page, Person, Text } from "@/api/types";

export type ChangedKind =
  | "holder"
  | "credential"
  | "grant"
  | "schedule"
  | "block"
  | "account"
  | "company"
  | "site"
  | "post"
  | "job";
export const CHANGED_KINDS: readonly ChangedKind[] = [
  "holder", "credential", "grant", "schedule", "block", "account", "company", "site", "post", "job",
];

export interface Change {
  event: number;
  at: Instant;
  site: string | null;
  kind: ChangedKind;
  /** Of the record. */
  id: string;
  /** The holder whom it is about. */
  subject: string | null;
  change: "created" | "updated" | "removed";
  by: Person;
  fields: { field: string; before: unknown; after: unknown }[];
  /** The values are gone, that there was a change is not. */
  erased: boolean;
}

export interface ChangesAsked {
  site?: string | null;
  kind?: ChangedKind | null;
  subject?: string | null;
  before?: string | number | null;
}

export const changePage = (asked: ChangesAsked): Promise<Page<Change>> =>
  api.get("/api/changes", {
    site: asked.site,
    kind: asked.kind,
    subject: asked.subject,
    before: asked.before,
    limit: 50,
  });

/** `days`: null as long as what it belongs to. */
export interface Kept {
  what: string;
  text: Text;
  days: number | null;
}

export const retention = async (): Promise<Kept[]> => (await api.get<Page<Kept>>("/api/retention")).items;
