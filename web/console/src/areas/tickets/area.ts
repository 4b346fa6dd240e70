/** Repairs: what is to be mended, by whom, and how far it has come. */

import { computed } from "vue";

import type { Area } from "@/shell/area";
import { live } from "@/shell/stores/live";

const untaken = computed(() => [...live.tickets.values()].filter((ticket) => ticket.state === "raised").length);

export const area: Area = {
  pages: [
    {
      path: "/tickets",
      component: () => import("@/areas/tickets/Tickets.vue"),
      ability: "tickets.read",
      nav: { icon: "ticket", label: "nav.tickets", badge: () => untaken.value },
    },
    {
      path: "/tickets/:id",
      component: () => import("@/areas/tickets/TicketDetail.vue"),
      props: true,
      ability: "tickets.read",
    },
  ],
  beginnings: [
    {
      kind: "ticket",
      component: () => import("@/areas/tickets/TicketNewDialog.vue"),
      ability: "tickets.create",
      icon: "ticket",
      label: "begin.ticket",
    },
  ],
  peeks: [
    {
      kind: "ticket",
      component: () => import("@/areas/tickets/TicketPeek.vue"),
      ability: "tickets.read",
      icon: "ticket",
      label: "peek.ticket",
      paged: true,
    },
  ],
  over: [() => import("@/areas/tickets/TicketNotices.vue")],
};
