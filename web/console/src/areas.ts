/** The areas of the console. In which order their pages are offered to whom: `WAYS` in `shell/area.ts`. */

import { area as accounts } from "@/areas/accounts/area";
import { area as alarms } from "@/areas/alarms/area";
import { area as changes } from "@/areas/changes/area";
import { area as guard } from "@/areas/guard/area";
import { area as history } from "@/areas/history/area";
import { area as jobs } from "@/areas/jobs/area";
import { area as machines } from "@/areas/machines/area";
import { area as people } from "@/areas/people/area";
import { area as sites } from "@/areas/sites/area";
import { area as tickets } from "@/areas/tickets/area";
import type { Area } from "@/shell/area";

export const AREAS: readonly Area[] = [sites, guard, history, alarms, tickets, machines, people, accounts, changes, jobs];
