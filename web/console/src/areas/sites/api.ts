/** GET /api/overview: what asks for attention at each site, counted by the server. */

import { api } from "@/api/client";
import type { Page, Severity } from "@/api/types";

/** `null`: nobody knows, the site's gateway never reported. `denied`: entries refused since `denied_since`. */
export interface Overview {
  site: string;
  alarms: Record<Severity, number> | null;
  tickets: number;
  doors_open: number | null;
  denied: number | null;
  denied_since: string;
}

export const overview = async (): Promise<Overview[]> => (await api.get<Page<Overview>>("/api/overview")).items;
