/** How alarms are ordered and counted for a guard: state first, then severity, then age. Pure. */

import type { Alarm, AlarmState, Severity, Ticket } from "@/api/types";

const STATE_ORDER: Record<AlarmState, number> = { active: 0, cleared: 1, acknowledged: 2, shelved: 3, closed: 4 };
const SEVERITY_ORDER: Record<Severity, number> = { critical: 0, major: 1, minor: 2, warning: 3 };

/** Negative when `a` stands above `b`: unseen before seen, worse before milder, newer before older. */
export function compareAlarms(a: Alarm, b: Alarm): number {
  return (
    (STATE_ORDER[a.state] ?? 5) - (STATE_ORDER[b.state] ?? 5) ||
    compareSeverity(a.severity, b.severity) ||
    b.raised_at.localeCompare(a.raised_at)
  );
}

export function compareSeverity(a: Severity, b: Severity): number {
  return (SEVERITY_ORDER[a] ?? 4) - (SEVERITY_ORDER[b] ?? 4);
}

/** Nobody has acknowledged it yet, whether or not the device is back. */
export function unseen(alarm: Alarm): boolean {
  return alarm.state === "active" || alarm.state === "cleared";
}

/** The steps of an instruction: one a line, or numbered in one line. The numbers go: a list has its own. */
export function stepsOf(instruction: string): string[] {
  return instruction
    .split(/\n+|(?<=[；;。.])\s*(?=\d+[.、)]\s)/)
    .map((step) =>
      step
        .replace(/^\s*\d+[.、)]\s*/, "")
        .replace(/[；;]\s*$/, "")
        .replace(/(?<=[，、；。])\s+/g, "")
        .trim(),
    )
    .filter(Boolean);
}

/** Rings until it is acknowledged, also when it was gone before anybody saw it. */
export function rings(alarm: Alarm): boolean {
  return unseen(alarm) && (alarm.severity === "critical" || alarm.severity === "major");
}

/** The worst first, then the one that waits longest. */
export function compareTickets(a: Ticket, b: Ticket): number {
  return compareSeverity(a.severity, b.severity) || a.raised_at.localeCompare(b.raised_at);
}
