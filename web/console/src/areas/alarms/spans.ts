/** For how long alarms are shelved, in seconds: no longer than a shift. */

import { i18n } from "@/kit/i18n";

export const SPANS_S = [900, 1800, 3600, 7200, 14_400, 28_800];

export function spanText(seconds: number): string {
  const { t } = i18n.global;
  return seconds < 3600 ? t("alarms.minutes", { count: seconds / 60 }) : t("alarms.hours", { count: seconds / 3600 });
}
