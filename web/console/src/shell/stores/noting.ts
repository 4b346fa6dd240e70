/** Taking note of a hit on the block list: a command like any other, and until it has ended the hit is not shown. */

import { reactive, watch } from "vue";

import type { Entry } from "@/live/entries";
import { ask, shownCommands } from "@/shell/stores/commands";

const TTL_S = 15;
/** By then the fact is here, or the command came to nothing and the hit is shown again. */
const TOLD_MS = (TTL_S + 10) * 1000;

/** Event of the hit → the command that notes it. */
const noting = reactive(new Map<number, string>());

export function isBeingNoted(entry: Entry): boolean {
  return noting.has(entry.event.id);
}

/** Notes `hit`, and with it those of the same credential that came there before. Errors are the caller's to show. */
export async function note(hit: Entry, others: readonly Entry[]): Promise<void> {
  const { first, stream, seq, site } = hit.event;
  const { id } = await ask({
    site,
    target: hit.source,
    kind: "hit.acknowledge",
    reason: "",
    reason_code: "hit_noted",
    subject: first ?? { stream, seq },
    ttl_s: TTL_S,
  });
  const events = [hit, ...others].map((entry) => entry.event.id);
  for (const event of events) noting.set(event, id);
  setTimeout(() => forget(id), TOLD_MS);
}

function forget(command: string): void {
  for (const [event, of] of noting) if (of === command) noting.delete(event);
}

watch(
  () => shownCommands.value.filter(({ state }) => state === "failed" || state === "expired").map(({ id }) => id),
  (ended) => ended.forEach(forget),
);
