/** What the app gives to all its components, also for what comes with a library that is fetched later. */

import type { App } from "vue";

let app: App | null = null;

export function givesThrough(made: App): void {
  app = made;
}

/** Provides `value` to every component that is made from now on; without an app (a part alone, in a test) to none. */
export const give: App["provide"] = (key, value) => app?.provide(key, value) as App;
