/** The open alarms of the screen by their causes, and what is done with a whole group. */

import { computed } from "vue";

import type { Alarm } from "@/api/types";
import { arriving } from "@/areas/alarms/arriving";
import { now } from "@/kit/clock";
import { say } from "@/kit/i18n";
import { unseen } from "@/live/alarms";
import { allOf, causesOf, floodOf, type Cause } from "@/live/causes";
import { together } from "@/shell/stores/handling";
import { alarms } from "@/shell/stores/live";
import { layouts } from "@/shell/stores/site";

export const openAlarms = computed(() => alarms.value.filter((alarm) => alarm.state !== "closed"));
export const causes = computed(() => causesOf(openAlarms.value, layouts));
/** Looked at anew by the clock too: a flood ends by itself. */
export const flood = computed(() => floodOf(openAlarms.value, now.value));

/** Those of a group that still wait for somebody to have seen them. */
export const toAck = (group: readonly Alarm[]): Alarm[] =>
  group.filter((alarm) => unseen(alarm) && alarm.can.includes("alarm.ack"));

/** The same of what is acknowledged with one word: each critical one is read and answered by itself. */
export const groupToAck = (cause: Cause): Alarm[] =>
  toAck(allOf(cause)).filter(({ severity }) => severity !== "critical");

/** What follows is named so far before it is said how many more there are. */
const NAMED = 3;

/** What stands folded beneath a cause: its different texts, and how many alarms say something else. */
export function beneath(cause: Cause): { texts: string; more: number } {
  const said = cause.followers.map(({ message }) => say(message));
  const texts = [...new Set(said)].slice(0, NAMED);
  return { texts: texts.join(" · "), more: said.filter((each) => !texts.includes(each)).length };
}

export function ackGroup(cause: Cause, done?: () => void): void {
  ackAll(groupToAck(cause), say(cause.head.message), done);
}

export function ackAll(group: Alarm[], title: string, done?: () => void): void {
  const alarms = arriving(group);
  if (alarms.length > 0) together.value = { act: "ack", alarms, title, done };
}
