/** Whether what is said of an alarm would arrive: at its gateway, or at the hub, whose own alarms are about gateways. */

import type { Alarm } from "@/api/types";
import { notice } from "@/kit/notice";
import { unreachable } from "@/shell/stores/asking";

/** What the hub raises itself, and treats itself. A test of the hub holds it to what it raises. */
export const HUBS_OWN = new Set(["gateway.lost", "journal.lost", "rights.behind"]);

/** Why nothing can be said of it now, in words; "" if it can. */
export function barred(alarm: Pick<Alarm, "site" | "rule">): string {
  return HUBS_OWN.has(alarm.rule) ? "" : unreachable(alarm.site);
}

/** The same of several: only where none of them would arrive. */
export function allBarred(alarms: readonly Alarm[]): string {
  return alarms.every((alarm) => barred(alarm) !== "") && alarms[0] ? barred(alarms[0]) : "";
}

/** Those of them of which something can be said now; where that is none, the person reads why. */
export function arriving(alarms: readonly Alarm[]): Alarm[] {
  const why = allBarred(alarms);
  if (why) notice("warning", why);
  return alarms.filter((alarm) => barred(alarm) === "");
}
