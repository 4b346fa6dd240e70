/** GET /api/overview: what asks for attention at each site, counted by the server. */

import { api } from "@/api/client";
import type { Overview, Page } from "@/api/types";

export type { Overview } from "@/api/types";

export const overview = async (): Promise<Overview[]> => (await api.get<Page<Overview>>("/api/overview")).items;
