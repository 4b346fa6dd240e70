/** Made by `python -m deploy.console_types` from what both servers say of themselves. Not to be edited. */

export const ROLES = ["guard", "maintenance", "installer", "manager", "admin"] as const;
export type Role = (typeof ROLES)[number];

export const LANGUAGES = ["zh", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

export const SEVERITIES = ["critical", "major", "minor", "warning"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const ALARM_STATES = ["active", "acknowledged", "cleared", "shelved", "closed"] as const;
export type AlarmState = (typeof ALARM_STATES)[number];

export const TICKET_STATES = ["raised", "taken", "done", "closed"] as const;
export type TicketState = (typeof TICKET_STATES)[number];

export const ABILITIES = ["watch", "open", "door.mode", "alarms.ack", "alarms.shelve", "tickets.read", "tickets.create", "tickets.comment", "tickets.work", "tickets.reopen", "tickets.answer", "points.read", "points.write", "meters.read", "meters.record", "devices.read", "readers.key", "wires.watch", "people.read", "people.write", "sites.read", "posts.write", "company.write", "accounts.write", "accounts.lock", "seal.renew", "changes.read", "changes.accounts", "jobs.run"] as const;
export type Ability = (typeof ABILITIES)[number];

export const STEPS = ["take", "take_over", "comment", "finish", "accept", "reopen"] as const;
export type Step = (typeof STEPS)[number];

export const COMMAND_KINDS = ["door.unlock", "door.mode", "barrier.open", "barrier.close", "alarm.ack", "alarm.shelve", "alarm.unshelve", "point.write", "reader.set_key", "hit.acknowledge"] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

export const COMMAND_STATES = ["asked", "sent", "done", "failed", "expired"] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

export const QUALITIES = ["good", "stale", "bad"] as const;
export type Quality = (typeof QUALITIES)[number];

export const AGGREGATES = ["avg", "min", "max", "last", "delta"] as const;
export type Aggregate = (typeof AGGREGATES)[number];

export const CREDENTIAL_KINDS = ["card", "pin", "qr", "plate", "face"] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

export const CARD_FORMS = ["hex", "8h", "10d", "8h-26", "10d-26", "3+5", "5+5", "h10302", "h10304"] as const;
export type CardForm = (typeof CARD_FORMS)[number];

export const CREDENTIAL_STATES = ["active", "revoked", "lost"] as const;
export type CredentialState = (typeof CREDENTIAL_STATES)[number];

export const HOLDER_KINDS = ["resident", "staff", "visitor", "contractor"] as const;
export type HolderKind = (typeof HOLDER_KINDS)[number];

export const CHANGED_KINDS = ["holder", "credential", "grant", "schedule", "block", "account", "company", "site", "post", "job"] as const;
export type ChangedKind = (typeof CHANGED_KINDS)[number];

/** Which server this is, for whom nobody has signed in yet. `name`: of a gateway's site. */
export interface About {
  server: "hub" | "gateway";
  site: string | null;
  name?: Text;
  version: string;
  hub_connected: boolean | null;
  working_alone_since: string | null;
  backlog: number | null;
}

/** `access.granted`, `access.denied`, at doors and lanes alike. `revision`: of the desired state that decided. `rule` names what decided: a grant's id, `block:<id>`, `visitor`, `mode:<mode>`, `unknown`, … `picture`: id of a stored picture, if there is one. `stands`: at a lane, the car stands before the barrier from then on, until a passage or `car.left` names this event; False of a worse read of the car that stands there, and from a gateway that does not say when cars leave. */
export interface Access {
  credential: Presented;
  holder: string | null;
  rule: string;
  revision: number;
  reason: Reason;
  direction?: "in" | "out";
  reader?: string;
  picture?: string | null;
  stands?: boolean;
}

/** An account in an answer. `signed_in_at`: the last time, here or at a gateway; None before the first. */
export interface Account {
  id: string;
  username: string;
  name: string;
  role: Role;
  language: Language;
  sites: string[];
  active: boolean;
  created_at: string;
  changed_at: string;
  version: number;
  signed_in_at: string | null;
  second_factor: boolean;
  locks: Lock[];
}

/** An account as it shall be; `password` only to set a new one. */
export interface AccountChange {
  name: string;
  role: Role;
  language?: Language;
  sites: string[];
  active?: boolean;
  password?: string | null;
}

/** An alarm. `values`: the points that its rule looked at. */
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
  values: Record<string, number | boolean | string | null>;
  raised_at: string;
  cleared_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: Person | null;
  shelved_until: string | null;
  note: string;
  can: CommandKind[];
}

/** What became of one alarm of several: the command about it, or why there is none. */
export interface AlarmAsked {
  id: string;
  command: Command | null;
  refused: Refused | null;
}

/** What became of each, in the order in which they were named. */
export interface AlarmsAsked {
  items: AlarmAsked[];
}

/** A block. The value of a PIN is hidden. */
export interface Block {
  id: string;
  site: string;
  changed_at: string;
  version: number;
  kind: CredentialKind;
  value: string;
  reason: Text;
}

/** A value that is refused everywhere, and why. */
export interface BlockBody {
  kind: CredentialKind;
  value: string;
  form?: CardForm | null;
  reason: Text;
}

/** How the sealed account stands. */
export interface BreakGlass {
  made_at: string | null;
  used_at: string | null;
  spent: boolean;
  opens: boolean;
}

/** `car.arrived`: a car stands before the barrier and was not read in time (`plate` None), or stands there again without a new decision. `outcome`: of the decision that was made of it before, if any. */
export interface CarArrived {
  plate?: string | null;
  holder?: string | null;
  picture?: string | null;
  reason: Reason;
  outcome?: "denied" | "granted" | null;
  blocked?: boolean;
}

/** `car.left`: the car that stood before the barrier has gone, and no passage was seen. `after`, `after_stream`: the event by which it stood there (a decision or `car.arrived`), as in `PassageMade`. `watched`: False where nothing tells of passages, of a car that was let in: it most likely went through. */
export interface CarLeft {
  after?: number | null;
  after_stream?: string | null;
  plate?: string | null;
  watched?: boolean;
}

/** One edit. `id`: of the record; `event`: of the history. `erased`: the values were erased, the change stands. */
export interface Change {
  event: number;
  at: string;
  site: string | null;
  kind: ChangedKind;
  id: string;
  subject: string | null;
  change: "created" | "updated" | "removed";
  by: Person;
  fields: Field[];
  erased: boolean;
}

/** A command. `reason_code`: one of the quick reasons. `subject`: the entry it is about. `result`: once there is one. */
export interface Command {
  id: string;
  site: string;
  target: string;
  kind: CommandKind;
  args: Record<string, string | number | boolean | null>;
  reason: string;
  reason_code: string | null;
  subject: FirstPlace | null;
  state: CommandState;
  by: Person;
  issued_at: string;
  expires_at: string;
  result: Result | null;
}

/** `command.done`, `command.failed`, `command.expired`. `reason_code`: as in the command. `subject`: the entry that it answers. `plate`, `picture`: of the car that stood at the lane when it was opened by hand; `despite`: its plate once more where it is blocked and was let in all the same. */
export interface CommandResult {
  command: string;
  kind: string;
  target: string;
  by: Person;
  reason: string;
  why?: Text | null;
  reason_code?: string | null;
  subject?: Subject | null;
  plate?: string | null;
  picture?: string | null;
  despite?: string | null;
}

/** The company. */
export interface Company {
  id: string;
  name: Text;
  version: number;
}

/** A credential. The value of a PIN is hidden; who looks after it may have it shown, which is recorded. */
export interface Credential {
  valid_from: string | null;
  valid_to: string | null;
  id: string;
  site: string;
  changed_at: string;
  version: number;
  kind: CredentialKind;
  value: string;
  holder: string;
  state: CredentialState;
  printed: Record<string, string>;
}

/** What a holder presents. */
export interface CredentialBody {
  valid_from?: string | null;
  valid_to?: string | null;
  kind: CredentialKind;
  value: string;
  form?: CardForm | null;
  holder: string;
  state?: CredentialState;
}

/** One date that follows other hours; none: closed. */
export interface DayBody {
  day: string;
  hours?: [string, string][];
}

/** A device and the profile that describes it. `kind` is the profile's: pump, elevator, relay, … */
export interface DeviceLayout {
  id: string;
  name: Text;
  kind: string;
  profile: string;
  bus: string;
  place: Text | null;
}

/** Whether a device answers, by the last word of it; `online` is null where nothing was ever said. `since`: when that was said, `why`: what was said of one that does not answer. */
export interface DeviceStanding {
  id: string;
  site: string;
  online: boolean | null;
  since: string | null;
  why: string | null;
}

/** How a door stands. `can`: the commands that whoever sees it may give now; of lanes and alarms too. `mode_since`, `mode_until`, `mode_by`: of another mode than the normal one, since when, when it ends by itself (null: when somebody ends it), and the name of who asked for it. */
export interface Door {
  id: string;
  site: string;
  lock: "locked" | "released" | "unknown";
  contact: "open" | "closed" | "unknown";
  mode: "normal" | "unlocked" | "locked";
  mode_since: string | null;
  mode_until: string | null;
  mode_by: string | null;
  at: string | null;
  can: CommandKind[];
}

/** A door: its readers, and the zones that grants may name. `modes_end`: its gateway ends a mode when its time is over; False from one that does not know how. */
export interface DoorLayout {
  id: string;
  name: Text;
  place: Text | null;
  readers: string[];
  zones: string[];
  modes_end: boolean;
}

/** One entry, found in the history. `event` says all of it; `passed_at`: when somebody went through after it. */
export interface Entry {
  event: Event;
  outcome: "granted" | "refused" | "visitor" | "waiting" | "blocked" | "replayed" | "manual" | "failed";
  traveller: "car" | "person";
  passed_at: string | null;
  picture: string | null;
}

/** An event. `gateway` and `site` are null where the hub itself recorded it, for the whole company. `received_at`: by the hub; null at the gateway, which has it from nobody. `clock`: told by the gateway alone. `data`: by kind (`contract.kinds`). `first`: where it was first recorded, if a fork has moved it since; other events may name it by that place. */
export interface Event {
  id: number;
  site: string | null;
  gateway: string | null;
  stream: string;
  seq: number;
  at: string;
  received_at: string | null;
  kind: string;
  source: string;
  clock?: "ok" | "doubtful";
  data: Record<string, unknown>;
  first: FirstPlace | null;
}

/** One field: what it was and what it became; null: nothing, or not known any more. */
export interface Field {
  field: string;
  before: unknown;
  after: unknown;
}

/** The first code of an app that was given the secret. */
export interface FirstCode {
  code: string;
}

/** A place in a stream. */
export interface FirstPlace {
  stream: string;
  seq: number;
}

/** One thing: `title` what it is called, `detail` what tells it from others. Where its page is knows the console. */
export interface Found {
  kind: "vehicle" | "person" | "place" | "device" | "alarm" | "ticket" | "meter";
  id: string;
  site: string;
  title: Text;
  detail: Text;
}

/** Those of one kind. `more`: there are others. */
export interface FoundGroup {
  kind: "vehicle" | "person" | "place" | "device" | "alarm" | "ticket" | "meter";
  items: Found[];
  more: boolean;
}

/** The answer: the kind that fits best comes first. */
export interface FoundThings {
  groups: FoundGroup[];
}

/** A gateway. `clock_error_ms`: how far its clock is ahead of the hub's; `backlog`: events not yet acknowledged. */
export interface Gateway {
  id: string;
  site: string;
  online: boolean;
  backlog: number;
  readings_backlog: number;
  clock: "ok" | "doubtful";
  clock_error_ms: number | null;
  versions: Versions;
  seen_at: string | null;
}

/** A grant. */
export interface Grant {
  valid_from: string | null;
  valid_to: string | null;
  holder: string;
  places: string[];
  schedule: string;
  id: string;
  site: string;
  changed_at: string;
  version: number;
}

/** A holder may pass `places` (doors, lanes, zones) while `schedule` holds. */
export interface GrantBody {
  valid_from?: string | null;
  valid_to?: string | null;
  holder: string;
  places: string[];
  schedule?: string;
}

/** An account that may sign in here without the hub until `expires_at`; what whoever asks may do with it. */
export interface HeldAccount {
  id: string;
  username: string;
  name: string;
  role: Role;
  expires_at: string;
  may_lock: boolean;
  may_unlock: boolean;
  lock: HeldLock | null;
}

/** Somebody locked an account here. `by`: their name. */
export interface HeldLock {
  by: string;
  at: string;
  reason: string;
}

/** `hit.acknowledged`: somebody has taken note that a blocked credential came, in the event `subject`. */
export interface HitAcknowledged {
  by: Person;
  subject: Subject;
  command?: string | null;
}

/** A holder. */
export interface Holder {
  valid_from: string | null;
  valid_to: string | null;
  name: string;
  kind: HolderKind;
  unit: string;
  id: string;
  site: string;
  changed_at: string;
  version: number;
}

/** A person or firm. */
export interface HolderBody {
  valid_from?: string | null;
  valid_to?: string | null;
  name: string;
  kind?: HolderKind;
  unit?: string;
}

/** A holder as far as the hub sends them down. */
export interface HolderName {
  id: string;
  site: string;
  name: string;
  kind: string;
  unit: string;
}

/** A holder with everything that is theirs. */
export interface HolderWhole {
  valid_from: string | null;
  valid_to: string | null;
  name: string;
  kind: HolderKind;
  unit: string;
  id: string;
  site: string;
  changed_at: string;
  version: number;
  credentials: Credential[];
  grants: Grant[];
}

/** A job. `key`: which of several, empty where there is one. `took_s`: seconds of the last run. `why`: why it comes again, in its own words. `failures` one after the other; `failed`: it is not tried any more until somebody says so, or its schedule does. `next_at`: null while nobody wants it. */
export interface Job {
  id: number;
  name: string;
  text: Text;
  key: string;
  state: "waiting" | "due" | "running" | "failing" | "failed";
  last_at: string | null;
  took_s: number | null;
  next_at: string | null;
  why: string;
  failures: number;
  error: string;
}

/** Where the journal stands. `stalled`: why the disk does not record. */
export interface JournalStanding {
  stream: string;
  first: number;
  last: number;
  acked: number;
  durable: number;
  waiting: number;
  stalled: string | null;
}

/** One kind of data. `days`: null as long as what it belongs to. */
export interface Kept {
  what: string;
  text: Text;
  days: number | null;
}

/** How a lane stands. `monitored`: whether anything tells where its barrier is. `last_plate`: read last, at `last_plate_at`; it says nothing of who stands there now, which is `car`. */
export interface Lane {
  id: string;
  site: string;
  barrier: "down" | "moving" | "up" | "unknown";
  monitored: boolean;
  loops: Loops;
  last_plate: string | null;
  last_plate_at: string | null;
  car: StandingCar | null;
  at: string | null;
  can: CommandKind[];
}

/** A lane: its direction, its camera, what its barrier can do. `monitored`: whether anything tells its position. */
export interface LaneLayout {
  id: string;
  name: Text;
  direction: "in" | "out";
  camera: string;
  can_close: boolean;
  place: Text | null;
  zones: string[];
  monitored: boolean;
}

/** What the frames of the live stream hold, by their names. A `state` (not listed) is an item as its list has it, with `kind`: door, lane, alarm, ticket, point, gateway; of a command, `kind` is "command" and `command` its own. */
export interface LiveFrames {
  snapshot: Snapshot;
  events: Event[];
  reset: Reset;
}

/** A lock that somebody set at a site's gateway. `by`: their name. */
export interface Lock {
  site: string;
  by: string;
  reason: string;
  at: string;
}

/** Why nobody shall sign in with the account. */
export interface Locking {
  reason: string;
}

/** Whether a vehicle stands before or under the barrier; null: not known. */
export interface Loops {
  before: boolean | null;
  under: boolean | null;
}

/** A register, its last reading, and what it used on the days that were asked for. */
export interface Meter {
  id: string;
  site: string;
  register: string;
  meter_no: string;
  unit: string;
  value: number;
  at: string;
  used: number;
  days: MeterDay[];
}

/** One day of one meter; a day on which meters were exchanged has two. `odd`: falls that nothing explains. */
export interface MeterDay {
  day: string;
  meter_no: string;
  first: number;
  first_at: string;
  last: number;
  last_at: string;
  used: number;
  rollovers: number;
  odd: number;
}

/** A register that money hangs on, and the point it is read from. */
export interface MeterLayout {
  id: string;
  name: Text;
  point: string;
  register: string;
  meter_no: string;
}

/** A register whose value is being recorded. */
export interface MeterRead {
  meter: string;
  state: "done";
}

/** An account to open. */
export interface NewAccount {
  name: string;
  role: Role;
  language?: Language;
  sites: string[];
  active?: boolean;
  username: string;
  password: string;
}

export interface NewBlock {
  kind: CredentialKind;
  value: string;
  form?: CardForm | null;
  reason: Text;
  site: string;
  id?: string | null;
}

/** A command. One of `reason` (own words) and `reason_code` (`rules.quick_reasons`) is needed, or both. `args` by kind: door.mode {mode, for_s}; alarm.ack {note}; alarm.shelve {for_s, note}; point.write {value}; barrier.open {despite}. `subject`: the entry that it answers; of hit.acknowledge the hit. */
export interface NewCommand {
  site: string;
  target: string;
  kind: CommandKind;
  reason?: string;
  reason_code?: string | null;
  subject?: SubjectBody | null;
  ttl_s?: number;
  args?: Record<string, string | number | boolean | null>;
}

export interface NewCredential {
  valid_from?: string | null;
  valid_to?: string | null;
  kind: CredentialKind;
  value: string;
  form?: CardForm | null;
  holder: string;
  state?: CredentialState;
  site: string;
  id?: string | null;
}

export interface NewGrant {
  valid_from?: string | null;
  valid_to?: string | null;
  holder: string;
  places: string[];
  schedule?: string;
  site: string;
  id?: string | null;
}

export interface NewHolder {
  valid_from?: string | null;
  valid_to?: string | null;
  name: string;
  kind?: HolderKind;
  unit?: string;
  site: string;
  id?: string | null;
}

export interface NewSchedule {
  name: Text;
  windows: WindowBody[];
  days?: DayBody[];
  site: string;
  id?: string | null;
}

/** A fault that a person reports. `title`: in one language as it was typed, or in both. */
export interface NewTicket {
  site: string;
  title: string | Text;
  asset?: string;
  place?: string;
  severity?: Severity;
  text?: string;
}

/** What a person says about an alarm: in own words, or by a code that is offered for it (`rules.quick_reasons`). */
export interface Note {
  note?: string;
  reason_code?: string | null;
}

/** What a person says about several alarms at once. */
export interface NoteOnEach {
  note?: string;
  reason_code?: string | null;
  ids: string[];
}

/** What to put into an authenticator app: the secret to type, or the address as a link or QR code. */
export interface Offer {
  secret: string;
  address: string;
}

/** One open session. `device`: what it was opened with, "" if it did not say. `this`: the one that asks. */
export interface OpenSession {
  id: string;
  device: string;
  address: string;
  opened_at: string;
  seen_at: string;
  this: boolean;
}

/** Sessions, the one used last first. */
export interface OpenSessions {
  items: OpenSession[];
}

/** What asks for attention at a site; null for what nobody knows, since its gateway never described it. `reported`: whether its gateway ever described it. `alarms`: those whose cause has not cleared, by severity. `denied`: entries refused since `denied_since`, the site's midnight. `as_of`: of a site with a gateway offline, when that was heard last: no number is newer. */
export interface Overview {
  site: string;
  reported: boolean;
  alarms: Record<Severity, number> | null;
  tickets: number;
  doors_open: number | null;
  denied: number | null;
  denied_since: string;
  gateways_offline: number | null;
  as_of: string | null;
}

/** One number of the overview: how it is called, what it counts exactly, and where the rows that it counted are. `rows`: the console's page and what it has to show; the site, and since when, come to it. */
export interface OverviewNumber {
  key: "alarms" | "critical" | "tickets" | "doors_open" | "denied" | "gateways_offline";
  name: Text;
  definition: Text;
  rows: string;
}

/** A new password for oneself. */
export interface OwnPassword {
  current: string;
  password: string;
  code?: string;
}

/** What everybody may change of their own account. */
export interface OwnSettings {
  language: Language;
}

/** Somebody went through after a decision; `after` is the seq of that decision's event (None: an exit button). `after_stream`: the stream in which the decision was recorded, None before that was said (then its own stream). A fork may have moved either event since: the name stays that of its first place. */
export interface PassageMade {
  direction: "in" | "out";
  after?: number | null;
  after_stream?: string | null;
  credential?: Presented | null;
  holder?: string | null;
}

/** Somebody who did something, as they were then. */
export interface Person {
  id: string;
  name: string;
  role: string;
}

/** A PIN as it is typed. */
export interface Pin {
  value: string;
}

/** A camera's read. `confidence`: 0..1. `seen_at`: when its camera says that it was. `replayed`: it is not of now (stored by the camera while it had no network, queued, or sent again) and moved nothing; `reason` says why, where the gateway is new enough to say it. */
export interface PlateSeen {
  plate: string;
  camera: string;
  confidence: number;
  colour?: string;
  plate_id?: string;
  replayed?: boolean;
  seen_at?: string | null;
  picture?: string | null;
  reason?: Reason | null;
}

/** A point and its latest reading. `name` is null for a point that the site's layout does not describe. */
export interface Point {
  id: string;
  site: string;
  name: Text | null;
  type: "number" | "flag" | "label" | "text";
  unit: string;
  labels: Record<string, Text>;
  writable: boolean;
  value: number | boolean | string | null;
  quality: Quality;
  at: string | null;
}

/** A point, `device.point`. `type`: number, flag, label or text; `labels`: what each value of a label is called. `detail`: how other values are scaled, or a raw word: for whoever installs and repairs, not a measurement. */
export interface PointLayout {
  id: string;
  device: string;
  name: Text;
  type: "flag" | "label" | "number" | "text";
  unit: string;
  labels: Record<string, Text>;
  writable: boolean;
  detail: boolean;
}

/** Where a guard stands, and the doors and lanes that they answer for. */
export interface Post {
  id: string;
  site: string;
  name: Text;
  places: string[];
  version: number;
}

/** A post as it shall be. */
export interface PostBody {
  name: Text;
  places?: string[];
}

/** A credential as it was presented. */
export interface Presented {
  kind: CredentialKind;
  value: string;
}

/** The password once more; `code` if the account has a second factor. */
export interface Proof {
  password: string;
  code?: string;
}

/** One reading, or the value of one step that begins at `at`. */
export interface Read {
  at: string;
  value: number | boolean | string | null;
  quality: Quality;
}

/** Why something was decided: a code for machines, a sentence for people. */
export interface Reason {
  code: string;
  zh: string;
  en: string;
}

/** `records.read`: a person looked at personal data, `times` within a minute. `records`: how many answers held. `ids`: of single ones that were asked for by name, the first of them. */
export interface RecordsRead {
  by: Person;
  what: "blocks" | "changes" | "credentials" | "export" | "holders" | "pictures" | "pin";
  times: number;
  records: number;
  ids?: string[];
  address?: string;
}

/** Codes that stand in for the app, each once. Shown this one time. */
export interface RecoveryCodes {
  codes: string[];
}

/** Why something was not done, of several that were asked for at once. */
export interface Refused {
  code: string;
  message: Text;
}

/** `request.refused`: a signed-in person asked for what is not theirs, `times` within a minute. `request`: method and route, without what was asked for. */
export interface RequestRefused {
  by: Person;
  request: string;
  times: number;
  address?: string;
}

/** What is held is to be forgotten: a snapshot follows. */
export interface Reset {
  why: string;
}

/** What became of a command. `why`: of one that was not carried out. */
export interface Result {
  at: string;
  why: Text | null;
}

/** A schedule. */
export interface Schedule {
  name: Text;
  windows: WindowBody[];
  days?: DayBody[];
  id: string;
  site: string;
  changed_at: string;
  version: number;
}

/** When something holds, in the site's time. */
export interface ScheduleBody {
  name: Text;
  windows: WindowBody[];
  days?: DayBody[];
}

/** The sealed account, told this once. */
export interface SealedAccount {
  username: string;
  password: string;
}

/** How one's second factor stands. `recovery_left`: recovery codes that were not used. */
export interface SecondFactor {
  on: boolean;
  since: string | null;
  recovery_left: number;
}

/** Readings of one point. `step`: seconds; `next`: the `from` of the page after it. */
export interface Series {
  id: string;
  site: string;
  unit: string;
  step: number | null;
  agg: Aggregate | null;
  items: Read[];
  next: string | null;
}

/** A session: its token (only in the answer that opened it) and whose it is. `weak_password`: the password it was opened with would not be taken as a new one; it should be changed. `can`: what they may do at this server. */
export interface Session {
  token: string | null;
  user: User;
  weak_password: boolean;
  can: Ability[];
}

/** For how long it shall be silent (seconds), and why. */
export interface Shelving {
  note?: string;
  reason_code?: string | null;
  for_s: number;
}

/** The same of shelving them. */
export interface ShelvingOfEach {
  note?: string;
  reason_code?: string | null;
  for_s: number;
  ids: string[];
}

/** A user name and a password; `code` if the account has a second factor. */
export interface SignIn {
  username: string;
  password: string;
  code?: string;
}

/** A site in a list. `described`: whether its gateway has said what it consists of. */
export interface Site {
  id: string;
  name: Text;
  timezone: string;
  described: boolean;
  posts: Post[];
}

/** `site.described`: the whole site, sent when its file's fingerprint changed. Times of day are in `timezone`. */
export interface SiteLayout {
  site: string;
  gateway: string;
  name: Text;
  timezone: string;
  fingerprint: string;
  doors: DoorLayout[];
  lanes: LaneLayout[];
  devices: DeviceLayout[];
  points: PointLayout[];
  zones: ZoneLayout[];
  meters: MeterLayout[];
}

/** Everything that a screen starts from, as of one moment. */
export interface Snapshot {
  as_of: string;
  doors: Door[];
  lanes: Lane[];
  alarms: Alarm[];
  tickets: Ticket[];
  gateways: Gateway[];
  events: Event[];
}

/** The car that stands before a barrier now. `plate`: null if it was not read. `outcome`: of its decision, if any. `stream`, `seq`: the event by which it stands there, null until that is recorded. */
export interface StandingCar {
  plate: string | null;
  read_at: string | null;
  picture: string | null;
  stream: string | null;
  seq: number | null;
  outcome: "granted" | "denied" | null;
  holder: string | null;
  blocked: boolean;
}

/** `session`: null where nobody is signed in; then there are no sites. `layouts`: of the first sites. */
export interface Start {
  about: About;
  session: Session | null;
  sites: Site[];
  layouts: ({ site: string; gateway: string; name: { zh: string; en: string }; timezone: string; fingerprint: string; doors: ({ id: string; name: { zh: string; en: string }; place: { zh: string; en: string } | null; readers: string[]; zones: string[]; modes_end: boolean })[]; lanes: ({ id: string; name: { zh: string; en: string }; direction: "in" | "out"; camera: string; can_close: boolean; place: { zh: string; en: string } | null; zones: string[]; monitored: boolean })[]; devices: ({ id: string; name: { zh: string; en: string }; kind: string; profile: string; bus: string; place: { zh: string; en: string } | null })[]; points: ({ id: string; device: string; name: { zh: string; en: string }; type: "flag" | "label" | "number" | "text"; unit: string; labels: Record<string, { zh: string; en: string }>; writable: boolean; detail: boolean })[]; zones: { id: string; name: { zh: string; en: string } }[]; meters: { id: string; name: { zh: string; en: string }; point: string; register: string; meter_no: string }[] })[];
}

/** What a person says with a step; `text` may be called `note`, as with alarms. `found`, `done`: what finished work says of the cause and the cure. `assignee`: the account that shall take it, if not oneself (managers only). `holder`: the account that is known to have it; who does not say so passes over nobody. */
export interface StepBody {
  text?: string;
  found?: string;
  done?: string;
  assignee?: string | null;
  holder?: string;
}

/** One step of several tickets. Whoever has one is not passed over by it: that is asked of each alone. */
export interface StepOfEach {
  ids: string[];
  step: "take" | "comment" | "finish";
  text?: string;
  found?: string;
  done?: string;
}

/** The event that a command is about, by the place where it was first recorded. */
export interface Subject {
  stream: string;
  seq: number;
}

/** An entry of the history, by its place in a stream. */
export interface SubjectBody {
  stream: string;
  seq: number;
}

/** A text in both languages. */
export interface Text {
  zh: string;
  en: string;
}

/** A ticket. `number`: the hub's to give. `state`: a gateway, which hears of no step, knows `raised` and, once the alarm is over, `cleared`. `recovered_at`: since when the device is well. `history`: (point, Unix ms, value) around the newest fault, in lists its end; `first_history`: around the first, of one that came again, not in lists. `can`: the steps that whoever sees it may take now. */
export interface Ticket {
  id: string;
  site: string;
  number: number | null;
  alarm: string | null;
  asset: string;
  cause: string;
  severity: Severity;
  title: Text;
  response: Text | null;
  place: string;
  state: TicketState | "cleared";
  assignee: Person | null;
  raised_at: string;
  updated_at: string;
  closed_at: string | null;
  recovered_at: string | null;
  count: number;
  history: [string, number, number | boolean | string | null][];
  first_history: [string, number, number | boolean | string | null][] | null;
  steps: TicketStep[];
  can: Step[];
}

/** What became of one ticket of several: the ticket after the step, or why it was not taken. */
export interface TicketAsked {
  id: string;
  ticket: Ticket | null;
  refused: Refused | null;
}

/** Something that happened to a ticket: opened, folded, taken, taken_over, commented, finished, accepted, closed, reopened. `was`, `to`: who had it until then and who has it since, where it passed from one to another. */
export interface TicketStep {
  at: string;
  by: Person | null;
  step: string;
  text: string;
  was: Person | null;
  to: Person | null;
}

/** What became of each, in the order in which they were named. */
export interface TicketsAsked {
  items: TicketAsked[];
}

/** A signed-in person. `sites`: site ids, or `["*"]` for every site. */
export interface User {
  id: string;
  username: string;
  name: string;
  role: Role;
  language: Language;
  sites: string[];
}

/** What a gateway holds: software, revision of the desired state, fingerprint of its site file. `reads`: the highest version of what the hub says that it reads. The hub speaks to each gateway accordingly. */
export interface Versions {
  software: string;
  desired: number;
  site_file: string;
  reads: number;
}

/** Hours of a day. `days`: 1 = Monday. `until` before `since` runs past midnight. */
export interface WindowBody {
  days: number[];
  since: string;
  until: string;
}

/** One wire of the site, with what was counted on it since the start. `silent`: devices that do not answer. */
export interface Wire {
  id: string;
  site: string;
  kind: string;
  connected: boolean;
  devices: string[];
  silent: string[];
  crashes: number;
  exchanges: number;
  timeouts: number;
  refused: number;
  reconnects: number;
  late: number;
  overruns: number;
  missed: number;
}

/** A part of the site that grants may name. */
export interface ZoneLayout {
  id: string;
  name: Text;
}

/** `looked_to`: nothing older than that was looked at, where more was there to read than one request reads. */
export interface _EntriesPage {
  items: Entry[];
  next: string | number | null;
  looked_to: string | null;
}
