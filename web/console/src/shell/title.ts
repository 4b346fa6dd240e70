/**
 * What the tab says: how much waits for a person (alarms that nobody has acknowledged, hits that nobody has noted, cars),
 * whether it is of now, the page, the site.
 */

import { computed, watch } from "vue";
import { useRoute } from "vue-router";

import { AREAS } from "@/areas";
import { say, useI18n } from "@/kit/i18n";
import { hits, waitingCars } from "@/shell/stores/calling";
import { unseenAlarms } from "@/shell/stores/live";
import { currentSite, layouts } from "@/shell/stores/site";
import { standingOf } from "@/shell/stores/standing";

const LABELS = new Map(AREAS.flatMap((area) => area.pages.map((page) => [page.path, page.nav?.label] as const)));

/** The page's own name, or that of the list it belongs to: a ticket is among the tickets. */
function labelOf(path: string): string | undefined {
  return LABELS.get(path as `/${string}`) ?? LABELS.get(`/${path.split("/")[1] ?? ""}`);
}

export function useTitle(): void {
  const { t } = useI18n();
  const route = useRoute();
  const title = computed(() => {
    const label = labelOf(route.matched[0]?.path ?? "");
    const words = [label ? t(label) : "", say(layouts.get(currentSite.value ?? "")?.name) || t("app.name")];
    // Numbers of a screen that does not know how things stand would be believed: a sign says so before they are.
    const doubt = ["stale", "unknown"].includes(standingOf(currentSite.value).state) ? "⚠ " : "";
    const calls = unseenAlarms.value.length + hits.value.length + waitingCars.value.length;
    const count = calls > 0 ? `(${calls}) ` : "";
    return `${doubt}${count}${words.filter(Boolean).join(" · ")}`;
  });
  watch(title, (text) => (document.title = text), { immediate: true });
}
