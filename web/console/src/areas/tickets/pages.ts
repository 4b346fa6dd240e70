/** Tickets as the server finds them, page by page. */

import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";

import type { Ticket } from "@/api/types";
import { ticketPage, type TicketQuery } from "@/areas/tickets/api";
import { faultText } from "@/kit/faults";

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

  async function load(again = true): Promise<void> {
    const mine = ++asked;
    const query = wanted();
    if (query === null) {
      [found.value, more.value, loading.value, fault.value, next] = [[], false, false, "", null];
      return;
    }
    loading.value = true;
    try {
      const page = await ticketPage(query, again ? null : next, limit);
      if (mine !== asked) return; // something else is wanted by now
      found.value = again ? page.items : [...found.value, ...page.items];
      next = page.next;
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
  onScopeDispose(() => clearTimeout(waiting));
  return { found, more, loading, fault, load, put };
}
