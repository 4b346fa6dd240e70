/** Fields of what people edit, and their values, in words. */

import type { Text } from "@/api/types";
import { fullText } from "@/kit/format/time";
import { i18n, say } from "@/kit/i18n";
import { layouts, nameOf, sites } from "@/shell/stores/site";

const INSTANT = /^\d{4}-\d\d-\d\dT/;
/** Fields whose values are words of a list: where each word's text stands. */
const WORDS: Record<string, readonly string[]> = {
  kind: ["people.kinds", "feed.kinds"],
  state: ["people.credentialState"],
  role: ["role"],
  language: ["accounts.languages"],
  change: ["changes.change"],
};

export function fieldName(field: string): string {
  const { t, te } = i18n.global;
  return te(`field.${field}`) ? t(`field.${field}`) : field;
}

function isText(value: object): value is Text {
  return "zh" in value && "en" in value;
}

/** A value as a person reads it; `site`: where the places that it may name are. */
export function fieldText(field: string, value: unknown, site: string | null): string {
  const { t, te } = i18n.global;
  if (value === null || value === undefined || value === "") return t("field.empty");
  if (typeof value === "boolean") return t(value ? "field.yes" : "field.no");
  if (typeof value === "number") return String(value);
  if (typeof value === "string") {
    const key = WORDS[field]?.map((list) => `${list}.${value}`).find((one) => te(one));
    if (key) return t(key);
    if (INSTANT.test(value)) return fullText(value, layouts.get(site ?? "")?.timezone);
    if (field === "schedule" && value === "always") return t("people.alwaysSchedule");
    return value;
  }
  if (Array.isArray(value)) return value.map((one) => listed(field, one, site)).join(t("field.comma")) || t("field.empty");
  if (typeof value === "object" && isText(value)) return say(value);
  return JSON.stringify(value);
}

interface Hours {
  days: number[];
  since: string;
  until: string;
}
interface Day {
  day: string;
  hours: [string, string][];
}

/** Hours of the week, or of one date that follows others. */
function hoursText(value: Hours | Day): string {
  const { t } = i18n.global;
  if ("since" in value) {
    const days = value.days.map((day) => t(`field.weekday.${day}`)).join(t("field.comma"));
    return `${days} ${value.since}–${value.until}`;
  }
  const hours = value.hours.map(([since, until]) => `${since}–${until}`).join(t("field.comma"));
  return `${value.day} ${hours || t("field.closed")}`;
}

function listed(field: string, value: unknown, site: string | null): string {
  if (field === "windows" || field === "days") return hoursText(value as Hours | Day);
  if (typeof value !== "string") return typeof value === "object" ? JSON.stringify(value) : String(value);
  if (field === "places") return (site && say(nameOf(site, value))) || value;
  if (field !== "sites") return value;
  if (value === "*") return i18n.global.t("accounts.allSites");
  return say(sites.items.find((one) => one.id === value)?.name) || value;
}
