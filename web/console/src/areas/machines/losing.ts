/** Why a device is gone, in the person's language where the console knows the words of the drivers. */

import type { EventItem } from "@/api/types";
import { lossOf } from "@/areas/machines/losses";
import { i18n } from "@/kit/i18n";
import { atPost } from "@/shell/stores/session";

/** Losses that only who sets keys can end. */
const KEYED = new Set(["noKey", "keyRefused", "keyFile"]);

export function lossText(event: EventItem): string {
  const { key, words } = lossOf(String(event.data.why ?? ""));
  // Whoever stands at a post reads what to do, not which address of the wiring is silent.
  if (atPost.value && event.kind === "device.lost")
    return i18n.global.t(KEYED.has(key) ? "devices.plain.key" : "devices.plain.lost");
  return key === "other" ? (words.why ?? "") : i18n.global.t(`devices.loss.${key}`, words);
}
