/** The one way to the REST interface: JSON in and out, the cookie says who, errors carry the server's words. */

import { heardTime, moment, serverTime, timeInDoubt } from "@/api/clock";

export class ApiError extends Error {
  constructor(
    /** HTTP status; 0: no answer at all. */
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: Record<string, string> = {},
    /** Seconds to wait, with 429. */
    readonly retryAfter: number | null = null,
    /** The record as it stands now, where a change of it came too late (412). */
    readonly current: Record<string, unknown> | null = null,
    /** Of an act without an answer (`unanswered`): the very same press once more, which is how one learns of it. */
    readonly again: Again | null = null,
  ) {
    super(message);
  }
}

/** The answer of the act, from a server that does no press twice, and none that has outlived its `ttl_s`. */
export type Again = () => Promise<unknown>;

export type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;

let onUnauthorised: () => void = () => undefined;

/** What to do when the server no longer knows the session. */
export function whenUnauthorised(action: () => void): void {
  onUnauthorised = action;
}

let prove: () => Promise<boolean> = () => Promise.resolve(false);

/** How to have the person prove who they are, when the server asks for that; whether they did. */
export function whenProofNeeded(action: () => Promise<boolean>): void {
  prove = action;
}

/** `path` with those of `query` that have a value. */
export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value) search.append(name, one);
    else if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

function failure(response: Response, text: string): ApiError {
  let code = `http_${response.status}`;
  let message = response.statusText;
  let fields: Record<string, string> = {};
  let current: Record<string, unknown> | null = null;
  try {
    const body = JSON.parse(text) as {
      error?: {
        code?: string;
        message?: unknown;
        fields?: Record<string, unknown> | null;
        current?: Record<string, unknown> | null;
      };
    };
    code = body.error?.code ?? code;
    message = textOf(body.error?.message) ?? message;
    current = body.error?.current ?? null;
    fields = Object.fromEntries(
      Object.entries(body.error?.fields ?? {}).map(([name, value]) => [name, textOf(value) ?? String(value)]),
    );
  } catch {
    // Not our JSON (a proxy's page): the status has to do.
  }
  const after = Number(response.headers.get("Retry-After"));
  return new ApiError(response.status, code, message, fields, after > 0 ? after : null, current);
}

/** The server may word an error in both languages; the page's own language decides. */
function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "zh" in value && "en" in value) {
    const text = value as { zh: string; en: string };
    return document.documentElement.lang.startsWith("zh") ? text.zh : text.en;
  }
  return null;
}

/** The page's language is asked for, not the browser's: errors come worded for the person. */
function headersFor(body: unknown): Record<string, string> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Accept-Language": document.documentElement.lang,
  };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return headers;
}

/** One act of a person has one key, so that the server does it once: by what is sent. */
interface Act {
  key: string;
  /** Until when (ms) the same words are the same act. */
  until: number;
}

/** The second click of a double click. */
const TWICE_MS = 1000;
/** Nobody knows whether what was not answered was done: whoever tries again means the same. */
const UNANSWERED_MS = 600_000;
/** A command without an answer is over when it expires: the next one, in the same words, is for the next visitor. */
function unansweredMs(body: unknown): number {
  const ttl = (body as { ttl_s?: unknown } | undefined)?.ttl_s;
  return typeof ttl === "number" ? Math.min(ttl * 1000, UNANSWERED_MS) : UNANSWERED_MS;
}
/** What asks for a password is no act of that kind, and is not held in memory. */
const SECRET = /^\/api\/session|password/;

const acts = new Map<string, Act>();

function actOf(words: string): Act {
  const now = Date.now();
  for (const [known, act] of acts) if (act.until < now) acts.delete(known);
  const act = acts.get(words) ?? { key: newKey(), until: 0 };
  act.until = Infinity;
  acts.set(words, act);
  return act;
}

/** `crypto.randomUUID` is missing where a site's console is not behind TLS. */
function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** How long an answer is waited for (ms): what is pressed is told of within ten seconds, whatever the wire does. */
export const ACT_MS = 9_000;
export const READ_MS = 20_000;
/** Of several at once, or of what is made anew: there is much to do. */
const LONG_MS = 60_000;
const LONG = /^\/api\/(alarms\/(ack|shelve|unshelve)|tickets\/steps|break-glass|jobs\/.*)$/;

