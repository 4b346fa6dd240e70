/** Which alarms have one cause, and whether so many come that only causes can be read. Pure. */

import type { Alarm, Layout, Severity } from "@/api/types";
import { compareSeverity } from "@/kit/marks/severity";
import { compareAlarms, unseen } from "@/live/alarms";

/** What stands above what, the widest first: a lost gateway takes its site's devices along, a bus those on it. */
export type CauseKind = "gateway" | "power" | "bus" | "device" | "same" | "single";

export interface Cause {
  kind: CauseKind;
  /** What the others follow from; of alarms that are merely alike, the most urgent. None of the others is worse. */
  head: Alarm;
  followers: Alarm[];
}

/** What a layout tells about where an alarm belongs. */
export type Wiring = Pick<Layout, "devices" | "gateway">;

/** How long before its cause was noticed something may be noticed that follows from it: polls take their time. */
export const BEFORE_MS = 120_000;
/** A cause explains what comes while it is there, this long after it came: later faults have causes of their own. */
export const AFTER_MS = 30 * 60_000;
/** Alike: the same rule at so many places within so long. */
const ALIKE = 3;
const ALIKE_MS = 10 * 60_000;

/** More unseen ones than this within `FLOOD_MS` are a flood. */
export const FLOOD = 10;
export const FLOOD_MS = 10 * 60_000;

const LOST = new Set(["device.lost", "device.failing"]);
/** Rules about the supply are a site's own: they are known by their names. */
const SUPPLY = /^(power|mains|supply|phase)[-_.]/;
/** So is what measures the whole supply: what hangs on a sub-meter is not written down anywhere. In Chinese: zong, jinxian. */
const MAIN = /(^|[^a-z])(mains?|incomer|incoming)([^a-z]|$)|\u603b|\u8fdb\u7ebf/i;

const RANK: Record<CauseKind, number> = { gateway: 0, power: 1, bus: 2, device: 3, same: 4, single: 5 };

/** What an alarm may be the cause of others as; null: of none. */
function causeKind(alarm: Alarm, wiring: Wiring | undefined): CauseKind | null {
  if (alarm.cleared_at !== null) return null;
  if (alarm.rule.startsWith("gateway.")) return "gateway";
  if (SUPPLY.test(alarm.rule)) return measuresAll(alarm.source, wiring) ? "power" : null;
  if (!LOST.has(alarm.rule)) return null;
  return wiring?.devices.some((device) => device.bus === alarm.source) ? "bus" : "device";
}

/** Whether a device stands for the supply of its whole site: it says so, and no other of its kind does. */
function measuresAll(id: string, wiring: Wiring | undefined): boolean {
  const says = (device: Pick<Layout["devices"][number], "id" | "name">): boolean =>
    MAIN.test(`${device.id} ${device.name.zh} ${device.name.en}`);
  const device = wiring?.devices.find((known) => known.id === id);
  if (device === undefined) return MAIN.test(id);
  return says(device) && !wiring?.devices.some((other) => other !== device && other.kind === device.kind && says(other));
}

/** Nobody may have to unfold something to see that a life is at stake, or that a site is out of reach. */
const standsAlone = (alarm: Alarm): boolean => alarm.severity === "critical" || alarm.rule.startsWith("gateway.");

function mayFollow(kind: CauseKind, head: Alarm, alarm: Alarm): boolean {
  if (standsAlone(alarm) || compareSeverity(alarm.severity, head.severity) < 0) return false;
  // Without line or power a thing falls silent; what it reported has a cause of its own.
  return kind === "device" || LOST.has(alarm.rule);
}

function explains(kind: CauseKind, head: Alarm, alarm: Alarm, wiring: Wiring | undefined): boolean {
  if (head === alarm || head.site !== alarm.site || !mayFollow(kind, head, alarm)) return false;
  const later = Date.parse(alarm.raised_at) - Date.parse(head.raised_at);
  if (later < -BEFORE_MS || later > AFTER_MS) return false;
  if (kind === "gateway" || kind === "power") return true;
  const at = [alarm.source, alarm.asset];
  if (kind === "device") return at.includes(head.source);
  return wiring?.devices.some((device) => device.bus === head.source && at.includes(device.id)) ?? false;
}

/**
 * The alarms by their causes: each in one group, those that have something to see first. `wirings`: by site; without one only
 * alarms of the same thing are put together.
 */
export function causesOf(alarms: readonly Alarm[], wirings: ReadonlyMap<string, Wiring>): Cause[] {
  const heads = alarms
    .map((alarm) => ({ alarm, kind: causeKind(alarm, wirings.get(alarm.site)) }))
    .filter((each): each is { alarm: Alarm; kind: CauseKind } => each.kind !== null)
    .sort((a, b) => RANK[a.kind] - RANK[b.kind] || a.alarm.raised_at.localeCompare(b.alarm.raised_at));
  const found = new Map<Alarm, Cause>();
  const under = new Set<Alarm>();
  for (const { alarm: head, kind } of heads) {
    if (under.has(head)) continue;
    const followers = alarms.filter(
      (alarm) => !under.has(alarm) && !found.has(alarm) && explains(kind, head, alarm, wirings.get(head.site)),
    );
    for (const follower of followers) under.add(follower);
    if (followers.length > 0) found.set(head, { kind, head, followers });
  }
  const left = alarms.filter((alarm) => !under.has(alarm) && !found.has(alarm));
  const causes = [...found.values(), ...alikeOf(left)];
  for (const cause of causes) cause.followers.sort(compareAlarms);
  return causes.sort((a, b) => compareAlarms(worstOf(a), worstOf(b)));
}

/** What asks for attention most in a group: the group stands where that would. */
export function worstOf(cause: Cause): Alarm {
  return [cause.head, ...cause.followers].sort(compareAlarms)[0] ?? cause.head;
}

/** How bad the worst of a group is, seen or not. */
export function severityOf(cause: Cause): Severity {
  return allOf(cause).map(({ severity }) => severity).sort(compareSeverity)[0] ?? cause.head.severity;
}

export const allOf = (cause: Cause): Alarm[] => [cause.head, ...cause.followers];

function alikeOf(alarms: readonly Alarm[]): Cause[] {
  const byRule = new Map<string, Alarm[]>();
  for (const alarm of [...alarms].sort(compareAlarms)) {
    const key = `${alarm.site} ${alarm.rule} ${alarm.severity}${standsAlone(alarm) ? ` ${alarm.id}` : ""}`;
    byRule.set(key, [...(byRule.get(key) ?? []), alarm]);
  }
  const causes: Cause[] = [];
  for (const like of byRule.values()) {
    const [head, ...rest] = like;
    if (head === undefined) continue;
    const at = Date.parse(head.raised_at);
    const near = rest.filter((alarm) => Math.abs(Date.parse(alarm.raised_at) - at) <= ALIKE_MS);
    const grouped = near.length + 1 >= ALIKE;
    causes.push({ kind: grouped ? "same" : "single", head, followers: grouped ? near : [] });
    for (const alarm of grouped ? rest.filter((each) => !near.includes(each)) : rest)
      causes.push({ kind: "single", head: alarm, followers: [] });
  }
  return causes;
}

/** How many unseen ones came within the last ten minutes, when that is a flood; else 0. */
export function floodOf(alarms: Iterable<Alarm>, now: number): number {
  const count = [...alarms].filter((alarm) => unseen(alarm) && now - Date.parse(alarm.raised_at) <= FLOOD_MS).length;
  return count > FLOOD ? count : 0;
}
