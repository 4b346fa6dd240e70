/** Why people did something, in the reader's own language: the words of a quick reason, what was written as it is. */

import made from "@/api/reasons.json";
import type { CommandKind, Language, Text } from "@/api/types";
import { say } from "@/kit/i18n";

/** Code → its words. Made from rules/quick_reasons.py, as what is offered. */
export const QUICK_REASONS: Record<string, Text> = made.words;

/** What is commanded → the codes that are offered for it, in the order in which they are numbered. */
export const OFFERED: Partial<Record<CommandKind, readonly string[]>> = made.offered;

/** Whoever knew no codes wrote the words themselves; older servers and the notes of alarms have nothing else. */
const BY_WORDS = new Map(Object.values(QUICK_REASONS).flatMap((text) => [text.zh, text.en].map((words) => [words, text])));

/** A command's reason. Where both were given the code's words come first; a code that nobody knows here says nothing. */
export function reasonText(of: { reason: string; reason_code?: string | null }, language?: Language): string {
  const words: Text | undefined = of.reason_code ? QUICK_REASONS[of.reason_code] : undefined;
  if (!words) return say(BY_WORDS.get(of.reason.trim()), language) || of.reason;
  const own = of.reason.trim();
  const said = say(words, language);
  return !own || own === words.zh || own === words.en ? said : `${said} · ${own}`;
}
