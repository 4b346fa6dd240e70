/** What happened to an alarm, from its raising on: as its gateway recorded it, else as far as it says so itself. */

import type { Alarm, EventItem, Person } from "@/api/types";
import type { IconName } from "@/kit/AppIcon.vue";
import { fullText } from "@/kit/format/time";
import { i18n } from "@/kit/i18n";
import { reasonText } from "@/kit/reasons";
import { personName } from "@/kit/person";
import { inOrder, type Happening } from "@/kit/timeline";

type Step = "raised" | "acknowledged" | "shelved" | "unshelved" | "cleared";

const LOOKS: Record<Step, { icon: IconName; tone?: Happening["tone"] }> = {
  raised: { icon: "alarm", tone: "no" },
  acknowledged: { icon: "check" },
  shelved: { icon: "shelf" },
  unshelved: { icon: "sound" },
  cleared: { icon: "guard", tone: "ok" },
};

function happening(kind: Step, at: string, by: Person | string | null | undefined, note: string): Happening {
  const title = i18n.global.t(`alarms.step.${kind}`);
  return { key: kind + at, at, kind, title, who: personName(by), lines: note ? [{ label: "", text: note }] : [], ...LOOKS[kind] };
}

/** `events`: those of this alarm. */
export function storyOf(alarm: Alarm, events: readonly EventItem[]): Happening[] {
  const recorded = events.map(({ kind, at, data }) => {
    const { by, note, until } = data as { by?: Person; note?: string; until?: string };
    const ends = until ? i18n.global.t("alarms.shelvedUntil", { time: fullText(until) }) : "";
    return happening(kind.slice("alarm.".length) as Step, at, by, [ends, note].filter(Boolean).join(" \u00b7 "));
  });
  const has = (kind: Step): boolean => recorded.some((each) => each.kind === kind);
  const own: Happening[] = [];
  if (!has("raised")) own.push(happening("raised", alarm.raised_at, null, ""));
  if (!has("acknowledged") && alarm.acknowledged_at)
    own.push(happening("acknowledged", alarm.acknowledged_at, alarm.acknowledged_by, reasonText({ reason: alarm.note })));
  if (!has("cleared") && alarm.cleared_at) own.push(happening("cleared", alarm.cleared_at, null, ""));
  return inOrder([...recorded, ...own]);
}
