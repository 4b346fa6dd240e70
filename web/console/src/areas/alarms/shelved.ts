/** What a shelved alarm says: till when, and who has seen it (whoever shelves has, but another may have before). */

import type { Alarm } from "@/api/types";
import { now } from "@/kit/clock";
import { momentText } from "@/kit/format/time";
import { i18n } from "@/kit/i18n";
import { personName } from "@/kit/person";
import { zone } from "@/shell/stores/site";

export function shelvedText(alarm: Alarm): string {
  const until = i18n.global.t("alarms.shelvedUntil", { time: momentText(alarm.shelved_until, now.value, zone.value, false) });
  const name = personName(alarm.acknowledged_by);
  const time = momentText(alarm.acknowledged_at, now.value, zone.value, false);
  return name ? `${until} · ${i18n.global.t("alarms.acknowledgedBy", { name, time })}` : until;
}
