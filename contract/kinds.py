"""The data of every event kind that both sides know. Kinds that are not here are carried and stored all the same.

`KINDS` is the register: kind → data type, in three parts by who may say it.
"""

from __future__ import annotations

from typing import get_args

import msgspec

from contract import standing
from contract.errors import Malformed
from contract.facts.alarms import (
    AlarmAcknowledged,
    AlarmCleared,
    AlarmForgotten,
    AlarmRaised,
    AlarmShelved,
    AlarmUnshelved,
    TicketMoved,
    TicketPassed,
    TicketRaised,
)
from contract.facts.entry import (
    Access,
    BarrierMoved,
    CarArrived,
    CarLeft,
    DoorModeSet,
    DoorMoved,
    DoorReleased,
    HitAcknowledged,
    PassageMade,
    PlateSeen,
)
from contract.facts.gateway import (
    BreakGlassRenewed,
    ClockCorrected,
    ClockDoubted,
    ClockTrusted,
    CommandResult,
    DesiredApplied,
    Empty,
    GatewayStarted,
    JournalDamaged,
    JournalLost,
    RecordingStalled,
    StreamForked,
)
from contract.facts.hub import (
    BatchRefused,
    ChangedKind,
    CommandAsked,
    DataPruned,
    EventRefused,
    GatewaySeen,
    ProjectionFailed,
    RecordChanged,
)
from contract.facts.machines import DeviceFound, DeviceLost, InputRefused, MeterExchanged, MeterRead, ReadingsDropped
from contract.facts.people import (
    AccountLocked,
    RecordsRead,
    RequestRefused,
    SessionOpened,
    SessionRefused,
    WritesRefused,
)
from contract.layout import SiteLayout
from contract.limits import (
    EVENT_BYTES,
    LAYOUT_EVENT_BYTES,
    WIDE_EVENT_BYTES,
)

# Who may say what. A kind stands in one of these three, and nowhere else.

OF_GATEWAYS: dict[str, type[msgspec.Struct]] = {
    "access.granted": Access,
    "access.denied": Access,
    "passage.made": PassageMade,
    "plate.seen": PlateSeen,
    "car.arrived": CarArrived,
    "car.left": CarLeft,
    "hit.acknowledged": HitAcknowledged,
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
    "ticket.taken_over": TicketPassed,
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
