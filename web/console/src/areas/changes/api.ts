/** /api/changes: who changed what, from which value to which; /api/retention: what is kept how long. */

import { api } from "@/api/client";
import type { Change, ChangedKind, Kept, Page } from "@/api/types";

export { CHANGED_KINDS, type Change, type ChangedKind, type Kept } from "@/api/types";

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

export const retention = async (): Promise<Kept[]> => (await api.get<Page<Kept>>("/api/retention")).items;
