/** Commands on their way: asked, sent, done (or not). Each is followed until it ends, and a little longer. */

import { computed, reactive, watch } from "vue";

import { api, ApiError, type Again } from "@/api/client";
import type { Command, CommandState } from "@/api/types";
import { faultText } from "@/kit/faults";
import { i18n } from "@/kit/i18n";
import { link, live } from "@/shell/stores/live";

export interface PendingCommand {
  id: string;
  site: string;
  target: string;
  kind: string;
  reason: string;
  reason_code: string | null;
  /** Unknown: no answer came to it, and whether it arrived is looked up. */
  state: CommandState | "unknown";
  why: unknown;
  expiresAt: number;
  endedAt: number | null;
}

export interface Asking {
  site: string;
  target: string;
  kind: string;
  reason: string;
  reason_code?: string | null;
  subject?: { stream: string; seq: number } | null;
  ttl_s: number;
  args?: Record<string, unknown>;
}

/** How long an ended command stays on the screen; a failed one stays until somebody has read it. */
const SHOWN_MS = 6000;
const FINAL = new Set<PendingCommand["state"]>(["done", "failed", "expired"]);

const pending = reactive(new Map<string, PendingCommand>());
export const shownCommands = computed(() => [...pending.values()].reverse());

export function commandFor(site: string, target: string): PendingCommand | undefined {
  return shownCommands.value.find((each) => each.site === site && each.target === target);
}

/** Asks the server; the answer is a command to follow. Errors are the caller's to show. */
export async function ask(asking: Asking): Promise<PendingCommand> {
  const from = Date.now();
  try {
    const answer = await api.post<Command>("/api/commands", asking);
    return follow({ ...asking, ...answer, kind: asking.kind });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== "unanswered") throw error;
    doubt(asking, error.again, from + asking.ttl_s * 1000);
    throw new ApiError(0, "unanswered", i18n.global.t("command.unanswered"));
  }
}

/** What the server says of a press that has outlived itself is final: it does nothing any more. */
const LATER_MS = 5000;
/** How long until it is asked again, where the link claims to live and no answer came. */
const AGAIN_MS = 5000;
let doubts = 0;
const again = new Map<string, { ask: Again; from: number; asking: Asking; under: boolean }>();

/** Keeps in sight what nobody knows of, until the server has said what became of it. */
function doubt(asking: Asking, press: Again | null, over: number): void {
  const id = `unanswered-${(doubts += 1)}`;
  const why = i18n.global.t("command.unanswered");
  const { site, target, kind, reason, reason_code = null } = asking;
  pending.set(id, { id, site, target, kind, reason, reason_code, state: "unknown", why, expiresAt: over, endedAt: null });
  if (press === null) return;
  again.set(id, { ask: press, from: over + LATER_MS, asking, under: false });
  setTimeout(() => void lookUp(id), over + LATER_MS - Date.now() + 100);
}

async function lookUp(id: string): Promise<void> {
  const known = again.get(id);
  // Not before it is over: looking must not do it. And not on a dead link: its coming back looks again.
  if (!known || known.under || Date.now() < known.from || link.value.state !== "live") return;
  known.under = true;
  try {
    const became = (await known.ask()) as Command;
    if (dismiss(id)) follow({ ...known.asking, ...became, kind: known.asking.kind, ttl_s: 0 });
  } catch (error) {
    if (error instanceof ApiError && error.status === 0) {
      setTimeout(() => void lookUp(id), AGAIN_MS);
    } else {
      again.delete(id);
      const doubted = pending.get(id);
      if (doubted) Object.assign(doubted, { state: "failed", why: faultText(error), endedAt: Date.now() });
    }
  } finally {
    known.under = false;
  }
}

watch(
  () => link.value.state === "live",
  (lives) => {
    if (lives) for (const id of again.keys()) void lookUp(id);
  },
);

/** Follows a command that another request made (an acknowledgement, a shelving). */
export function follow(
  command: Pick<Command, "id" | "site" | "target" | "reason" | "state"> & {
    kind: string;
    reason_code?: string | null;
    ttl_s?: number;
    result?: unknown;
  },
): PendingCommand {
  const followed: PendingCommand = {
    id: command.id,
    site: command.site,
    target: command.target,
    kind: command.kind,
    reason: command.reason,
    reason_code: command.reason_code ?? null,
    state: command.state,
    why: command.result ?? null,
    expiresAt: Date.now() + (command.ttl_s ?? 30) * 1000,
    endedAt: null,
  };
  pending.set(followed.id, followed);
  if (FINAL.has(followed.state)) ended(pending.get(followed.id)!);
  const heard = live.commands.get(followed.id);
  if (heard) advance(followed.id, heard);
  // The stream may be gone just now: what became of it is asked once more when it must be over.
  setTimeout(() => void askAgain(followed.id), Math.max(0, followed.expiresAt - Date.now()) + 2000);
  return followed;
}

function advance(id: string, command: Command): void {
  const followed = pending.get(id);
  if (!followed || FINAL.has(followed.state)) return;
  followed.state = command.state;
  followed.why = command.result ?? null;
  if (!FINAL.has(followed.state)) return;
  ended(followed);
}

function ended(followed: PendingCommand): void {
  followed.endedAt = Date.now();
  if (followed.state === "done") setTimeout(() => dismiss(followed.id), SHOWN_MS);
}

async function askAgain(id: string): Promise<void> {
  const followed = pending.get(id);
  if (!followed || FINAL.has(followed.state)) return;
  try {
    advance(id, await api.get<Command>(`/api/commands/${encodeURIComponent(id)}`));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // not reachable: the command stays as it was last seen
  }
}

/** Whether it was there. */
export function dismiss(id: string): boolean {
  again.delete(id);
  return pending.delete(id);
}

watch(
  () => [...live.commands.values()],
  (commands) => {
    for (const command of commands) advance(command.id, command);
  },
);
