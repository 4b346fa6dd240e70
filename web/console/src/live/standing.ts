/** Whether what a panel shows is so now: loading, live, stale since when, or not known at all. Pure. */

import type { Gateway } from "@/api/types";
import type { LinkStatus } from "@/live/link";

export type Standing =
  | { state: "loading" }
  | { state: "live" }
  /** It was so when the link, or the site's gateway, was last heard. */
  | { state: "stale"; since: number | null; why: "link" | "gateway" }
  | { state: "unknown"; why: "link" | "gateway" };

/** A first snapshot that has not come by then is not on its way: it is missing. */
export const PATIENCE_MS = 3000;
/** A link that was cut this shortly comes back before anybody has read of it; of one that fell silent enough is known. */
const HICCUP_MS = 1500;
const SILENT_MS = 5000;

/** How the link stands to what is shown. `asOf`: of the last snapshot; null if there was none. */
export function linkStanding(link: LinkStatus, asOf: string | null, now: number): Standing {
  if (asOf === null) {
    const waits = link.state === "connecting" && now - link.since < PATIENCE_MS;
    return waits || link.state === "live" ? { state: "loading" } : { state: "unknown", why: "link" };
  }
  const cut = now - (link.heardAt ?? 0) < SILENT_MS && now - link.since < HICCUP_MS;
  if (link.state === "live" || (link.state === "lost" && cut)) return { state: "live" };
  return { state: "stale", since: link.heardAt ?? Date.parse(asOf), why: "link" };
}

/** How a site's gateway stands, seen from the hub: what it told is as old as its last word. */
export function gatewayStanding(gateways: readonly Gateway[]): Standing {
  const away = gateways.filter((gateway) => gateway.online !== true);
  if (away.length === 0) return { state: "live" };
  const seen = away.map((gateway) => (gateway.seen_at === null ? null : Date.parse(gateway.seen_at)));
  const known = seen.filter((at) => at !== null);
  return known.length === 0
    ? { state: "unknown", why: "gateway" }
    : { state: "stale", since: Math.min(...known), why: "gateway" };
}

const WORSE: Record<Standing["state"], number> = { live: 0, stale: 1, loading: 2, unknown: 3 };

/** The worst of several: what is shown of all of them is no better. */
export function worst(standings: readonly Standing[]): Standing {
  return standings.reduce<Standing>((found, one) => (WORSE[one.state] > WORSE[found.state] ? one : found), {
    state: "live",
  });
}
