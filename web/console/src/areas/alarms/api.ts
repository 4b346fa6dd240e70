/** /api/alarms: reading them, and the commands about them. */

import { api } from "@/api/client";
import type { Alarm, AlarmsAsked, AlarmState, Command, EventItem, Page } from "@/api/types";

export const alarmPage = (
  site: string | null,
  state: AlarmState | null,
  cursor: string | number | null,
  wanted: AlarmQuery = {},
): Promise<Page<Alarm>> => api.get("/api/alarms", { site, state, cursor, limit: 50, ...wanted });

/** What the server filters by. `from`, `to`: when they were raised; `order`: what is over is read by time. */
export type AlarmQuery = Partial<
  Record<"severity" | "q" | "from" | "to", string> & { source: readonly string[]; order: "urgency" | "time" }
>;

/** One request for all of them: of each it is said what became of it. */
export const askEach = (
  act: "ack" | "shelve" | "unshelve",
  ids: readonly string[],
  said: Said & { for_s?: number },
): Promise<AlarmsAsked> => api.post(`/api/alarms/${act}`, { ids, ...said });

export const oneAlarm = (id: string): Promise<Alarm> => api.get(`/api/alarms/${encodeURIComponent(id)}`);

/** Every kind that tells of an alarm. */
const KINDS = ["raised", "acknowledged", "shelved", "unshelved", "cleared"].map((what) => `alarm.${what}`);

/** What was lately recorded of the alarms of one source, the newest first. */
export const alarmEvents = async (site: string, source: string): Promise<EventItem[]> =>
  (await api.get<Page<EventItem>>("/api/events", { site, source, kind: KINDS, limit: 100 })).items;

const path = (alarm: string, command: string): string => `/api/alarms/${encodeURIComponent(alarm)}/${command}`;

/** Why, in own words, by a code that is offered for it, or both. */
export interface Said {
  note: string;
  reason_code?: string;
}

/** What a form holds, as the servers take it: no code at all is none. */
export const saidIn = ({ note, code }: { note: string; code: string }): Said => ({
  note: note.trim(),
  ...(code ? { reason_code: code } : {}),
});

export const acknowledge = (alarm: string, said: Said): Promise<Command> => api.post(path(alarm, "ack"), said);

export const shelve = (alarm: string, forS: number, said: Said): Promise<Command> =>
  api.post(path(alarm, "shelve"), { for_s: forS, ...said });

export const unshelve = (alarm: string, note: string): Promise<Command> => api.post(path(alarm, "unshelve"), { note });
