/** A person as events and items name them: with id and name, or (older ones) by name alone. Pure. */

import type { Person } from "@/api/types";

type Named = Person | string | null | undefined;

export function personId(person: Named): string | undefined {
  return typeof person === "string" ? person : person?.id;
}

export function personName(person: Named): string {
  return typeof person === "string" ? person : (person?.name ?? "");
}
