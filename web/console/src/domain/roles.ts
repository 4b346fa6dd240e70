/** What each role is shown. The servers enforce; the console only hides what would be refused. Pure. */

import type { About, Role, User } from "@/api/types";

export type Ability =
  | "watch"
  | "open"
  | "alarms.handle"
  | "tickets.read"
  | "tickets.create"
  | "tickets.work"
  | "tickets.close"
  | "points.read"
  | "devices.read"
  | "people.read"
  | "people.write"
  | "sites.read"
  | "accounts.write";

const ALL: readonly Ability[] = [
  "watch",
  "open",
  "alarms.handle",
  "tickets.read",
  "tickets.create",
  "tickets.work",
  "tickets.close",
  "points.read",
  "devices.read",
  "people.read",
  "people.write",
  "sites.read",
  "accounts.write",
];

const ABILITIES: Record<Role, readonly Ability[]> = {
  guard: ["watch", "open", "alarms.handle", "tickets.read", "tickets.create", "points.read", "devices.read"],
  maintenance: ["alarms.handle", "tickets.read", "tickets.create", "tickets.work", "points.read", "devices.read"],
  installer: ["watch", "open", "alarms.handle", "tickets.read", "tickets.create", "tickets.work", "points.read", "devices.read"],
  manager: ALL.filter((ability) => ability !== "accounts.write"),
  admin: ALL,
};

/** What a gateway does not keep: people, accounts, other sites, and what happens to a ticket after it was raised. */
const HUB_ONLY = new Set<Ability>([
  "tickets.create",
  "tickets.work",
  "tickets.close",
  "people.read",
  "people.write",
  "sites.read",
  "accounts.write",
]);

export function may(user: User | null, about: About | null, ability: Ability): boolean {
  if (user === null) return false;
  if (about?.server === "gateway" && HUB_ONLY.has(ability)) return false;
  return ABILITIES[user.role]?.includes(ability) ?? false;
}

/** Where a person starts. */
export function homeOf(user: User | null, about: About | null): string {
  if (may(user, about, "sites.read") && user !== null && (user.sites.includes("*") || user.sites.length > 1)) return "/sites";
  if (user?.role === "maintenance") return "/tickets";
  if (user?.role === "installer") return "/devices";
  return "/guard";
}
