/** What this browser remembers of its person: language, theme, sound, site. */

import { reactive, watch } from "vue";

import type { Language } from "@/api/types";

export type Theme = "system" | "light" | "dark";
export const THEMES: readonly Theme[] = ["system", "light", "dark"];

function read(name: string): string | null {
  try {
    return localStorage.getItem(`gatehouse.${name}`);
  } catch {
    return null; // storage is forbidden: nothing is remembered
  }
}

function write(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`gatehouse.${name}`);
    else localStorage.setItem(`gatehouse.${name}`, value);
  } catch {
    // as above
  }
}

function oneOf<T extends string>(value: string | null, known: readonly T[], otherwise: T): T {
  return known.includes(value as T) ? (value as T) : otherwise;
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");

export const preferences = reactive({
  language: oneOf<Language>(read("language"), ["zh", "en"], "zh"),
  /** Whether a person chose it here; until then the account's language counts. */
  languageChosen: read("language") !== null,
  theme: oneOf<Theme>(read("theme"), THEMES, "system"),
  systemDark: systemDark.matches,
  /** On until somebody turns it off here: a trapped lift must be heard. */
  sound: read("sound") !== "off",
  site: read("site"),
  feedCompact: read("feed") === "compact",
  /** Whether a guard's doors are unfolded; empty: nobody has said, what fits counts. */
  doors: oneOf<"open" | "folded" | "">(read("doors"), ["open", "folded"], ""),
  ticketsAs: oneOf<"board" | "list">(read("tickets"), ["board", "list"], "board"),
});

export function chooseLanguage(language: Language): void {
  preferences.language = language;
  preferences.languageChosen = true;
  write("language", language);
}

/** The account's own language, unless this browser was told another. */
export function suggestLanguage(language: Language | undefined): void {
  if (!preferences.languageChosen && language) preferences.language = language;
}

export function isDark(): boolean {
  return preferences.theme === "dark" || (preferences.theme === "system" && preferences.systemDark);
}

systemDark.addEventListener("change", (event) => (preferences.systemDark = event.matches));
watch(isDark, (dark) => document.documentElement.classList.toggle("dark", dark), { immediate: true });
watch(
  () => preferences.theme,
  (theme) => write("theme", theme === "system" ? null : theme),
);
watch(
  () => preferences.sound,
  (on) => write("sound", on ? null : "off"),
);
watch(
  () => preferences.site,
  (site) => write("site", site),
);
watch(
  () => preferences.feedCompact,
  (compact) => write("feed", compact ? "compact" : null),
);
watch(
  () => preferences.ticketsAs,
  (shape) => write("tickets", shape),
);
watch(
  () => preferences.doors,
  (doors) => write("doors", doors || null),
);
