/**
 * Texts by their names (`feed.title`), in the reader's language; `{name}` in one is filled in. That is all that this
 * console asks of its texts, and on a slow phone a whole library for it was a tenth of the first load.
 */

import { shallowRef } from "vue";

import type { Language } from "@/api/types";

export interface Texts {
  [name: string]: string | readonly string[] | Texts;
}

type Values = Readonly<Record<string, unknown>>;

/** One language, and what was looked up in it: a page draws the same few hundred texts again and again. */
class Book {
  private readonly found = new Map<string, Texts[string] | undefined>();

  constructor(private readonly texts: Texts) {}

  at(path: string): Texts[string] | undefined {
    if (this.found.has(path)) return this.found.get(path);
    let text: Texts[string] | undefined = this.texts;
    for (const name of path.split(".")) text = typeof text === "object" && Object.hasOwn(text, name) ? (text as Texts)[name] : undefined;
    this.found.set(path, text);
    return text;
  }
}

const books = new Map<Language, Book>();
/** The language that is spoken, and the one that stands in where it lacks a text. */
const spoken = shallowRef<{ own: Book; other: Book }>({ own: new Book({}), other: new Book({}) });

export function learn(language: Language, texts: Texts): void {
  books.set(language, new Book(texts));
}

export const knows = (language: Language): boolean => books.has(language);

/** From now on texts are in `language`, which is known. */
export function speak(language: Language): void {
  const other = books.get("zh");
  const own = books.get(language) ?? other;
  if (own && other) spoken.value = { own, other };
}

/** The text at `path`, with `values` filled in; `path` itself where there is none. */
export function t(path: string, values?: Values): string {
  const { own, other } = spoken.value;
  const text = own.at(path) ?? other.at(path);
  if (typeof text !== "string") return path;
  return text.includes("{") ? text.replace(/\{(\w+)\}/g, (_, name: string) => String(values?.[name] ?? "")) : text;
}

/** Whether there is such a text in the language that is spoken. */
export const te = (path: string): boolean => typeof spoken.value.own.at(path) === "string";

/** The texts of a list; none where there is no list. */
export function list(path: string): readonly string[] {
  const { own, other } = spoken.value;
  const found = own.at(path) ?? other.at(path);
  return Array.isArray(found) ? (found as readonly string[]) : [];
}

export const useI18n = () => ({ t, te });
