/** /api/alarms: reading them, and the commands about them. */

import { api } from "@/api/client";
import type { Alarm, AlarmState, Command, EventItem, Page } from "@/api/types";

export const alarmPage = (
  site: string | null,
  state: AlarmState | null,
  cursor: string | number | null,
): Promise<Page<Alarm>> => api.get("/api/alarms", { site, state, cursor, limit: 50 });

export const oneAlarm = (id: string): Promise<Alarm> => api.get(`/api/alarms/${encodeURIComponent(id)}`);

/** Every kind that tells of an alarm. */
const KINDS = ["raised", "acknowledged", "shelved", "unshelved", "cleared"].map((what) => `alarm.${what}`);

/** What was lately recorded of the alarms of one source, the newest first. */
export const alarmEvents = async (site: string, source: string): Promise<EventItem[]> =>
  (await api.get<Page<EventItem>>("/api/events", { site, source, kind: KINDS, limit: 100 })).items;

const path = (alarm: string, command: string): string => `/api/alarms/${encodeURIComponent(alarm)}/${command}`;

export const acknowledge = (alarm: string, note: string): Promise<Command> => api.post(path(alarm, "ack"), { note });

export const shelve = (alarm: string, forS: number, note: string): Promise<Command> =>
  api.post(path(alarm, "shelve"), { for_s: forS, note });

export const unshelve = (alarm: string, note: string): Promise<Command> => api.post(path(alarm, "unshelve"), { note });
