/** /api/alarms: reading them, and the commands about them. */

import { api } from "@/api/client";
import type { Alarm, AlarmState, Command, Page } from "@/api/types";

export const alarmPage = (
  site: string | null,
  state: AlarmState | null,
  cursor: string | number | null,
): Promise<Page<Alarm>> => api.get("/api/alarms", { site, state, cursor, limit: 50 });

const path = (alarm: string, command: string): string => `/api/alarms/${encodeURIComponent(alarm)}/${command}`;

export const acknowledge = (alarm: string, note: string): Promise<Command> => api.post(path(alarm, "ack"), { note });

export const shelve = (alarm: string, forS: number, note: string): Promise<Command> =>
  api.post(path(alarm, "shelve"), { for_s: forS, note });

export const unshelve = (alarm: string, note: string): Promise<Command> => api.post(path(alarm, "unshelve"), { note });
