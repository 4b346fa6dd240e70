import { createApp } from "vue";

import { whenProofNeeded, whenUnauthorised } from "@/api/client";
import { givesThrough } from "@/kit/given";
import { i18n, loadLanguage } from "@/kit/i18n";
import { preferences } from "@/kit/preferences";
import App from "@/shell/App.vue";
import { watchHandover } from "@/shell/handover";
import { holdOffline } from "@/shell/offline";
import { router } from "@/shell/router";
import { whenRefused } from "@/shell/stores/live";
import { proveAgain } from "@/shell/stores/proving";
import { loadSession, session, sessionEnded } from "@/shell/stores/session";
import "@/styles/global.css";

whenUnauthorised(sessionEnded);
whenProofNeeded(proveAgain);
watchHandover();
// A stream that is refused says that the session has ended: ask, so that a mere lack of rights does not sign anybody out.
whenRefused(
  () =>
    void loadSession()
      .then(() => session.user ?? sessionEnded())
      .catch(() => undefined),
);

holdOffline();

// A page that begins in one language and goes on in another would be read twice.
void loadLanguage(preferences.language)
  .catch(() => undefined)
  .then(() => {
    const app = createApp(App).use(i18n);
    givesThrough(app);
    app.use(router).mount("#app");
  });
