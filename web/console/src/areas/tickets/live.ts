/** The live table of tickets. Pure. */

import type { Ticket } from "@/api/types";
import { byId, type LiveTable } from "@/live/table";

export const tickets: LiveTable<Ticket> = { kind: "ticket", key: byId };
