/** The JSON of the servers' REST interface and live stream: as they say it themselves, and what follows from that. */

import type { Access, Command, CredentialKind, Event, Point, Ticket } from "@/api/shapes";
import type { Alarm, CommandKind, Door, Gateway, Lane, LaneLayout, Snapshot as WholeSnapshot } from "@/api/shapes";

export * from "@/api/shapes";

/** What each value of a label point is called. */
export type Labels = Point["labels"];
/** RFC 3339, UTC, milliseconds. */
export type Instant = string;
export type Value = Point["value"];
export type Direction = LaneLayout["direction"];
export type AccessData = Access;
export type { CommandResult as CommandResultData, PlateSeen as PlateSeenData, SiteLayout as Layout } from "@/api/shapes";

/** In the order in which forms offer them. */
const OFFERED: Record<CredentialKind, true> = { card: true, plate: true, pin: true, qr: true, face: true };
export const CREDENTIAL_KINDS = Object.keys(OFFERED) as CredentialKind[];

export interface Page<T> {
  items: T[];
  next: string | number | null;
}

/** An event as screens of a site show it: those of the whole company have none. */
export type EventItem = Event & { site: string };

/** A point as the stream tells of it: what its site's layout says is not repeated. */
export type PointState = Pick<Point, "id" | "site" | "unit" | "value" | "quality" | "at"> & Partial<Point>;

export type Snapshot = Omit<WholeSnapshot, "events"> & { events: EventItem[]; points?: PointState[] };

export type StateFrame =
  | ({ kind: "door" } & Door)
  | ({ kind: "lane" } & Lane)
  | ({ kind: "alarm" } & Alarm)
  | ({ kind: "ticket" } & Ticket)
  | ({ kind: "point" } & PointState)
  | ({ kind: "gateway" } & Gateway)
  | ({ kind: "command"; command: CommandKind } & Omit<Command, "kind">);
