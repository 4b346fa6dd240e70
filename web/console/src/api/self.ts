/** Oneself, wherever one works: proving it again, one's own password, sessions and second factor. */

import { api } from "@/api/client";

export interface OpenSession {
  id: string;
  device: string;
  address: string;
  opened_at: string;
  seen_at: string;
  this: boolean;
}

export interface SecondFactor {
  on: boolean;
  since: string | null;
  recovery_left: number;
}

export const confirm = (password: string, code: string): Promise<void> =>
  api.post("/api/self/confirm", { password, code });

export const changePassword = (current: string, password: string, code: string): Promise<void> =>
  api.post("/api/accounts/self/password", { current, password, code });

export const ownSessions = async (): Promise<OpenSession[]> =>
  (await api.get<{ items: OpenSession[] }>("/api/self/sessions")).items;

export const endSession = (id: string): Promise<void> => api.delete(`/api/self/sessions/${encodeURIComponent(id)}`);

export const endOtherSessions = (): Promise<void> => api.delete("/api/self/sessions");

export const secondFactor = (): Promise<SecondFactor> => api.get("/api/self/second-factor");

export const beginSecondFactor = (): Promise<{ secret: string; address: string }> =>
  api.post("/api/self/second-factor");

export const turnOnSecondFactor = (code: string): Promise<{ codes: string[] }> =>
  api.post("/api/self/second-factor/confirm", { code });

export const newRecoveryCodes = (): Promise<{ codes: string[] }> => api.post("/api/self/second-factor/recovery");

export const turnOffSecondFactor = (): Promise<void> => api.delete("/api/self/second-factor");
