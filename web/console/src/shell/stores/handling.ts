/** The dialogs about one alarm: acknowledge, shelve. */

import { shallowRef } from "vue";

import type { Alarm } from "@/api/types";

export const acknowledging = shallowRef<Alarm | null>(null);
export const shelving = shallowRef<Alarm | null>(null);
