/** Why a device is gone, in the person's language where the console knows the words of the drivers. */

import type { EventItem } from "@/api/types";
import { lossOf } from "@/areas/machines/losses";
import { i18n } from "@/kit/i18n";

export function lossText(event: EventItem): string {
  const { key, words } = lossOf(String(event.data.why ?? ""));
  return key === "other" ? (words.why ?? "") : i18n.global.t(`devices.loss.${key}`, words);
}