function patience(method: string, path: string): number {
  if (method === "GET") return READ_MS;
  return LONG.test(path) ? LONG_MS : ACT_MS;
}

/** Acts that a person may wait for in a dialog, which is modal: what is begun while it is open is begun by it. Each by its number. */
const waited = new Map<AbortController, number>();
let begun = 0;

/** How many acts were begun so far: what a dialog remembers when it opens. */
export const actsBegun = (): number => begun;

/** Ends the waiting for every act under way that was begun since there were `before`: the person has let it be. */
export function abandonActs(before: number): void {
  for (const [one, number] of waited) if (number > before) one.abort();
}

/** Which press it is and when it was, where one is sent once more. */
interface Pressed {
  key: string;
  at: string;
}

/** Sends one request. `version`: of the record that it changes or removes, as it was read. `pressed`: before. */
async function send<T>(method: string, path: string, body?: unknown, version?: number, pressed?: Pressed): Promise<T> {
  const headers = headersFor(body);
  const stop = new AbortController();
  const init: RequestInit = { method, credentials: "same-origin", headers, signal: stop.signal };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  const said = JSON.stringify([method, path, version, init.body]);
  const act = method === "GET" || SECRET.test(said) || pressed ? null : actOf(said);
  let press: { key: string; at: string | null } | null = null;
  let response: Response;
  let text: string;
  let sent = moment();
  const timer = setTimeout(() => stop.abort(), patience(method, path));
  if (act) waited.set(stop, ++begun);
  try {
    const asked = sent;
    if (act && timeInDoubt()) {
      await askTime(stop.signal);
      sent = moment();
    }
    press = pressed ?? (act ? { key: act.key, at: serverTime(asked) } : null);
    if (press) headers["Idempotency-Key"] = press.key;
    if (press?.at) headers["Asked-At"] = press.at;
    // A request that hangs may not even notice that it was aborted.
    [response, text] = await Promise.race([answer(path, init), aborted(stop.signal)]);
  } catch {
    if (act) act.until = Date.now() + unansweredMs(body);
    // An act of which nothing was sent yet, or something that was only asked.
    if (!press) throw new ApiError(0, "unreachable", "");
    const { key, at } = press;
    const again = at === null ? null : () => send<T>(method, path, body, version, { key, at });
    throw new ApiError(0, "unanswered", "", {}, null, null, again);
  } finally {
    clearTimeout(timer);
    waited.delete(stop);
  }
  heardTime(response.headers.get("Server-Time"), sent);
  if (act) act.until = Date.now() + (response.status >= 500 ? unansweredMs(body) : TWICE_MS);
  if (!response.ok) {
    const error = failure(response, text);
    if (response.status === 401 && path !== "/api/session") onUnauthorised();
    if (error.code === "prove" && (await prove())) return send<T>(method, path, body, version);
    throw error;
  }
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Has the server say what time it is, for an act that would be taken for older than it is, or not be judged at all. */
async function askTime(signal: AbortSignal): Promise<void> {
  const sent = moment();
  const init: RequestInit = { credentials: "same-origin", cache: "no-store", signal };
  const [response] = await Promise.race([answer("/api/about", init), aborted(signal)]);
  heardTime(response.headers.get("Server-Time"), sent);
}

/** An answer is there once all of it is. */
async function answer(path: string, init: RequestInit): Promise<[Response, string]> {
  const response = await fetch(path, init);
  return [response, await response.text()];
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(new DOMException("no answer", "AbortError")), { once: true }),
  );
}

export const api = {
  get: <T>(path: string, query?: Query): Promise<T> => send<T>("GET", withQuery(path, query)),
  post: <T>(path: string, body: unknown = {}): Promise<T> => send<T>("POST", path, body),
  put: <T>(path: string, body: unknown, version?: number): Promise<T> => send<T>("PUT", path, body, version),
  delete: <T = void>(path: string, version?: number): Promise<T> => send<T>("DELETE", path, undefined, version),
};
