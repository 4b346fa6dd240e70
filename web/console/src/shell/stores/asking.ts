/** The one dialog that asks why before something opens. */

import { shallowRef } from "vue";

import type { CommandKind, StandingCar } from "@/api/types";
import { i18n, say } from "@/kit/i18n";
import { notice } from "@/kit/notice";
import { layouts } from "@/shell/stores/site";
import { reachable } from "@/shell/stores/standing";

export type Opening = "open" | "close" | "unlock" | "mode" | "key";

export interface Question {
  opening: Opening;
  site: string;
  target: string;
  /** The car that stands before the barrier now; null: none that anybody knows of. */
  car?: StandingCar | null;
  /** The quick reason that is likely, if one is. */
  likely?: string;
}

export const COMMAND_KINDS: Record<Opening, CommandKind> = {
  open: "barrier.open",
  close: "barrier.close",
  unlock: "door.unlock",
  mode: "door.mode",
  key: "reader.set_key",
};

export const question = shallowRef<Question | null>(null);

/** Why nothing can be asked of a site just now, in words; "" if it can. */
export function unreachable(site: string): string {
  if (reachable(site)) return "";
  return i18n.global.t("standing.unreachable", { site: say(layouts.get(site)?.name) || site });
}

/** Nobody is asked why for what would not arrive: it would be done when nobody waits for it any more, or never. */
export function askWhy(asked: Question): void {
  const why = unreachable(asked.site);
  if (why) {
    notice("warning", why);
    return;
  }
  question.value = asked;
}
