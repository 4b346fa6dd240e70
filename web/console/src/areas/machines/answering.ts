/** Whether a device is there, and how well: by its last word to the server, and by what its points say now. Pure. */

import type { DeviceStanding, Quality } from "@/api/types";

export type DeviceState = "lost" | "silent" | "partly" | "unknown" | "waiting" | "normal" | "none" | "loading";

interface Told {
  value: unknown;
  quality: Quality;
}

/** `standing`: undefined while it is not known what the server says of it. `live`: its gateway is heard. */
export function deviceState(own: readonly Told[], standing: DeviceStanding | undefined, live: boolean): DeviceState {
  if (standing?.online === false) return "lost";
  if (standing === undefined) return "loading";
  if (own.length === 0 && standing.online === null) return "none";
  // Whether a device is there now, only its gateway knows.
  if (!live) return "unknown";
  const bad = own.filter((point) => point.quality !== "good").length;
  if (bad < own.length || own.length === 0) return bad > 0 ? "partly" : "normal";
  if (standing.online === null) return own.some((point) => point.quality === "bad") ? "silent" : "unknown";
  return own.every((point) => point.quality === "stale") ? "waiting" : "silent";
}
