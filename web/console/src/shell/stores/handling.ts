/** The dialogs about alarms: acknowledge, shelve, and one word about several at once. */

import { shallowRef } from "vue";

import type { Alarm } from "@/api/types";

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
