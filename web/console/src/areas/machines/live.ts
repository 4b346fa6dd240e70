/** Live tables of machines: values of points, gateways. Pure. */

import type { Gateway, Point } from "@/api/types";
import { atPlace, byId, type LiveTable } from "@/live/table";

export const gateways: LiveTable<Gateway> = { kind: "gateway", key: byId };
/** A snapshot brings those alone that changed of late. */
export const points: LiveTable<Point> = { kind: "point", key: atPlace, snapshot: "some" };
