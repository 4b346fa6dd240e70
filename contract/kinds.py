"""The data of every event kind that both sides know. Kinds that are not here are carried and stored all the same.

`KINDS` is the register: kind → data type, in three parts by who may say it.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import msgspec

from contract import standing
from contract.commands import Person
from contract.desired import CredentialKind
from contract.errors import Malformed
from contract.events import Hash, StreamId
from contract.instants import Instant
from contract.layout import SiteLayout
from contract.limits import (
    BATCH_LIMIT,
    EVENT_BYTES,
    LAYOUT_EVENT_BYTES,
    WIDE_EVENT_BYTES,
    Few,
    Id,
    Many,
    Several,
    Words,
)
from contract.readings import Value
from contract.texts import Reason, Text

Severity = standing.Severity
Direction = Literal["in", "out"]
OpenedBy = Literal["decision", "command", "free", "unknown"]


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as it was presented."""

    kind: CredentialKind
    value: Words


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """`access.granted`, `access.denied`, at doors and lanes alike. `revision`: of the desired state that decided.

    `rule` names what decided: a grant's id, `block:<id>`, `visitor`, `mode:<mode>`, `unknown`, …
    `picture`: id of a stored picture, if there is one.
    """

    credential: Presented
    holder: Id | None
    rule: Id
    revision: int
    reason: Reason
    direction: Direction = "in"
    reader: Id = ""
    picture: Id | None = None


