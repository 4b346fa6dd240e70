/** What each role is shown. The servers enforce; the console only hides what would be refused. Pure. */

import type { About, Role, User } from "@/api/types";

const EVERYBODY = ["guard", "maintenance", "installer", "manager", "admin"] as const;

/** Ability → roles. Commands follow rules/commands.py, ticket steps rules/tickets/steps.py. */
const ROLES_OF = {
  watch: ["guard", "installer", "manager", "admin"],
  open: ["guard", "installer", "manager", "admin"],
  "door.mode": ["guard", "manager", "admin"],
  "alarms.ack": EVERYBODY,
  "alarms.shelve": ["maintenance", "installer", "manager", "admin"],
  "tickets.read": EVERYBODY,
  "tickets.create": EVERYBODY,
  "tickets.comment": EVERYBODY,
  "tickets.work": ["maintenance", "installer", "manager", "admin"],
  "tickets.reopen": ["maintenance", "manager", "admin"],
  "tickets.answer": ["manager", "admin"],
  "points.read": EVERYBODY,
  "meters.read": EVERYBODY,
  "points.write": ["maintenance", "installer", "admin"],
  "devices.read": EVERYBODY,
  "readers.key": ["installer", "admin"],
  "people.read": ["guard", "installer", "manager", "admin"],
  "people.write": ["manager", "admin"],
  "sites.read": ["manager", "admin"],
  "accounts.write": ["manager", "admin"],
  "accounts.lock": ["guard", "manager", "admin"],
  "seal.renew": ["manager", "admin"],
  "changes.read": ["manager", "admin"],
  "jobs.run": ["admin"],
} as const satisfies Record<string, readonly Role[]>;

export type Ability = keyof typeof ROLES_OF;

/** What a gateway does not keep: people, accounts, other sites, and what happens to a ticket after it was raised. */
const HUB_ONLY = new Set<Ability>([
  "tickets.create",
  "tickets.comment",
  "tickets.work",
  "tickets.reopen",
  "tickets.answer",
  "meters.read",
  "people.read",
  "people.write",
  "sites.read",
  "accounts.write",
  "changes.read",
  "jobs.run",
]);

/** What only a gateway has of its own. */
const GATEWAY_ONLY = new Set<Ability>(["accounts.lock", "seal.renew"]);

export function may(user: User | null, about: About | null, ability: Ability): boolean {
  if (user === null) return false;
  if (about?.server === "gateway" && HUB_ONLY.has(ability)) return false;
  if (about?.server !== "gateway" && GATEWAY_ONLY.has(ability)) return false;
  const roles: readonly Role[] = ROLES_OF[ability];
  return roles.includes(user.role);
}

/** Where a person starts. */
export function homeOf(user: User | null, about: About | null): string {
  if (may(user, about, "sites.read") && user !== null && (user.sites.includes("*") || user.sites.length > 1))
    return "/sites";
  if (user?.role === "maintenance") return "/tickets";
  if (user?.role === "installer") return "/devices";
  return "/guard";
}
