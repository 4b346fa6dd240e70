/**
 * What somebody typed and has not sent: kept in this browser by person and form until it is sent, thrown away on purpose,
 * a week old, or the person signs out. It outlives a reload, Back, and a session that ends in the middle. Never what is
 * secret: a form says which of its fields are.
 *
 * Kept where it can be read at once: a form is drawn with it, and a page that dies has written it.
 */

import { onScopeDispose, shallowReactive } from "vue";
import { useRoute } from "vue-router";

const PREFIX = "gatehouse.draft.";
const MOST_MS = 7 * 86_400_000;

export interface Draft {
  /** What the form is called, as the person read it. */
  title: string;
  /** The address that it was typed at. */
  where: string;
  at: number;
  /** From when on it is not given back. */
  until: number;
  /** Field → as the form gave it, and as it was left. */
  fields: Record<string, [was: string, is: string]>;
}

/** Those of the person who is signed in: name → draft. */
export const drafts = shallowReactive(new Map<string, Draft>());
/** Whose form is on the screen just now. */
export const openDrafts = shallowReactive(new Map<string, number>());
let owner: string | null = null;

const keyOf = (name: string): string => `${PREFIX}${owner}.${name}`;

/** What the draft of one word about several things is named by: by no other things, in whatever order they were chosen. */
export function namedBy(ids: readonly string[]): string {
  let hash = 0x811c9dc5; // FNV-1a
  for (const letter of JSON.stringify([...ids].sort())) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(36);
}

function read(key: string): Draft | null {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? "null") as Draft | null;
    return found && Date.now() < found.until ? found : null;
  } catch {
    return null; // storage is forbidden, or holds something else there
  }
}

function allKeys(): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  } catch {
    return [];
  }
}

/** Whose drafts are kept from now on. Those of whoever was here before stay theirs. */
export function draftsOf(person: string): void {
  if (owner === person) return;
  owner = person;
  drafts.clear();
  for (const key of allKeys()) {
    const draft = read(key);
    if (draft === null) localStorage.removeItem(key);
    else if (key.startsWith(keyOf(""))) drafts.set(key.slice(keyOf("").length), draft);
  }
}

/** Whoever signs out leaves nothing behind for the next at this desk. */
export function forgetDrafts(): void {
  for (const name of [...drafts.keys()]) dropDraft(name);
}

export function dropDraft(name: string): void {
  drafts.delete(name);
  try {
    localStorage.removeItem(keyOf(name));
  } catch {
    // nothing was kept
  }
}

function keep(name: string, draft: Draft): void {
  drafts.set(name, draft);
  try {
    localStorage.setItem(keyOf(name), JSON.stringify(draft));
  } catch {
    // no room, or forbidden: it lives as long as the page
  }
}

/** Another tab sent it, or goes on with it. */
addEventListener("storage", (event: Event) => {
  const { key } = event as StorageEvent;
  if (owner === null || !key?.startsWith(keyOf(""))) return;
  const name = key.slice(keyOf("").length);
  const draft = read(key);
  if (draft) drafts.set(name, draft);
  else drafts.delete(name);
});

const DATE = "$date";

function written(value: unknown): string {
  return JSON.stringify(value instanceof Date ? { [DATE]: value.toISOString() } : (value ?? null));
}

function readBack(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const date = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[DATE] : undefined;
  return typeof date === "string" ? new Date(date) : value;
}

const BLANK = new Set(['""', "null", "[]"]);

export interface DraftForm {
  /** Null: nothing is kept of this one. */
  name: () => string | null;
  /** The fields, by name: what was typed is put back into them. */
  fields: object;
  title: () => string;
  /** Fields that are not kept, as the form stands. */
  secret?: () => readonly string[];
  /** What is older is not given back: a reason of an hour ago is none for what is to open now. */
  mostMs?: number;
}

export interface DraftUse {
  /** The form is shown: gives back what was typed and not sent. Whether there was anything. */
  begin: () => boolean;
  /** Something was typed. */
  keep: () => void;
  /** Back to what the form gave, nothing is kept. */
  clear: () => void;
  /** It was sent, or thrown away. */
  drop: () => void;
  /** The form is no longer shown. */
  end: () => void;
}

/** What one form keeps. */
export function useDraft({ name, fields, title, secret = () => [], mostMs = MOST_MS }: DraftForm): DraftUse {
  const route = useRoute();
  const values = fields as Record<string, unknown>;
  let given: Record<string, string> = {};
  let shown: string | null = null;
  /** The name begun with last: what was sent is dropped also where sending led away from the form. */
  let begun: string | null = null;

  const now = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values)
        .filter(([field]) => !secret().includes(field))
        .map(([field, value]) => [field, written(value)]),
    );

  function end(): void {
    if (shown === null) return;
    const others = (openDrafts.get(shown) ?? 1) - 1;
    if (others > 0) openDrafts.set(shown, others);
    else openDrafts.delete(shown);
    shown = null;
  }

  function begin(): boolean {
    end();
    begun = shown = name();
    given = now();
    if (shown === null) return false;
    openDrafts.set(shown, (openDrafts.get(shown) ?? 0) + 1);
    const draft = drafts.get(shown);
    if (!draft || Date.now() >= draft.until) return false;
    let restored = false;
    for (const [field, [was, is]] of Object.entries(draft.fields)) {
      const stands = given[field];
      // What somebody else has changed meanwhile is not changed back.
      if (stands === undefined || (stands !== was && !BLANK.has(stands))) continue;
      values[field] = readBack(is);
      restored = true;
    }
    return restored;
  }

  function keepNow(): void {
    if (shown === null || owner === null) return;
    const typed = Object.entries(now()).filter(([field, is]) => is !== given[field]);
    const before = drafts.get(shown);
    if (typed.length === 0) dropDraft(shown);
    else
      keep(shown, {
        title: title(),
        where: route.fullPath,
        at: Date.now(),
        until: Date.now() + mostMs,
        // What a form holds of an earlier attempt is no text of its server's.
        fields: Object.fromEntries(
          typed.map(([field, is]) => [field, [before?.fields[field]?.[0] ?? given[field] ?? "null", is]]),
        ),
      });
  }

  onScopeDispose(end);
  return {
    begin,
    keep: keepNow,
    clear: () => {
      for (const [field, text] of Object.entries(given)) values[field] = readBack(text);
      if (shown !== null) dropDraft(shown);
    },
    drop: () => begun !== null && dropDraft(begun),
    end,
  };
}
