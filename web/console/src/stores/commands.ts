/** Wishes on their way: asked, sent, done (or not). Each is followed until it ends, and a little longer. */

import { computed, reactive, watch } from "vue";

import { api, ApiError } from "@/api/client";
import type { Command, CommandState } from "@/api/types";
import { live } from "@/stores/live";

export interface Wish {
  id: string;
  site: string;
  target: string;
  kind: string;
  reason: string;
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
  ttl_s: number;
  args?: Record<string, unknown>;
}

/** How long an ended wish stays on the screen; a failed one stays until somebody has read it. */
const SHOWN_MS = 6000;
const FINAL = new Set<CommandState>(["done", "failed", "expired"]);

const wishes = reactive(new Map<string, Wish>());
export const shownWishes = computed(() => [...wishes.values()].reverse());

export function wishFor(site: string, target: string): Wish | undefined {
  return shownWishes.value.find((wish) => wish.site === site && wish.target === target);
}

/** Asks the server; the answer is a wish to follow. Errors are the caller's to show. */
export async function ask(asking: Asking): Promise<Wish> {
  const answer = await api.post<Command>("/api/commands", asking);
  return follow({ ...asking, ...answer, kind: asking.kind });
}

/** Follows a command that another request made (an acknowledgement, a shelving). */
export function follow(
  command: Pick<Command, "id" | "site" | "target" | "kind" | "reason" | "state"> & { ttl_s?: number },
): Wish {
  const wish: Wish = {
    id: command.id,
    site: command.site,
    target: command.target,
    kind: command.kind,
    reason: command.reason,
    state: command.state,
    why: null,
    expiresAt: Date.now() + (command.ttl_s ?? 30) * 1000,
    endedAt: null,
  };
  wishes.set(wish.id, wish);
  const heard = live.commands.get(wish.id);
  if (heard) advance(wish.id, heard);
  // The stream may be gone just now: what became of it is asked once more when it must be over.
  setTimeout(() => void askAgain(wish.id), Math.max(0, wish.expiresAt - Date.now()) + 2000);
  return wish;
}

function advance(id: string, command: Command): void {
  const wish = wishes.get(id);
  if (!wish || FINAL.has(wish.state)) return;
  wish.state = command.state;
  wish.why = command.result ?? null;
  if (!FINAL.has(wish.state)) return;
  wish.endedAt = Date.now();
  if (wish.state === "done") setTimeout(() => dismiss(id), SHOWN_MS);
}

async function askAgain(id: string): Promise<void> {
  const wish = wishes.get(id);
  if (!wish || FINAL.has(wish.state)) return;
  try {
    advance(id, await api.get<Command>(`/api/commands/${encodeURIComponent(id)}`));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // not reachable: the wish stays as it was last seen
  }
}

export function dismiss(id: string): void {
  wishes.delete(id);
}

watch(
  () => [...live.commands.values()],
  (commands) => {
    for (const command of commands) advance(command.id, command);
  },
);
