/** What was asked of one person is asked of no other who signs in on the same page. */

import { watch } from "vue";

import { question } from "@/shell/stores/asking";
import { comparison } from "@/shell/stores/editing";
import { acknowledging, shelving, together } from "@/shell/stores/handling";
import { proving } from "@/shell/stores/proving";
import { session } from "@/shell/stores/session";

/**
 * Who signs in again after their session ended finds their question as it was. But nothing waits across that: a request
 * that needs a password, or a choice, would go on under the cookie of whoever comes next. Returns how to stop.
 */
export function watchHandover(): () => void {
  let last = session.user?.id ?? null;
  return watch(
    () => session.user?.id ?? null,
    (id) => {
      if (id === null) {
        proving.value?.(false);
        comparison.value?.decide(null);
        return;
      }
      if (last !== null && last !== id) for (const asked of [question, acknowledging, shelving, together]) asked.value = null;
      last = id;
    },
    { flush: "sync" },
  );
}