class PassageMade(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody went through after a decision; `after` is the seq of that decision's event (None: an exit button).

    `after_stream`: the stream in which the decision was recorded, None before that was said (then its own stream). A
    fork may have moved either event since: the name stays that of its first place.
    """

    direction: Direction
    after: int | None = None
    after_stream: StreamId | None = None
    credential: Presented | None = None
    holder: Id | None = None


class PlateSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's read. `confidence`: 0..1. `seen_at`: when its camera says that it was.

    `replayed`: it is not of now (stored by the camera while it had no network, queued, or sent again) and moved
    nothing; `reason` says why, where the gateway is new enough to say it.
    """

    plate: Id
    camera: Id
    confidence: float
    colour: Id = ""
    plate_id: Id = ""
    replayed: bool = False
    seen_at: Instant | None = None
    picture: Id | None = None
    reason: Reason | None = None


class BarrierMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`barrier.opened`, `barrier.closed`: the barrier reached that end."""

    by: OpenedBy
    command: Id | None = None


class DoorMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`door.opened`, `door.closed`: the contact says so."""

    by: OpenedBy | Literal["exit"]


class DoorReleased(msgspec.Struct, frozen=True, kw_only=True):
    """`door.released`: the lock was let go for `for_s` seconds by something other than a credential."""

    by: Literal["command", "exit"]
    for_s: float
    command: Id | None = None


class DoorModeSet(msgspec.Struct, frozen=True, kw_only=True):
    """`door.mode_set`."""

    mode: Literal["normal", "unlocked", "locked"]
    by: Words


class AlarmRaised(msgspec.Struct, frozen=True, kw_only=True):
    """One episode of one cause begins. `alarm`: its UUID. `values`: the points that the rule looked at."""

    alarm: Id
    rule: Id
    severity: Severity
    message: Text
    asset: Id = ""
    response: Text | None = None
    values: Annotated[dict[Id, Value], Several] = {}


class AlarmCleared(msgspec.Struct, frozen=True, kw_only=True):
    """The device itself is back to normal."""

    alarm: Id
    rule: Id
    values: Annotated[dict[Id, Value], Several] = {}


class AlarmAcknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """A person has seen it."""

    alarm: Id
    by: Person
    note: Words = ""
    command: Id | None = None


class AlarmShelved(msgspec.Struct, frozen=True, kw_only=True):
    """Silenced until `until`, then it returns by itself."""

    alarm: Id
    by: Person
    until: Instant
    note: Words = ""
    command: Id | None = None


class AlarmUnshelved(msgspec.Struct, frozen=True, kw_only=True):
    """The shelf time ended, or a person ended it."""

    alarm: Id
    by: Person | None = None


class TicketRaised(msgspec.Struct, frozen=True, kw_only=True):
    """A fault asks for work. `ticket`: its UUID, one per alarm episode.

    `history`: (point, Unix ms, value) of the last 10 minutes.
    """

    ticket: Id
    alarm: Id
    cause: Id
    asset: Id
    severity: Severity
    title: Text
    place: Words = ""
    response: Text | None = None
    history: Annotated[list[tuple[Id, int, Value]], Many] = []


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """`command.done`, `command.failed`, `command.expired`."""

    command: Id
    kind: Id
    target: Id
    by: Person
    reason: Words
    why: Text | None = None


class DeviceLost(msgspec.Struct, frozen=True, kw_only=True):
    """A device stopped answering."""

    device: Id
    bus: Id
    why: Words


class DeviceFound(msgspec.Struct, frozen=True, kw_only=True):
    """A device answers (again). `after_s`: how long it was away, None at first sight."""

    device: Id
    bus: Id
    after_s: float | None = None


class MeterRead(msgspec.Struct, frozen=True, kw_only=True):
    """A register that money hangs on. `meter_no`: the meter's own number. `asked`: on demand, not by the clock.

    `rolls_over`: the value at which the register begins again, None if nobody knows. `clock_error_s`: how far the
    meter's own clock is ahead of the gateway's, None if it has none. `begins`: the count begins anew here, as the
    transformers' ratio is another one than at the reading before: what lies between the two is no usage.
    """

    register: Id
    value: float
    unit: Id
    meter_no: Id
    asked: bool = False
    rolls_over: float | None = None
    clock_error_s: float | None = None
    begins: bool = False


class MeterExchanged(msgspec.Struct, frozen=True, kw_only=True):
    """Another meter counts at this place: the last value of the old one, the first of the new one."""

    register: Id
    unit: Id
    old_no: Id
    old_value: float
    new_no: Id
    new_value: float


class ReadingsDropped(msgspec.Struct, frozen=True, kw_only=True):
    """The disk quota made the gateway drop readings that the hub never had."""

    first_seq: int
    last_seq: int
    count: int


class GatewayStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's process began."""

    software: Id
    site_file: Id
    clock: Literal["ok", "doubtful"]


class StreamForked(msgspec.Struct, frozen=True, kw_only=True):
    """First event of a stream that goes on from another: `agreed` events of the old one are shared with the hub.

    `moved`: how many of those after them follow here; `missing`: how many can no longer be read anywhere. None where
    an older gateway did not say.
    """

    old_stream: Id
    agreed: int
    why: Words
    moved: int | None = None
    missing: int | None = None


class JournalDamaged(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's file was damaged, kept aside as `kept` and begun anew with what was readable.

    `saved`: events that were not acknowledged and go on; `missing`: known to have been among them, not readable.
    """

    kept: Words
    why: Words
    saved: int
    missing: int


class JournalLost(msgspec.Struct, frozen=True, kw_only=True):
    """`journal.lost`: a gateway goes on with a `stream` that does not follow from the one `before`.

    What it had recorded beyond the `held` events of that one, and its alarms' memory, are gone with its journal.
    """

    gateway: Id
    stream: Id
    before: Id
    held: int


class DesiredApplied(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway now decides by this revision."""

    revision: int
    items: int


class ClockDoubted(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's wall clock stood before the journal's last instant, or leapt; time goes on from there."""

    last_known: Instant
    wall: Instant


class ClockTrusted(msgspec.Struct, frozen=True, kw_only=True):
    """The time is known again."""

    wall: Instant


class ClockCorrected(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's time was `since` and is `now`: events before this one may claim to be later than those after it."""

    since: Instant
    now: Instant


class RecordingStalled(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's disk failed or hung; events waited in memory. Recorded when it is back."""

    why: Words
    waited: int
    dropped: int = 0


class InputRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Something from outside could not be understood. At most one event a minute and wire; `count` since the last."""

    wire: Id
    why: Words
    count: int
    sample: Words = ""


class Empty(msgspec.Struct, frozen=True, kw_only=True):
    """A kind that says all by its name."""


class SessionOpened(msgspec.Struct, frozen=True, kw_only=True):
    """`session.opened`, `session.closed`: a person signed in or out. `by`: who ended it, if it was no sign-out.

    `device`: what it was opened with, in words.
    """

    username: Id
    role: Id
    address: Id = ""
    device: Id = ""
    by: Person | None = None


class SessionRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in failed."""

    username: Id
    address: Id = ""
    why: Words = ""


class AccountLocked(msgspec.Struct, frozen=True, kw_only=True):
    """`account.locked`, `account.unlocked`: an account may not sign in at this gateway (again). `lock`: its UUID.

    `by` is None where the hub's word lifted it.
    """

    lock: Id
    account: Id
    username: Id
    by: Person | None = None
    reason: Words = ""


class BreakGlassRenewed(msgspec.Struct, frozen=True, kw_only=True):
    """`break_glass.renewed`: the gateway's sealed account has another password. `by` is None if it was made with a
    command on the gateway's own machine, or before this was recorded."""

    made_at: Instant
    by: Person | None = None


class WritesRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in person asked for more than `share` changes of a noun in a minute. At most one event a minute."""

    by: Person
    noun: Id
    share: int
    address: Id = ""


class AlarmForgotten(msgspec.Struct, frozen=True, kw_only=True):
    """`alarm.forgotten`: the hub closed an alarm that its gateway does not know any more."""

    alarm: Id
    rule: Id
    why: Text


class TicketMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`ticket.opened|folded|taken|commented|finished|accepted|closed|reopened`: a step of a ticket at the hub."""

    ticket: Id
    state: Id
    by: Person | None = None
    text: Words = ""
    alarm: Id | None = None


class CommandAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A person asked for something at the hub."""

    command: Id
    kind: Id
    target: Id
    by: Person
    reason: Words


class GatewaySeen(msgspec.Struct, frozen=True, kw_only=True):
    """`gateway.lost`, `gateway.found`."""

    gateway: Id
    backlog: int = 0


ChangedKind = Literal["holder", "credential", "grant", "schedule", "block", "account", "company", "site", "post"]
"""What people edit at the hub."""


class RecordChanged(msgspec.Struct, frozen=True, kw_only=True):
    """`<kind>.changed`: a person changed what the hub holds. `kind`: one of `ChangedKind`.

    `digest`: SHA-256 of the values before and after, with a salt; they lie outside the chain, where they can be erased.
    Empty where an older hub recorded none.
    """

    id: Id
    by: Person
    change: Literal["created", "updated", "removed"]
    fields: Annotated[list[Id], Few] = []
    digest: Id = ""


class DataPruned(msgspec.Struct, frozen=True, kw_only=True):
    """`data.pruned`: what was kept long enough is gone. `what`: pictures, changes, numbers (plates and card numbers in
    the history); of before then. `digest`: SHA-256 of what stands in the place of numbers.
    """

    what: Id
    before: Instant
    count: int
    digest: Id = ""


ReadWhat = Literal["pin", "holders", "credentials", "blocks", "pictures", "changes", "export"]
"""Personal data that is looked at: `pin`, that somebody had one shown; `export`, that a file was made."""


class RecordsRead(msgspec.Struct, frozen=True, kw_only=True):
    """`records.read`: a person looked at personal data, `times` within a minute. `records`: how many answers held.

    `ids`: of single ones that were asked for by name, the first of them.
    """

    by: Person
    what: ReadWhat
    times: int
    records: int
    ids: Annotated[list[Id], msgspec.Meta(max_length=50)] = []
    address: Id = ""


class RequestRefused(msgspec.Struct, frozen=True, kw_only=True):
    """`request.refused`: a signed-in person asked for what is not theirs, `times` within a minute.

    `request`: method and route, without what was asked for.
    """

    by: Person
    request: Words
    times: int
    address: Id = ""


class ProjectionFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An event was stored but could not be projected."""

    event: int
    kind: Id
    why: Words


class BatchRefused(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway sent was refused for good: unknown version, malformed, or a chain that contradicts itself."""

    gateway: Id
    why: Words
    sample: Words = ""


class RefusedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was not taken in: its place, what it claimed to be, and its hash, by which its chain goes on."""

    seq: int
    kind: Id
    hash: Hash


class EventRefused(msgspec.Struct, frozen=True, kw_only=True):
    """`event.refused`: of what a gateway sent, `events` stand in no history: `why`. Its stream goes on past them."""

    gateway: Id
    stream: StreamId
    why: Words
    events: Annotated[list[RefusedEvent], msgspec.Meta(max_length=BATCH_LIMIT)]
    sample: Words = ""


# Who may say what. A kind stands in one of these three, and nowhere else.

OF_GATEWAYS: dict[str, type[msgspec.Struct]] = {
    "access.granted": Access,
    "access.denied": Access,
    "passage.made": PassageMade,
    "plate.seen": PlateSeen,
    "barrier.opened": BarrierMoved,
    "barrier.closed": BarrierMoved,
    "door.opened": DoorMoved,
    "door.closed": DoorMoved,
    "door.released": DoorReleased,
    "door.mode_set": DoorModeSet,
    "ticket.raised": TicketRaised,
    "alarms.stated": standing.AlarmsStated,
    "places.stated": standing.PlacesStated,
    "command.failed": CommandResult,
    "device.lost": DeviceLost,
    "device.found": DeviceFound,
    "meter.read": MeterRead,
    "meter.exchanged": MeterExchanged,
    "readings.dropped": ReadingsDropped,
    "gateway.started": GatewayStarted,
    "site.described": SiteLayout,
    "gateway.stopped": Empty,
    "stream.forked": StreamForked,
    "journal.damaged": JournalDamaged,
    "desired.applied": DesiredApplied,
    "clock.doubted": ClockDoubted,
    "clock.trusted": ClockTrusted,
    "clock.corrected": ClockCorrected,
    "recording.stalled": RecordingStalled,
    "input.refused": InputRefused,
    "account.locked": AccountLocked,
    "account.unlocked": AccountLocked,
    "break_glass.renewed": BreakGlassRenewed,
}
"""What happens at a site: only its gateway knows."""

OF_THE_HUB: dict[str, type[msgspec.Struct]] = {
    "alarm.forgotten": AlarmForgotten,
    "ticket.opened": TicketMoved,
    "ticket.folded": TicketMoved,
    "ticket.taken": TicketMoved,
    "ticket.commented": TicketMoved,
    "ticket.finished": TicketMoved,
    "ticket.accepted": TicketMoved,
    "ticket.closed": TicketMoved,
    "ticket.reopened": TicketMoved,
    "gateway.lost": GatewaySeen,
    "gateway.found": GatewaySeen,
    "journal.lost": JournalLost,
    **{f"{kind}.changed": RecordChanged for kind in get_args(ChangedKind)},
    "data.pruned": DataPruned,
    "projection.failed": ProjectionFailed,
    "batch.refused": BatchRefused,
    "event.refused": EventRefused,
}
"""What people and the hub itself do there: only the hub knows. From a gateway it is refused."""

OF_BOTH: dict[str, type[msgspec.Struct]] = {
    "writes.refused": WritesRefused,
    "records.read": RecordsRead,
    "request.refused": RequestRefused,
    "alarm.raised": AlarmRaised,
    "alarm.cleared": AlarmCleared,
    "alarm.acknowledged": AlarmAcknowledged,
    "alarm.shelved": AlarmShelved,
    "alarm.unshelved": AlarmUnshelved,
    "command.asked": CommandAsked,
    "command.done": CommandResult,
    "command.expired": CommandResult,
    "session.opened": SessionOpened,
    "session.closed": SessionOpened,
    "session.refused": SessionRefused,
}
"""What happens at either place. Whose word it is stands in the event: a gateway's has a gateway."""

KINDS: dict[str, type[msgspec.Struct]] = OF_GATEWAYS | OF_THE_HUB | OF_BOTH

_LIMITS = {
    "site.described": LAYOUT_EVENT_BYTES,
    **dict.fromkeys(("alarms.stated", "places.stated", "ticket.raised", "event.refused"), WIDE_EVENT_BYTES),
}


def may_say(kind: str) -> bool:
    """Whether a gateway may say this. A kind that nobody knows here is a gateway's: the hub is upgraded first."""
    return kind not in OF_THE_HUB


def data_limit(kind: str) -> int:
    """Bytes of an event's data at the most."""
    return _LIMITS.get(kind, EVENT_BYTES)


_decoders = {kind: msgspec.json.Decoder(data) for kind, data in KINDS.items()}
_encoder = msgspec.json.Encoder()


def encode_data(data: msgspec.Struct) -> msgspec.Raw:
    """The JSON text of an event's data."""
    return msgspec.Raw(_encoder.encode(data))


def decode_data(kind: str, data: bytes | msgspec.Raw) -> msgspec.Struct | None:
    """The typed data of a known kind, None for an unknown kind; `Malformed` if it does not fit its kind."""
    decoder = _decoders.get(kind)
    if decoder is None:
        return None
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(f"data of {kind}: {error}", bytes(data)) from error
