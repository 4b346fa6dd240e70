/** /api/held-accounts and /api/break-glass: whose copies it holds, locking one, the sealed account. */

import { api } from "@/api/client";
import type { BreakGlass, HeldAccount, Page, SealedAccount } from "@/api/types";

export type { BreakGlass, HeldAccount } from "@/api/types";

export const heldAccounts = async (): Promise<HeldAccount[]> =>
  (await api.get<Page<HeldAccount>>("/api/held-accounts")).items;

export const lockAccount = (id: string, reason: string): Promise<HeldAccount> =>
  api.post(`/api/held-accounts/${encodeURIComponent(id)}/lock`, { reason });

export const unlockAccount = (id: string): Promise<HeldAccount> =>
  api.post(`/api/held-accounts/${encodeURIComponent(id)}/unlock`);

export const breakGlass = (): Promise<BreakGlass> => api.get("/api/break-glass");

export const renewBreakGlass = (): Promise<SealedAccount> => api.post("/api/break-glass");
