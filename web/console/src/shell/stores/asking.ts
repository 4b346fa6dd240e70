/** The one dialog that asks why before something opens. */

import { shallowRef } from "vue";

export type Opening = "open" | "close" | "unlock" | "mode" | "key";

export interface Question {
  opening: Opening;
  site: string;
  target: string;
  /** The plate that stands before the barrier, if one was read. */
  plate?: string | null;
  /** Index of the reason that is likely, if one is. */
  likely?: number;
}

export const COMMAND_KINDS: Record<Opening, string> = {
  open: "barrier.open",
  close: "barrier.close",
  unlock: "door.unlock",
  mode: "door.mode",
  key: "reader.set_key",
};

export const question = shallowRef<Question | null>(null);

export function askWhy(asked: Question): void {
  question.value = asked;
}
