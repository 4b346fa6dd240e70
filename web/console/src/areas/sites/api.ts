/** GET /api/overview: what asks for attention at each site, counted by the server. */

import { api } from "@/api/client";
import type { Overview, OverviewNumber, Page } from "@/api/types";

export type { Overview, OverviewNumber } from "@/api/types";

export const overview = async (): Promise<Overview[]> => (await api.get<Page<Overview>>("/api/overview")).items;
export const overviewNumbers = async (): Promise<OverviewNumber[]> =>
  (await api.get<Page<OverviewNumber>>("/api/overview/numbers")).items;
