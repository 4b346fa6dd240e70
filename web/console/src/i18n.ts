/** The two languages of the console. */

import { watch } from "vue";
import { createI18n } from "vue-i18n";

import type { Language, Text, Value } from "@/api/types";
import { LOCALES } from "@/format/time";
import { valueText } from "@/format/values";
import en from "@/locales/en.json";
import zh from "@/locales/zh.json";
import { preferences } from "@/stores/preferences";

export const i18n = createI18n({
  legacy: false,
  locale: preferences.language,
  fallbackLocale: "zh",
  messages: { zh, en },
  missingWarn: false,
  fallbackWarn: false,
});

watch(
  () => preferences.language,
  (language) => {
    i18n.global.locale.value = language;
    document.documentElement.lang = LOCALES[language];
    document.title = i18n.global.t("app.name");
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
  const key = `${path}.${code.replaceAll(".", "_")}`;
  return i18n.global.te(key) ? i18n.global.t(key) : code;
}

/** A value in words: numbers as they are, states of a device in the chosen language. */
export function worded(value: Value | undefined): string {
  if (typeof value === "string") {
    const known = word("label", value);
    return known === value ? value.replaceAll("_", " ") : known;
  }
  return valueText(value, { yes: i18n.global.t("points.flags.yes"), no: i18n.global.t("points.flags.no") });
}

/** A list of texts of the locale files, in the chosen language. */
export function list(path: string): string[] {
  const { tm, rt } = i18n.global;
  const found: unknown = tm(path);
  return Array.isArray(found) ? found.map((text) => rt(text as string)) : [];
}
