/** /api/jobs: how the work stands that is done later, and doing it now. */

import { api } from "@/api/client";
import type { Instant, Page, Text } from "@/api/types";

export type JobState = "waiting" | "due" | "running" | "failing" | "failed";

export interface Job {
  id: number;
  name: string;
  text: Text;
  /** Which of several; empty where there is one. */
  key: string;
  state: JobState;
  last_at: Instant | null;
  took_s: number | null;
  /** Null while nobody wants it. */
  next_at: Instant | null;
  why: string;
  failures: number;
  error: string;
}

export const jobs = async (): Promise<Job[]> => (await api.get<Page<Job>>("/api/jobs")).items;

export const runJob = (id: number): Promise<Job> => api.post(`/api/jobs/${id}/run`);
