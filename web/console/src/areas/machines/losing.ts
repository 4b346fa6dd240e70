/** Why a device is gone, in the person's language where the console knows the words of the drivers. */

import { lossOf } from "@/areas/machines/losses";
import { i18n } from "@/kit/i18n";
import { atPost } from "@/shell/stores/session";

/** Losses that only who sets keys can end. */
const KEYED = new Set(["noKey", "keyRefused", "keyFile"]);

export function lossText(event: { kind: string; data: Record<string, unknown> }): string {
  return whyText(String(event.data.why ?? ""), event.kind === "device.lost");
}

/** The same of what the server says of a device that does not answer. */
export function whyText(why: string, lost = true): string {
  const { key, words } = lossOf(why);
  // Whoever stands at a post reads what to do, not which address of the wiring is silent.
  if (atPost.value && lost)
    return i18n.global.t(KEYED.has(key) ? "devices.plain.key" : "devices.plain.lost");
  return key === "other" ? (words.why ?? "") : i18n.global.t(`devices.loss.${key}`, words);
}
