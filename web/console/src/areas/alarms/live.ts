/** The live table of alarms: those that are not over. Pure. */

import type { Alarm } from "@/api/types";
import { byId, type LiveTable } from "@/live/table";

export const alarms: LiveTable<Alarm> = {
  kind: "alarm",
  key: byId,
  fold: (_, came) => (came.state === "closed" ? null : (came as unknown as Alarm)),
};
