/** /api/holders, /api/credentials, /api/grants, /api/schedules, /api/blocks. Ids are unique within a site. */

import { api } from "@/api/client";
import type { Block, CardForm, Credential, Grant, Holder, HolderWhole, Page, Pin, Schedule } from "@/api/types";
import type * as Shapes from "@/api/types";

/** Whoever writes one says all of it. */
export type HolderBody = Required<Shapes.HolderBody>;
export type CredentialBody = Required<Omit<Shapes.CredentialBody, "form">> & { form?: CardForm };
export type GrantBody = Required<Shapes.GrantBody>;
export type BlockBody = Omit<Shapes.BlockBody, "form">;

/** How a card's number stands on the card, where it is not the UID in hex, in the order in which the form offers them. */
const OFFERED: Record<CardForm, true> = {
  "10d": true, "8h": true, "3+5": true, "5+5": true, "10d-26": true, "8h-26": true, h10302: true, h10304: true, hex: true,
};  // prettier-ignore
export const CARD_FORMS = Object.keys(OFFERED) as CardForm[];

export {
  CREDENTIAL_STATES,
  HOLDER_KINDS,
  type Block,
  type CardForm,
  type Credential,
  type CredentialState,
  type Grant,
  type Holder,
  type HolderKind,
  type HolderWhole,
  type Schedule,
} from "@/api/types";

/** The schedule that exists without being written. */
export const ALWAYS = "always";

export interface Asked {
  site: string | null;
  q?: string;
  sort?: "name" | "room";
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
export const showPin = (site: string, id: string): Promise<Pin> =>
  api.post(`/api/credentials/${encodeURIComponent(id)}/pin?site=${encodeURIComponent(site)}`, {});
export const grants = noun<GrantBody, Grant>("grants");
export const schedules = noun<never, Schedule>("schedules");
export const blocks = noun<BlockBody, Block>("blocks");

export const wholeHolder = (site: string, id: string): Promise<HolderWhole> =>
  api.get(`/api/holders/${encodeURIComponent(id)}`, { site });
