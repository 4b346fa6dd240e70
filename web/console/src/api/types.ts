/** The JSON of the servers' REST interface and live stream: one shape per item, the same in both. */

export interface Text {
  zh: string;
  en: string;
}

/** What each value of a label point is called. */
export type Labels = Record<string, Text>;
export interface Reason extends Text {
  code: string;
}
/** RFC 3339, UTC, milliseconds. */
export type Instant = string;
export type Value = number | boolean | string | null;
export type Role = "guard" | "maintenance" | "installer" | "manager" | "admin";
export const ROLES: readonly Role[] = ["guard", "maintenance", "installer", "manager", "admin"];
export type Language = "zh" | "en";
export type Direction = "in" | "out";
export type Severity = "critical" | "major" | "minor" | "warning";
export const SEVERITIES: readonly Severity[] = ["critical", "major", "minor", "warning"];
export type Quality = "good" | "stale" | "bad";
export type CredentialKind = "card" | "pin" | "qr" | "plate" | "face";
export const CREDENTIAL_KINDS: readonly CredentialKind[] = ["card", "plate", "pin", "qr", "face"];

export interface Page<T> {
  items: T[];
  next: string | number | null;
}

export interface User {
  id: string;
  username: string;
  name: string;
  role: Role;
  language: Language;
  sites: string[];
}

export interface About {
  server: "hub" | "gateway";
  site: string | null;
  version: string;
  hub_connected: boolean | null;
  working_alone_since: Instant | null;
  backlog: number | null;
}

export interface Person {
  id: string;
  name: string;
  role: string;
}

/** An event; `data` is read by kind through the interfaces below. `first`: where it was before a fork moved it. */
export interface EventItem {
  id: number;
  site: string;
  gateway?: string;
  stream?: string;
  seq: number;
  first?: { stream: string; seq: number } | null;
  at: Instant;
  received_at?: Instant | null;
  kind: string;
  source: string;
  data: Record<string, unknown>;
  clock?: "ok" | "doubtful";
}

export interface AccessData {
  credential: { kind: CredentialKind; value: string };
  holder: string | null;
  rule: string;
  revision: number;
  reason: Reason;
  direction?: Direction;
  reader?: string;
  picture?: string | null;
}

export interface PlateSeenData {
  plate: string;
  camera: string;
  /** It is not of now and opened nothing; `reason` says why, from gateways that are new enough. */
  replayed?: boolean;
  reason?: Reason | null;
  colour?: string;
  picture?: string | null;
}

export interface CommandResultData {
  command: string;
  kind: string;
  target: string;
  by: Person;
  reason: string;
  why?: Text | null;
}

export interface Door {
  id: string;
  site: string;
  lock: "locked" | "released" | "unknown";
  contact: "open" | "closed" | "unknown";
  mode: "normal" | "unlocked" | "locked";
  at: Instant | null;
}

export interface Lane {
  id: string;
  site: string;
  barrier: "down" | "moving" | "up" | "unknown";
  loops: { before: boolean | null; under: boolean | null };
  last_plate: string | null;
  at: Instant | null;
}

export type AlarmState = "active" | "acknowledged" | "cleared" | "shelved" | "closed";
export interface Alarm {
  id: string;
  site: string;
  rule: string;
  source: string;
  asset: string;
  severity: Severity;
  state: AlarmState;
  message: Text;
  response: Text | null;
  values: Record<string, Value>;
  raised_at: Instant;
  cleared_at: Instant | null;
  acknowledged_at: Instant | null;
  acknowledged_by: Person | string | null;
  shelved_until: Instant | null;
  note: string | null;
}

export type TicketState = "raised" | "taken" | "done" | "closed";
export const TICKET_STATES: readonly TicketState[] = ["raised", "taken", "done", "closed"];
export interface TicketStep {
  at: Instant;
  by: Person | string | null;
  step: string;
  text: string;
}
export interface Ticket {
  id: string;
  site: string;
  number: number | string | null;
  alarm: string | null;
  asset: string;
  cause: string;
  severity: Severity;
  title: Text;
  place: string | Text | null;
  state: TicketState;
  assignee: Person | string | null;
  raised_at: Instant;
  updated_at: Instant | null;
  count: number;
  history: [string, number, Value][];
  steps: TicketStep[];
  response?: Text | null;
}

export type CommandState = "asked" | "sent" | "done" | "failed" | "expired";
export interface Command {
  id: string;
  site: string;
  target: string;
  kind: string;
  reason: string;
  state: CommandState;
  by?: Person | string | null;
  issued_at?: Instant;
  expires_at?: Instant;
  result?: { why?: Text | null } | Text | string | null;
}

export interface Point {
  id: string;
  site?: string;
  unit: string;
  value: Value;
  quality: Quality;
  at: Instant | number | null;
}

export interface Gateway {
  id: string;
  site: string;
  online: boolean;
  backlog: number;
  readings_backlog?: number;
  clock?: "ok" | "doubtful";
  clock_error_ms: number | null;
  versions: { software?: string; desired?: number; site_file?: string };
  seen_at: Instant | null;
}

/** One wire of a gateway's site, with what was counted on it since the start. */
export interface Wire {
  id: string;
  site: string;
  kind: string;
  connected: boolean;
  devices: string[];
  silent: string[];
  exchanges: number;
  timeouts: number;
  refused: number;
  late: number;
  overruns: number;
  reconnects: number;
}

export interface Layout {
  site: string;
  name: Text;
  gateway?: string;
  timezone?: string;
  doors: { id: string; name: Text; place?: Text | null; readers?: string[]; zones?: string[] }[];
  lanes: {
    id: string;
    name: Text;
    direction: Direction;
    camera?: string;
    can_close?: boolean;
    place?: Text | null;
    zones?: string[];
  }[];
  devices: { id: string; name: Text; kind: string; profile: string; bus: string; place?: Text | null }[];
  points: {
    id: string;
    device: string;
    name: Text;
    type: "number" | "flag" | "label" | "text";
    unit: string;
    labels?: Labels;
    writable?: boolean;
  }[];
  zones: { id: string; name: Text }[];
  meters: { id: string; name: Text; point: string; register: string; meter_no: string }[];
}

export interface Snapshot {
  as_of: Instant;
  doors: Door[];
  lanes: Lane[];
  alarms: Alarm[];
  tickets: Ticket[];
  gateways: Gateway[];
  events: EventItem[];
  points?: Point[];
}

export type StateFrame =
  | ({ kind: "door" } & Door)
  | ({ kind: "lane" } & Lane)
  | ({ kind: "alarm" } & Alarm)
  | ({ kind: "ticket" } & Ticket)
  | ({ kind: "point" } & Point)
  | ({ kind: "gateway" } & Gateway)
  | { kind: "command"; id: string; [field: string]: unknown };
