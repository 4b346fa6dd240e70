/** Which tickets a person wants to see, and by what they stand together. Pure. */

import type { Layout, Ticket } from "@/api/types";

export const OWNERS = ["tasks", "mine", "nobody"] as const;
export const GROUPS = ["state", "device", "person"] as const;
/** `tasks`: one's own, and what waits for somebody. */
export type Owner = (typeof OWNERS)[number] | "all";
export type Grouping = (typeof GROUPS)[number];

/** As many as a request may name. */
const MOST_ASSETS = 200;

export interface Wanted {
  owner: Owner;
  severity: string;
  kind: string;
  site: string;
  words: string;
  /** Unix ms from which on they were raised; 0: whenever. */
  since: number;
}

export function deviceOf(ticket: Ticket, layout: Layout | undefined): Layout["devices"][number] | undefined {
  return layout?.devices.find((device) => device.id === ticket.asset);
}

/** `user`: the account that looks; `names`: how the ticket's device is called. */
export function matches(
  ticket: Ticket,
  wanted: Wanted,
  user: string | undefined,
  layout: Layout | undefined,
  names: string,
): boolean {
  if (wanted.owner === "tasks" && ticket.assignee !== null && ticket.assignee.id !== user) return false;
  if (wanted.owner === "mine" && ticket.assignee?.id !== user) return false;
  if (wanted.owner === "nobody" && ticket.assignee !== null) return false;
  if (wanted.severity && ticket.severity !== wanted.severity) return false;
  if (Date.parse(ticket.raised_at) < wanted.since) return false;
  if (wanted.site && ticket.site !== wanted.site) return false;
  if (wanted.kind && deviceOf(ticket, layout)?.kind !== wanted.kind) return false;
  const said = ticket.steps.map((step) => step.text).join(" ");
  const title = `${ticket.title.zh} ${ticket.title.en} #${ticket.number ?? ""} ${ticket.place}`;
  const text = `${title} ${ticket.assignee?.name ?? ""} ${said} ${names}`.toLowerCase();
  return wanted.words.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** Assets of that kind, for the server, which knows of no kinds; none: anything. */
export function assetsOf(kind: string, layouts: Iterable<Layout>): string[] | undefined {
  if (!kind) return undefined;
  const found = [...layouts].flatMap(({ devices }) => devices.filter((device) => device.kind === kind));
  return found.length > 0 ? [...new Set(found.map(({ id }) => id))].slice(0, MOST_ASSETS) : ["-"];
}

export interface Group {
  key: string;
  tickets: Ticket[];
}

/** Those of one device or of one person together, in the order of the first of each. */
export function groupsOf(tickets: readonly Ticket[], by: Grouping): Group[] {
  const found = new Map<string, Ticket[]>();
  for (const ticket of tickets) {
    const key =
      by === "device" ? `${ticket.site}/${ticket.asset}` : by === "person" ? (ticket.assignee?.name ?? "") : ticket.state;
    found.set(key, [...(found.get(key) ?? []), ticket]);
  }
  return [...found].map(([key, of]) => ({ key, tickets: of }));
}
