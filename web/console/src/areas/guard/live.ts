/** Live tables of those who watch: doors and lanes. Pure. */

import type { Door, Lane } from "@/api/types";
import { atPlace, type LiveTable } from "@/live/table";

export const doors: LiveTable<Door> = { kind: "door", key: atPlace };
export const lanes: LiveTable<Lane> = { kind: "lane", key: atPlace };
