/** /api/accounts: looking after accounts. One's own is in `api/self`. */

import { api } from "@/api/client";
import type { Account, AccountChange, Page } from "@/api/types";

export type { Account } from "@/api/types";
/** What an account shall be; its password is said apart. */
export type AccountBody = Required<Omit<AccountChange, "password">>;

/** Among the sites of an account: all of them, and those to come. */
export const EVERY_SITE = "*";

export async function accounts(): Promise<Account[]> {
  const found: Account[] = [];
  let cursor: string | number | null = null;
  do {
    const page: Page<Account> = await api.get<Page<Account>>("/api/accounts", { cursor, limit: 500 });
    found.push(...page.items);
    cursor = page.next;
  } while (cursor !== null);
  return found;
}

export const createAccount = (body: AccountBody & { username: string; password: string }): Promise<Account> =>
  api.post("/api/accounts", body);

export const changeAccount = (
  id: string,
  body: AccountBody & { password?: string },
  version: number,
): Promise<Account> => api.put(`/api/accounts/${encodeURIComponent(id)}`, body, version);

export const removeAccount = (id: string, version: number): Promise<void> =>
  api.delete(`/api/accounts/${encodeURIComponent(id)}`, version);

export const endSessionsOf = (id: string): Promise<void> =>
  api.delete(`/api/accounts/${encodeURIComponent(id)}/sessions`);

export const resetSecondFactor = (id: string): Promise<void> =>
  api.delete(`/api/accounts/${encodeURIComponent(id)}/second-factor`);

export const liftLocks = (id: string): Promise<void> => api.delete(`/api/accounts/${encodeURIComponent(id)}/locks`);
