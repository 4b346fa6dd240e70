/** /api/jobs: how the work stands that is done later, and doing it now. */

import { api } from "@/api/client";
import type { Job, Page } from "@/api/types";

export type { Job } from "@/api/types";
export type JobState = Job["state"];

export const jobs = async (): Promise<Job[]> => (await api.get<Page<Job>>("/api/jobs")).items;

export const runJob = (id: number): Promise<Job> => api.post(`/api/jobs/${id}/run`);
