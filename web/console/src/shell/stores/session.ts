/** Who is signed in, and at which server. Signing out in one tab signs out all tabs. */

import { computed, reactive } from "vue";

import { api, ApiError } from "@/api/client";
import type { Ability, About, Session, Start, User } from "@/api/types";
import { draftsOf, forgetDrafts } from "@/kit/drafts";
import { preferences, suggestLanguage } from "@/kit/preferences";
import { forgetAll, recall, remember } from "@/kit/remembered";
import { WAYS } from "@/shell/area";

const WANTS_OUT = "gatehouse.wants-out";

/** Kept apart from what is known of a person: it outlives them, and a reload. */
function wantsOut(): boolean {
  try {
    return localStorage.getItem(WANTS_OUT) !== null;
  } catch {
    return false; // forbidden: this tab alone knows it
  }
}

function leaves(leaving: boolean): void {
  session.leaving = leaving;
  try {
    if (leaving) localStorage.setItem(WANTS_OUT, "1");
    else localStorage.removeItem(WANTS_OUT);
  } catch {
    // forbidden: see above
  }
}

export const session = reactive({
  user: null as User | null,
  about: null as About | null,
  /** What the server says that the person may do; it enforces, the console only hides what would be refused. */
  can: [] as Ability[],
  /** Whether the first question after the page was opened has been answered. */
  known: false,
  /** Why the person has to sign in (again): their session ended by itself. */
  ended: false,
  /** The password would not be taken as a new one today: it should be changed. */
  weakPassword: false,
  /** Somebody signed out and the server has not heard of it yet: it is told before anybody is taken for signed in. */
  leaving: wantsOut(),
});

let nowKnown: () => void = () => undefined;
/** Settles once the server has said who is signed in, if anybody: until then no page can be chosen. */
export const sessionKnown = new Promise<void>((resolve) => (nowKnown = resolve));

const others = typeof BroadcastChannel === "function" ? new BroadcastChannel("gatehouse-session") : null;

export function able(ability: Ability): boolean {
  return session.user !== null && session.can.includes(ability);
}

/** Whether somebody stands at a post: whoever keeps people out reads no whole numbers and nothing of the wiring. */
export const atPost = computed(() => session.user?.role === "guard");

/** Where a person starts: whoever answers for sites, before their numbers, be it one site or all. */
export function homeOf(user: User | null, can: readonly Ability[]): string {
  if (can.includes("sites.read")) return "/sites";
  return WAYS[user?.role ?? "guard"].home;
}

export async function loadAbout(): Promise<void> {
  try {
    session.about = await api.get<About>("/api/about");
    remember("about", session.about);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // not reachable: what is known stays, the banner says it
  }
}

declare global {
  interface Window {
    /**
     * The answer of `/api/start`, asked by `first-paint.js` while the console itself was still on its way. Null: a refusal,
     * undefined: no answer within its time.
     */
    gatehouseStart?: Promise<Start | null | undefined> | undefined;
  }
}

/** The sites of the last answer, until somebody takes them. */
let begun: Start | null = null;

/** What came along with the session: once, so that nobody goes by what was true long ago. */
export function takeStart(): Start | null {
  const start = begun;
  begun = null;
  return start;
}

/** One question for all that the console begins with. */
async function askStart(): Promise<Start> {
  const early = window.gatehouseStart;
  window.gatehouseStart = undefined;
  const start = await (early ?? null);
  // It had its time: nobody looks at an empty page while the same is asked once more.
  if (start === undefined) throw new ApiError(0, "unreachable", "");
  return start ?? api.get<Start>("/api/start", { site: preferences.site });
}

let telling: Promise<void> | null = null;

/** Ends the session at the server; fails while nobody knows whether it has ended. Once at a time. */
function endSession(): Promise<void> {
  telling ??= api
    .delete("/api/session")
    .catch((error: unknown) => {
      // Refused: there is no session of this cookie's any more.
      if (!(error instanceof ApiError) || error.status === 0 || error.status >= 500) throw error;
    })
    .then(() => leaves(false))
    .finally(() => (telling = null));
  return telling;
}

/** Asks who the cookie belongs to; a server that does not answer is asked again by the caller. */
export async function loadSession(): Promise<void> {
  if (session.leaving || wantsOut()) {
    leaves(true);
    window.gatehouseStart = undefined; // what was asked early is of the session that is to end
    session.known = true;
    nowKnown();
    await endSession();
  }
  let start: Start;
  try {
    start = await askStart();
  } catch (error) {
    presume();
    throw error;
  }
  if (session.leaving) return loadSession(); // they signed out while it was asked
  const shown = session.user;
  if (shown !== null && start.session && start.session.user.id !== shown.id) {
    // Another person took this browser's session over: nothing of the page that was drawn for the first is theirs.
    forgetAll();
    location.reload();
    return;
  }
  session.about = start.about;
  remember("about", start.about);
  begun = start.session ? start : null;
  if (start.session) become(start.session);
  else {
    // Who was taken for signed in without a signal has to sign in again after all.
    if (session.user !== null) sessionEnded();
    forgetAll();
  }
  session.known = true;
  nowKnown();
}

/** Without a signal, whoever was here last is: so that pages open, with what is known and what was typed. */
function presume(): void {
  const known = recall<Who>("session");
  if (session.known || known === null) return;
  session.about ??= recall<About>("about");
  become(known);
  nowKnown();
}

type Who = Pick<Session, "user" | "weak_password" | "can">;

function become({ user, weak_password, can }: Who): void {
  remember("session", { user, weak_password, can });
  session.can = can;
  session.user = user;
  session.weakPassword = weak_password;
  session.ended = false;
  session.known = true;
  draftsOf(user.id);
  suggestLanguage(user.language);
}

export async function signIn(username: string, password: string, code = ""): Promise<User> {
  if (session.leaving || wantsOut()) await endSession();
  const answer = await api.post<Session>("/api/session", { username, password, ...(code ? { code } : {}) });
  const start = await askStart();
  session.about = start.about;
  remember("about", start.about);
  begun = start;
  become(answer);
  others?.postMessage("in");
  return answer.user;
}

export async function signOut(): Promise<void> {
  try {
    await endSession();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    leaves(true); // the person wants out: whoever opens the console next must not be them
  }
  forgetDrafts();
  forgetAll();
  session.user = null;
  others?.postMessage("out");
}

/** The server no longer knows the session. */
export function sessionEnded(): void {
  if (session.user === null) return;
  forgetAll();
  session.ended = true;
  session.user = null;
}

if (others) {
  others.onmessage = (event: MessageEvent<"in" | "out">) => {
    if (event.data === "out") {
      forgetDrafts(); // also what this tab alone could hold
      session.user = null;
    } else {
      session.leaving = wantsOut(); // whoever signed in there told the server first
      void loadSession().catch(() => undefined);
    }
  };
}
