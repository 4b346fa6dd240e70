/** Tickets as the server finds them, page by page. */

import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";

import type { Ticket } from "@/api/types";
import { ticketPage, type TicketQuery } from "@/areas/tickets/api";
import { faultText } from "@/kit/faults";
import { live } from "@/shell/stores/live";

/** A hand that types rests this long when the word is whole. */
const TYPED_MS = 250;

export interface TicketPages {
  found: ShallowRef<readonly Ticket[]>;
  /** Whether there are older ones. */
  more: Ref<boolean>;
  loading: Ref<boolean>;
  fault: Ref<string>;
  /** From the beginning, or the page after. */
  load: (again?: boolean) => Promise<void>;
  /** What some of them are by now. */
  put: (tickets: readonly Ticket[]) => void;
}

/** Asks anew whenever something else is wanted; null: nothing is. */
export function useTicketPages(wanted: () => TicketQuery | null, limit: number): TicketPages {
  const found = shallowRef<readonly Ticket[]>([]);
  const [more, loading, fault] = [ref(false), ref(false), ref("")];
  let next: string | number | null = null;
  let asked = 0;
  let waiting: ReturnType<typeof setTimeout> | undefined;

  /** `atLeast`: as many as were there before stay, where there are as many. */
  async function load(again = true, atLeast = 0): Promise<void> {
    const mine = ++asked;
    const query = wanted();
    if (query === null) {
      [found.value, more.value, loading.value, fault.value, next] = [[], false, false, "", null];
      return;
    }
    loading.value = true;
    try {
      const come: Ticket[] = again ? [] : [...found.value];
      let after: typeof next = again ? null : next;
      do {
        const page = await ticketPage(query, after, limit);
        if (mine !== asked) return; // something else is wanted by now
        come.push(...page.items);
        after = page.next;
      } while (after !== null && come.length < atLeast);
      found.value = come;
      next = after;
      more.value = next !== null;
      fault.value = "";
    } catch (error) {
      if (mine === asked) fault.value = faultText(error);
    } finally {
      if (mine === asked) loading.value = false;
    }
  }

  function put(tickets: readonly Ticket[]): void {
    const now = new Map(tickets.map((ticket) => [ticket.id, ticket]));
    found.value = found.value.map((ticket) => now.get(ticket.id) ?? ticket);
  }

  watch(
    () => JSON.stringify(wanted()),
    (_, before) => {
      clearTimeout(waiting);
      if (before === undefined) void load();
      else waiting = setTimeout(() => void load(), TYPED_MS);
    },
    { immediate: true },
  );
  // The stream tells of what is open: what was closed while it was away, only the server says.
  let told = live.asOf;
  watch(
    () => live.asOf,
    (asOf) => {
      if (asOf !== null && told !== null) void load(true, found.value.length);
      told = asOf ?? told;
    },
  );
  onScopeDispose(() => clearTimeout(waiting));
  return { found, more, loading, fault, load: (again = true) => load(again), put };
}
