import { createApp } from "vue";

import App from "@/App.vue";
import { whenProofNeeded, whenUnauthorised } from "@/api/client";
import { i18n } from "@/i18n";
import { router } from "@/router";
import { whenRefused } from "@/stores/live";
import { proveAgain } from "@/stores/proving";
import { loadSession, session, sessionEnded } from "@/stores/session";
import "@/styles/global.css";

whenUnauthorised(sessionEnded);
whenProofNeeded(proveAgain);
// A stream that is refused says that the session has ended: ask, so that a mere lack of rights does not sign anybody out.
whenRefused(
  () =>
    void loadSession()
      .then(() => session.user ?? sessionEnded())
      .catch(() => undefined),
);

createApp(App).use(i18n).use(router).mount("#app");
