/** The two languages of the console. */

import { watch } from "vue";

import type { Labels, Language, Text, Value } from "@/api/types";
import { LOCALES } from "@/kit/format/time";
import { valueText } from "@/kit/format/values";
import { preferences } from "@/kit/preferences";
import { knows, learn, speak, t, te, useI18n } from "@/kit/texts";
import zh from "@/locales/zh.json";

export { list, useI18n } from "@/kit/texts";
export const i18n = { global: useI18n(), install: (): void => undefined };

learn("zh", zh);

/** The default language comes with the app; the other is fetched by whoever reads it. */
export async function loadLanguage(language: Language): Promise<void> {
  if (!knows(language)) learn(language, (await import("@/locales/en.json")).default);
}

watch(
  () => preferences.language,
  async (language) => {
    // Until its texts are there the page stays as it is; where they cannot be fetched, the default ones stand in.
    if (!knows(language)) await loadLanguage(language).catch(() => undefined);
    if (language !== preferences.language) return;
    speak(language);
    document.documentElement.lang = LOCALES[language];
  },
  { immediate: true },
);

/** A text of the server in the chosen language; plain text as it is. */
export function say(text: Text | string | null | undefined, language: Language = preferences.language): string {
  if (text === null || text === undefined) return "";
  return typeof text === "string" ? text : (text[language] ?? text.zh ?? "");
}

/** The console's word for a code of the server, or the code itself if there is none. */
export function word(path: string, code: string): string {
  return known(`${path}.${code.replaceAll(".", "_")}`) || code;
}

function known(key: string): string {
  return te(key) ? t(key) : "";
}

/** A device's own clock, as it tells it: of no zone. */
const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/;

/** Where the states of doors and lanes are named, by what a point tells. */
const STATES: Record<string, string> = {
  lock: "doors.lock",
  contact: "doors.contact",
  mode: "doors.mode",
  barrier: "lanes.barrier",
};

/**
 * A value in words: numbers as they are, labels as their point names them. What doors and lanes tell of themselves is in
 * no profile, so the console names it.
 */
export function worded(
  value: Value | undefined,
  point?: { id: string; labels?: Labels; contact?: boolean },
): string {
  if (typeof value === "string") {
    const named = say(point?.labels?.[value]);
    if (named) return named;
    if (LOCAL_TIME.test(value)) return value.replace("T", " ");
    const path = STATES[aspectOf(point?.id ?? "")];
    return (path && known(`${path}.${value}`)) || value.replaceAll("_", " ");
  }
  return valueText(value, flagWords(point?.contact));
}

/** What true and false are called: of contacts, closed and open. */
export function flagWords(contact = false): { yes: string; no: string } {
  return contact
    ? { yes: t("points.contacts.yes"), no: t("points.contacts.no") }
    : { yes: t("points.flags.yes"), no: t("points.flags.no") };
}

/** What a point tells of its device: `lock` of `lobby-a.lock`. */
function aspectOf(id: string): string {
  return id.slice(id.indexOf(".") + 1);
}

/** What a point is called: by its profile, by the console for doors and lanes, or else by its id. */
export function pointName(point: { id: string; name?: Text | null } | undefined): string {
  return point === undefined ? "" : say(point.name) || word("aspect", aspectOf(point.id));
}
