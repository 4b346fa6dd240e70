/** The open alarms of the screen by their causes, and what is done with a whole group. */

import { computed } from "vue";

import type { Alarm } from "@/api/types";
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

export function ackGroup(cause: Cause, done?: () => void): void {
  ackAll(toAck(allOf(cause)), say(cause.head.message), done);
}

export function ackAll(group: Alarm[], title: string, done?: () => void): void {
  if (group.length > 0) together.value = { act: "ack", alarms: group, title, done };
}
