/** Whether what is shown of a site is so now, and whether what is asked of it would arrive. */

import { computed } from "vue";

import { now } from "@/kit/clock";
import { gatewayStanding, linkStanding, worst, type Standing } from "@/live/standing";
import { link, live } from "@/shell/stores/live";
import { session } from "@/shell/stores/session";

const ofLink = computed(() => linkStanding(link.value, live.asOf, now.value));

/** What each site's gateways say of their standing; a gateway's own console has nobody between. */
const ofSites = computed(() => {
  const found = new Map<string, Standing>();
  if (session.about?.server !== "hub") return found;
  const gateways = [...live.gateways.values()];
  for (const { site } of gateways)
    if (!found.has(site)) found.set(site, gatewayStanding(gateways.filter((one) => one.site === site)));
  return found;
});

/** How a site's things are shown (null: those of all sites that are shown). */
export function standingOf(site: string | null | undefined): Standing {
  if (ofLink.value.state !== "live") return ofLink.value;
  return site ? (ofSites.value.get(site) ?? { state: "live" }) : worst([...ofSites.value.values()]);
}

/** Whether a command to the site would arrive now. Of a lost link that is not known: the request itself tells. */
export function reachable(site: string): boolean {
  const standing = ofSites.value.get(site);
  return standing === undefined || standing.state === "live";
}
