/** Commands on their way: asked, sent, done (or not). Each is followed until it ends, and a little longer. */

import { computed, reactive, watch } from "vue";

import { api, ApiError } from "@/api/client";
import type { Command, CommandState } from "@/api/types";
import { live } from "@/shell/stores/live";

export interface PendingCommand {
  id: string;
  site: string;
  target: string;
  kind: string;
  reason: string;
  reason_code: string | null;
  state: CommandState;
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
const FINAL = new Set<CommandState>(["done", "failed", "expired"]);

const pending = reactive(new Map<string, PendingCommand>());
export const shownCommands = computed(() => [...pending.values()].reverse());

export function commandFor(site: string, target: string): PendingCommand | undefined {
  return shownCommands.value.find((each) => each.site === site && each.target === target);
}

/** Asks the server; the answer is a command to follow. Errors are the caller's to show. */
export async function ask(asking: Asking): Promise<PendingCommand> {
  const answer = await api.post<Command>("/api/commands", asking);
  return follow({ ...asking, ...answer, kind: asking.kind });
}

/** Follows a command that another request made (an acknowledgement, a shelving). */
export function follow(
  command: Pick<Command, "id" | "site" | "target" | "reason" | "state"> & {
    kind: string;
    reason_code?: string | null;
    ttl_s?: number;
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
    why: null,
    expiresAt: Date.now() + (command.ttl_s ?? 30) * 1000,
    endedAt: null,
  };
  pending.set(followed.id, followed);
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
  followed.endedAt = Date.now();
  if (followed.state === "done") setTimeout(() => dismiss(id), SHOWN_MS);
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

export function dismiss(id: string): void {
  pending.delete(id);
}

watch(
  () => [...live.commands.values()],
  (commands) => {
    for (const command of commands) advance(command.id, command);
  },
);
