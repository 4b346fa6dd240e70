/** Oneself, wherever one works: proving it again, one's own password, sessions and second factor. */

import { api } from "@/api/client";
import type { Offer, OpenSession, OpenSessions, RecoveryCodes, SecondFactor } from "@/api/types";

export type { OpenSession, SecondFactor } from "@/api/types";

export const confirm = (password: string, code: string): Promise<void> =>
  api.post("/api/self/confirm", { password, code });

export const changePassword = (current: string, password: string, code: string): Promise<void> =>
  api.post("/api/accounts/self/password", { current, password, code });

export const ownSessions = async (): Promise<OpenSession[]> =>
  (await api.get<OpenSessions>("/api/self/sessions")).items;

export const endSession = (id: string): Promise<void> => api.delete(`/api/self/sessions/${encodeURIComponent(id)}`);

export const endOtherSessions = (): Promise<void> => api.delete("/api/self/sessions");

export const secondFactor = (): Promise<SecondFactor> => api.get("/api/self/second-factor");

export const beginSecondFactor = (): Promise<Offer> =>
  api.post("/api/self/second-factor");

export const turnOnSecondFactor = (code: string): Promise<RecoveryCodes> =>
  api.post("/api/self/second-factor/confirm", { code });

export const newRecoveryCodes = (): Promise<RecoveryCodes> => api.post("/api/self/second-factor/recovery");

export const turnOffSecondFactor = (): Promise<void> => api.delete("/api/self/second-factor");
