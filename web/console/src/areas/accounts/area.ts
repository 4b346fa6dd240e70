/** Who signs in: everybody's accounts, a gateway's copies of them, one's own. */

import type { Area } from "@/shell/area";

export const area: Area = {
  pages: [
    {
      path: "/accounts",
      component: () => import("@/areas/accounts/Accounts.vue"),
      ability: "accounts.write",
      nav: { icon: "settings", label: "nav.settings" },
    },
    {
      path: "/site-accounts",
      component: () => import("@/areas/accounts/SiteAccounts.vue"),
      ability: "accounts.lock",
      nav: { icon: "settings", label: "nav.settings" },
    },
    { path: "/me", component: () => import("@/areas/accounts/Me.vue") },
  ],
  peeks: [
    {
      kind: "account",
      component: () => import("@/areas/accounts/AccountPeek.vue"),
      ability: "accounts.write",
      icon: "settings",
      label: "peek.account",
    },
  ],
};
