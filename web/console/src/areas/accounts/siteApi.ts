/** /api/held-accounts and /api/break-glass: whose copies it holds, locking one, the sealed account. */

import { api } from "@/api/client";
import type { Role } from "@/api/types";

export interface HeldAccount {
  id: string;
  username: string;
  name: string;
  role: Role;
  expires_at: string;
  may_lock: boolean;
  may_unlock: boolean;
  lock: { by: string; at: string; reason: string } | null;
}

export interface BreakGlass {
  made_at: string | null;
  used_at: string | null;
  spent: boolean;
  opens: boolean;
}

export const heldAccounts = async (): Promise<HeldAccount[]> =>
  (await api.get<{ items: HeldAccount[] }>("/api/held-accounts")).items;

export const lockAccount = (id: string, reason: string): Promise<HeldAccount> =>
  api.post(`/api/held-accounts/${encodeURIComponent(id)}/lock`, { reason });

export const unlockAccount = (id: string): Promise<HeldAccount> =>
  api.post(`/api/held-accounts/${encodeURIComponent(id)}/unlock`);

export const breakGlass = (): Promise<BreakGlass> => api.get("/api/break-glass");

export const renewBreakGlass = (): Promise<{ username: string; password: string }> => api.post("/api/break-glass");
