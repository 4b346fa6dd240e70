/** The dialogs about alarms: acknowledge, shelve, and one word about several at once. */

import { shallowRef } from "vue";

import type { Alarm } from "@/api/types";
import { i18n, say } from "@/kit/i18n";
import { live } from "@/shell/stores/live";
import { nameOf } from "@/shell/stores/site";

export const acknowledging = shallowRef<Alarm | null>(null);
export const shelving = shallowRef<Alarm | null>(null);

export interface Together {
  act: "ack" | "shelve" | "unshelve";
  alarms: Alarm[];
  title: string;
  /** What to do once it is sent: nothing stays chosen. */
  done?: () => void;
}

export const together = shallowRef<Together | null>(null);

/** All alarms of one thing that can be shelved now. */
export function shelvableOf(site: string, asset: string): Alarm[] {
  return [...live.alarms.values()].filter(
    (each) => each.site === site && (each.asset || each.source) === asset && each.can.includes("alarm.shelve"),
  );
}

/** Takes a thing out for repair: all its alarms are shelved together. */
export function tag(site: string, asset: string): void {
  const title = i18n.global.t("handling.tagTitle", { name: say(nameOf(site, asset)) });
  together.value = { act: "shelve", alarms: shelvableOf(site, asset), title };
}
