"""The data of every event kind that both sides know. Kinds that are not here are carried and stored all the same.

`KINDS` is the register: kind → data type. What a gateway records and what the hub itself records share it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract import standing
from contract.commands import Person
from contract.desired import CredentialKind
from contract.errors import Malformed
from contract.events import StreamId
from contract.instants import Instant
from contract.layout import SiteLayout
from contract.readings import Value
from contract.texts import Reason, Text

Severity = standing.Severity
Direction = Literal["in", "out"]
OpenedBy = Literal["decision", "command", "free", "unknown"]


class Presented(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as it was presented."""

    kind: CredentialKind
    value: str


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """`access.granted`, `access.denied`, at doors and lanes alike. `revision`: of the desired state that decided.

    `rule` names what decided: a grant's id, `block:<id>`, `visitor`, `mode:<mode>`, `unknown`, …
    `picture`: id of a stored picture, if there is one.
    """

    credential: Presented
    holder: str | None
    rule: str
    revision: int
    reason: Reason
    direction: Direction = "in"
    reader: str = ""
    picture: str | None = None


class PassageMade(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody went through after a decision; `after` is the seq of that decision's event (None: an exit button).

    `after_stream`: the stream in which the decision was recorded, None before that was said (then its own stream). A
    fork may have moved either event since: the name stays that of its first place.
    """

    direction: Direction
    after: int | None = None
    after_stream: StreamId | None = None
    credential: Presented | None = None
    holder: str | None = None


class PlateSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's read. `confidence`: 0..1. `seen_at`: when its camera says that it was.

    `replayed`: it is not of now (stored by the camera while it had no network, queued, or sent again) and moved
    nothing; `reason` says why, where the gateway is new enough to say it.
    """

    plate: str
    camera: str
    confidence: float
    colour: str = ""
    plate_id: str = ""
    replayed: bool = False
    seen_at: Instant | None = None
    picture: str | None = None
    reason: Reason | None = None


class BarrierMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`barrier.opened`, `barrier.closed`: the barrier reached that end."""

    by: OpenedBy
    command: str | None = None


class DoorMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`door.opened`, `door.closed`: the contact says so."""

    by: OpenedBy | Literal["exit"]


class DoorReleased(msgspec.Struct, frozen=True, kw_only=True):
    """`door.released`: the lock was let go for `for_s` seconds by something other than a credential."""

    by: Literal["command", "exit"]
    for_s: float
    command: str | None = None


class DoorModeSet(msgspec.Struct, frozen=True, kw_only=True):
    """`door.mode_set`."""

    mode: Literal["normal", "unlocked", "locked"]
    by: str


class AlarmRaised(msgspec.Struct, frozen=True, kw_only=True):
    """One episode of one cause begins. `alarm`: its UUID. `values`: the points that the rule looked at."""

    alarm: str
    rule: str
    severity: Severity
    message: Text
    asset: str = ""
    response: Text | None = None
    values: dict[str, Value] = {}


class AlarmCleared(msgspec.Struct, frozen=True, kw_only=True):
    """The device itself is back to normal."""

    alarm: str
    rule: str
    values: dict[str, Value] = {}


class AlarmAcknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """A person has seen it."""

    alarm: str
    by: Person
    note: str = ""
    command: str | None = None


class AlarmShelved(msgspec.Struct, frozen=True, kw_only=True):
    """Silenced until `until`, then it returns by itself."""

    alarm: str
    by: Person
    until: Instant
    note: str = ""
    command: str | None = None


class AlarmUnshelved(msgspec.Struct, frozen=True, kw_only=True):
    """The shelf time ended, or a person ended it."""

    alarm: str
    by: Person | None = None


class TicketRaised(msgspec.Struct, frozen=True, kw_only=True):
    """A fault asks for work. `ticket`: its UUID, one per alarm episode.

    `history`: (point, Unix ms, value) of the last 10 minutes.
    """

    ticket: str
    alarm: str
    cause: str
    asset: str
    severity: Severity
    title: Text
    place: str = ""
    response: Text | None = None
    history: list[tuple[str, int, Value]] = []


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """`command.done`, `command.failed`, `command.expired`."""

    command: str
    kind: str
    target: str
    by: Person
    reason: str
    why: Text | None = None


class DeviceLost(msgspec.Struct, frozen=True, kw_only=True):
    """A device stopped answering."""

    device: str
    bus: str
    why: str


class DeviceFound(msgspec.Struct, frozen=True, kw_only=True):
    """A device answers (again). `after_s`: how long it was away, None at first sight."""

    device: str
    bus: str
    after_s: float | None = None


class MeterRead(msgspec.Struct, frozen=True, kw_only=True):
    """A register that money hangs on. `meter_no`: the meter's own number. `asked`: on demand, not by the clock.

    `rolls_over`: the value at which the register begins again, None if nobody knows. `clock_error_s`: how far the
    meter's own clock is ahead of the gateway's, None if it has none. `begins`: the count begins anew here, as the
    transformers' ratio is another one than at the reading before: what lies between the two is no usage.
    """

    register: str
    value: float
    unit: str
    meter_no: str
    asked: bool = False
    rolls_over: float | None = None
    clock_error_s: float | None = None
    begins: bool = False


class MeterExchanged(msgspec.Struct, frozen=True, kw_only=True):
    """Another meter counts at this place: the last value of the old one, the first of the new one."""

    register: str
    unit: str
    old_no: str
    old_value: float
    new_no: str
    new_value: float


class ReadingsDropped(msgspec.Struct, frozen=True, kw_only=True):
    """The disk quota made the gateway drop readings that the hub never had."""

    first_seq: int
    last_seq: int
    count: int


class GatewayStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's process began."""

    software: str
    site_file: str
    clock: Literal["ok", "doubtful"]


class StreamForked(msgspec.Struct, frozen=True, kw_only=True):
    """First event of a stream that goes on from another: `agreed` events of the old one are shared with the hub.

    `moved`: how many of those after them follow here; `missing`: how many can no longer be read anywhere. None where
    an older gateway did not say.
    """

    old_stream: str
    agreed: int
    why: str
    moved: int | None = None
    missing: int | None = None


class JournalDamaged(msgspec.Struct, frozen=True, kw_only=True):
    """The journal's file was damaged, kept aside as `kept` and begun anew with what was readable.

    `saved`: events that were not acknowledged and go on; `missing`: known to have been among them, not readable.
    """

    kept: str
    why: str
    saved: int
    missing: int


class JournalLost(msgspec.Struct, frozen=True, kw_only=True):
    """`journal.lost`: a gateway goes on with a `stream` that does not follow from the one `before`.

    What it had recorded beyond the `held` events of that one, and its alarms' memory, are gone with its journal.
    """

    gateway: str
    stream: str
    before: str
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

    why: str
    waited: int
    dropped: int = 0


class InputRefused(msgspec.Struct, frozen=True, kw_only=True):
    """Something from outside could not be understood. At most one event a minute and wire; `count` since the last."""

    wire: str
    why: str
    count: int
    sample: str = ""


class Empty(msgspec.Struct, frozen=True, kw_only=True):
    """A kind that says all by its name."""


class SessionOpened(msgspec.Struct, frozen=True, kw_only=True):
    """`session.opened`, `session.closed`: a person signed in or out."""

    username: str
    role: str
    address: str = ""


class SessionRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in failed."""

    username: str
    address: str = ""
    why: str = ""


class AlarmForgotten(msgspec.Struct, frozen=True, kw_only=True):
    """`alarm.forgotten`: the hub closed an alarm that its gateway does not know any more."""

    alarm: str
    rule: str
    why: Text


class TicketMoved(msgspec.Struct, frozen=True, kw_only=True):
    """`ticket.opened|folded|taken|commented|finished|accepted|closed|reopened`: a step of a ticket at the hub."""

    ticket: str
    state: str
    by: Person | None = None
    text: str = ""
    alarm: str | None = None


class CommandAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A person asked for something at the hub."""

    command: str
    kind: str
    target: str
    by: Person
    reason: str


class GatewaySeen(msgspec.Struct, frozen=True, kw_only=True):
    """`gateway.lost`, `gateway.found`."""

    gateway: str
    backlog: int = 0


class RecordChanged(msgspec.Struct, frozen=True, kw_only=True):
    """`holder|credential|grant|schedule|block|account.changed`: a person changed what the hub holds."""

    id: str
    by: Person
    change: Literal["created", "updated", "removed"]
    fields: Annotated[list[str], msgspec.Meta(max_length=50)] = []


class ProjectionFailed(msgspec.Struct, frozen=True, kw_only=True):
    """An event was stored but could not be projected."""

    event: int
    kind: str
    why: str


class BatchRefused(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway sent was refused for good: unknown version, malformed, or a chain that contradicts itself."""

    gateway: str
    why: str
    sample: str = ""


KINDS: dict[str, type[msgspec.Struct]] = {
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
    "alarm.raised": AlarmRaised,
    "alarm.cleared": AlarmCleared,
    "alarm.acknowledged": AlarmAcknowledged,
    "alarm.shelved": AlarmShelved,
    "alarm.unshelved": AlarmUnshelved,
    "ticket.raised": TicketRaised,
    "alarms.stated": standing.AlarmsStated,
    "places.stated": standing.PlacesStated,
    "command.done": CommandResult,
    "command.failed": CommandResult,
    "command.expired": CommandResult,
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
    # Of the hub's own stream
    "session.opened": SessionOpened,
    "session.closed": SessionOpened,
    "session.refused": SessionRefused,
    "alarm.forgotten": AlarmForgotten,
    "ticket.opened": TicketMoved,
    "ticket.folded": TicketMoved,
    "ticket.taken": TicketMoved,
    "ticket.commented": TicketMoved,
    "ticket.finished": TicketMoved,
    "ticket.accepted": TicketMoved,
    "ticket.closed": TicketMoved,
    "ticket.reopened": TicketMoved,
    "command.asked": CommandAsked,
    "gateway.lost": GatewaySeen,
    "gateway.found": GatewaySeen,
    "journal.lost": JournalLost,
    "holder.changed": RecordChanged,
    "credential.changed": RecordChanged,
    "grant.changed": RecordChanged,
    "schedule.changed": RecordChanged,
    "block.changed": RecordChanged,
    "account.changed": RecordChanged,
    "projection.failed": ProjectionFailed,
    "batch.refused": BatchRefused,
}

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
