/** Where somebody goes once they have signed in. Pure. */

import type { LocationQuery, LocationQueryRaw } from "vue-router";

/** What the sign-in page's address holds after a session ended at `place`: what stood open there was that person's. */
export function endedAt(place: string, person: string): LocationQueryRaw {
  return { next: place, of: person };
}

/** Where `person` is led: to where a session ended only if it was theirs, to an address that they were sent in any case. */
export function nextFor({ next, of }: LocationQuery, person: string): string {
  if (of !== undefined && of !== person) return "/";
  return typeof next === "string" && next.startsWith("/") && !next.startsWith("//") ? next : "/";
}
