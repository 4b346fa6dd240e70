/** How alarms are ordered and counted for a guard: state first, then severity, then age. Pure. */

import type { Alarm, AlarmState } from "@/api/types";
import { compareSeverity } from "@/kit/marks/severity";

const STATE_ORDER: Record<AlarmState, number> = { active: 0, cleared: 1, acknowledged: 2, shelved: 3, closed: 4 };

/** Negative when `a` stands above `b`: unseen before seen, worse before milder, newer before older. */
export function compareAlarms(a: Alarm, b: Alarm): number {
  return (
    (STATE_ORDER[a.state] ?? 5) - (STATE_ORDER[b.state] ?? 5) ||
    compareSeverity(a.severity, b.severity) ||
    b.raised_at.localeCompare(a.raised_at)
  );
}

/** Nobody has acknowledged it yet, whether or not the device is back. */
export function unseen(alarm: Alarm): boolean {
  return alarm.state === "active" || alarm.state === "cleared";
}

/** Rings until it is acknowledged, also when it was gone before anybody saw it. */
export function rings(alarm: Alarm): boolean {
  return unseen(alarm) && (alarm.severity === "critical" || alarm.severity === "major");
}
