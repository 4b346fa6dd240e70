/** /api/holders, /api/credentials, /api/grants, /api/schedules, /api/blocks. Ids are unique within a site. */

import { api } from "@/api/client";
import type { CredentialKind, Instant, Page, Text } from "@/api/types";

export type HolderKind = "resident" | "staff" | "visitor" | "contractor";
export const HOLDER_KINDS: readonly HolderKind[] = ["resident", "staff", "visitor", "contractor"];

interface Term {
  valid_from: Instant | null;
  valid_to: Instant | null;
}
interface Kept {
  id: string;
  site: string;
  /** Another one after each change; who changes it says which one they saw. */
  version: number;
}

export interface HolderBody extends Term {
  name: string;
  kind: HolderKind;
  unit: string;
}
export type Holder = HolderBody & Kept;

/** How a card's number stands on the card, where it is not the UID in hex (contract/cards.py). */
export type CardForm = "10d" | "8h" | "3+5" | "5+5" | "10d-26" | "8h-26" | "h10302" | "h10304" | "hex";
export const CARD_FORMS: readonly CardForm[] = [
  "10d", "8h", "3+5", "5+5", "10d-26", "8h-26", "h10302", "h10304", "hex",
];

export type CredentialState = "active" | "revoked" | "lost";
export interface CredentialBody extends Term {
  kind: CredentialKind;
  value: string;
  holder: string;
  state: CredentialState;
  form?: CardForm;
}
export type Credential = CredentialBody & Kept;

export interface GrantBody extends Term {
  holder: string;
  places: string[];
  schedule: string;
}
export type Grant = GrantBody & Kept;

/** The schedule that exists without being written. */
export const ALWAYS = "always";

export interface Schedule extends Kept {
  name: Text;
}

export interface BlockBody {
  kind: CredentialKind;
  value: string;
  reason: Text;
}
export type Block = BlockBody & Kept;

export type HolderWhole = Holder & { credentials: Credential[]; grants: Grant[] };

export interface Asked {
  site: string | null;
  q?: string;
  kind?: string | null;
  holder?: string | null;
  cursor?: string | number | null;
  limit?: number;
}

interface Noun<Body, Item> {
  list(asked: Asked): Promise<Page<Item>>;
  create(site: string, body: Body): Promise<Item>;
  change(site: string, id: string, body: Body, version: number): Promise<Item>;
  remove(site: string, id: string, version: number): Promise<void>;
}

function noun<Body, Item>(name: string): Noun<Body, Item> {
  const one = (site: string, id: string): string =>
    `/api/${name}/${encodeURIComponent(id)}?site=${encodeURIComponent(site)}`;
  return {
    list: (asked) => api.get(`/api/${name}`, { ...asked }),
    create: (site, body) => api.post(`/api/${name}`, { ...body, site }),
    change: (site, id, body, version) => api.put(one(site, id), body, version),
    remove: (site, id, version) => api.delete(one(site, id), version),
  };
}

export const holders = noun<HolderBody, Holder>("holders");
export const credentials = noun<CredentialBody, Credential>("credentials");
/** Shows a PIN; that it was shown is recorded. */
export const showPin = (site: string, id: string): Promise<{ value: string }> =>
  api.post(`/api/credentials/${encodeURIComponent(id)}/pin?site=${encodeURIComponent(site)}`, {});
export const grants = noun<GrantBody, Grant>("grants");
export const schedules = noun<never, Schedule>("schedules");
export const blocks = noun<BlockBody, Block>("blocks");

export const wholeHolder = (site: string, id: string): Promise<HolderWhole> =>
  api.get(`/api/holders/${encodeURIComponent(id)}`, { site });
