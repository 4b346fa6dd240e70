"""Who sees what: of every kind of event, of every field in it, and of every thing that a screen shows. One table.

A `Sight` is what somebody has to be allowed to see; `SIGHTS` says which role sees which. `KIND_SIGHTS` names the sight
of each kind, `FIELD_SIGHTS` and `THING_SIGHTS` those of each field. History, live stream, pictures and exports of hub
and gateway ask here and nowhere else. What the table does not name only an administrator sees. Pure.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from contract import commands, layout, standing, texts
from contract.desired import Role
from contract.facts import alarms, entry, gateway, hub, machines, people
from contract.kinds import KINDS

Sight = Literal["site", "passing", "numbers", "accounts", "insides"]
"""`site`: what happens there. `passing`: who passed, by which plate, picture, end of a number. `numbers`: whole numbers
of cards and codes, which whoever walks by a guard's screen could copy. `accounts`: what colleagues do with their
accounts, what they read and were refused. `insides`: what helps those only who look after the servers."""

Sights = frozenset[Sight]

SIGHTS: Mapping[Role, Sights] = {
    "guard": frozenset({"site", "passing"}),
    "maintenance": frozenset({"site"}),
    "installer": frozenset({"site", "passing", "numbers"}),
    "manager": frozenset({"site", "passing", "numbers", "accounts"}),
    "admin": frozenset({"site", "passing", "numbers", "accounts", "insides"}),
}

HIDDEN = "••••"
"""Stands where a text is that somebody may not read; what may be missing is null instead."""

SHOWN = 4
"""Of a number whose end alone is shown: so many signs tell two of them apart."""

_EVERYTHING = frozenset(get_args(Sight))

KIND_SIGHTS: Mapping[str, Sight] = {
    **dict.fromkeys(
        (
            "access.granted", "access.denied", "passage.made", "plate.seen", "barrier.opened", "barrier.closed",
            "car.arrived", "car.left", "hit.acknowledged",
            "door.opened", "door.closed", "door.released", "door.mode_set", "alarm.raised", "alarm.cleared",
            "alarm.acknowledged", "alarm.shelved", "alarm.unshelved", "alarm.forgotten", "ticket.raised",
            "ticket.opened", "ticket.folded", "ticket.taken", "ticket.taken_over", "ticket.commented",
            "ticket.finished", "ticket.accepted", "ticket.closed", "ticket.reopened", "alarms.stated", "places.stated",
            "command.asked", "command.done", "command.failed", "command.expired", "device.lost", "device.found",
            "meter.read", "meter.exchanged", "readings.dropped", "gateway.started", "gateway.stopped", "gateway.lost",
            "gateway.found", "site.described", "stream.forked", "journal.damaged", "journal.lost", "desired.applied",
            "clock.doubted", "clock.trusted", "clock.corrected", "recording.stalled", "input.refused", "batch.refused",
            "projection.failed", "schedule.changed", "company.changed", "site.changed", "post.changed", "data.pruned",
            "event.refused",
        ),
        "site",
    ),
    **dict.fromkeys(("holder.changed", "credential.changed", "grant.changed", "block.changed"), "passing"),
    **dict.fromkeys(
        (
            "session.opened", "session.closed", "session.refused", "account.changed", "account.locked",
            "account.unlocked", "break_glass.renewed", "records.read", "request.refused", "writes.refused",
        ),
        "accounts",
    ),
    "job.changed": "insides",
}  # fmt: skip
"""Kind → who may know of it at all. Everybody sees what `accounts` says of themselves."""


class Fields(NamedTuple):
    """The fields of one shape by their sights, their names with blanks between."""

    site: str = ""
    passing: str = ""
    insides: str = ""
    numbers: str = ""

    def hidden_from(self, sights: Sights) -> tuple[str, ...]:
        """The names of the fields that these sights do not have."""
        named = zip(("site", "passing", "insides", "numbers"), self, strict=True)
        return tuple(name for sight, names in named if sight not in sights for name in names.split())

    def named(self) -> frozenset[str]:
        """Every field that is named."""
        return frozenset(" ".join(self).split())


_REGISTER = "register unit"

FIELD_SIGHTS: Mapping[type[msgspec.Struct], Fields] = {
    texts.Text: Fields("zh en"),
    texts.Reason: Fields("code zh en"),
    commands.Person: Fields("id name role"),
    entry.Presented: Fields("kind", numbers="value"),
    entry.Access: Fields("credential rule revision reason direction reader stands", passing="holder picture"),
    entry.PassageMade: Fields("direction after after_stream credential", passing="holder"),
    entry.PlateSeen: Fields("camera confidence replayed seen_at reason", passing="plate colour plate_id picture"),
    entry.CarArrived: Fields("reason outcome blocked", passing="plate holder picture"),
    entry.CarLeft: Fields("after after_stream watched", passing="plate"),
    entry.HitAcknowledged: Fields("by subject command"),
    commands.Subject: Fields("stream seq"),
    entry.BarrierMoved: Fields("by command"),
    entry.DoorMoved: Fields("by"),
    entry.DoorReleased: Fields("by for_s command"),
    entry.DoorModeSet: Fields("mode by until ended person"),
    alarms.AlarmRaised: Fields("alarm rule severity message asset response values"),
    alarms.AlarmCleared: Fields("alarm rule values"),
    alarms.AlarmAcknowledged: Fields("alarm by note command"),
    alarms.AlarmShelved: Fields("alarm by until note command"),
    alarms.AlarmUnshelved: Fields("alarm by"),
    alarms.AlarmForgotten: Fields("alarm rule why"),
    alarms.TicketRaised: Fields("ticket alarm cause asset severity title place response history"),
    alarms.TicketMoved: Fields("ticket state by text alarm"),
    alarms.TicketPassed: Fields("ticket state by was to text alarm"),
    hub.CommandAsked: Fields("command kind target by reason reason_code"),
    gateway.CommandResult: Fields(
        "command kind target by reason why reason_code subject", passing="plate picture despite"
    ),
    machines.DeviceLost: Fields("device bus why"),
    machines.DeviceFound: Fields("device bus after_s"),
    machines.MeterRead: Fields(f"{_REGISTER} value meter_no asked rolls_over clock_error_s begins"),
    machines.MeterExchanged: Fields(f"{_REGISTER} old_no old_value new_no new_value"),
    machines.ReadingsDropped: Fields("first_seq last_seq count"),
    gateway.GatewayStarted: Fields("software site_file clock"),
    hub.GatewaySeen: Fields("gateway backlog"),
    gateway.StreamForked: Fields("old_stream agreed why moved missing"),
    gateway.JournalDamaged: Fields("kept why saved missing"),
    gateway.JournalLost: Fields("gateway stream before held"),
    gateway.DesiredApplied: Fields("revision items"),
    gateway.ClockDoubted: Fields("last_known wall"),
    gateway.ClockTrusted: Fields("wall"),
    gateway.ClockCorrected: Fields("since now"),
    gateway.RecordingStalled: Fields("why waited dropped"),
    # Bytes that nobody could read may still hold the number of a card or a plate.
    machines.InputRefused: Fields("wire why count", numbers="sample"),
    gateway.Empty: Fields(),
    people.SessionOpened: Fields("username role address device by"),
    people.SessionRefused: Fields("username address why"),
    hub.RecordChanged: Fields("id by change fields digest"),
    people.AccountLocked: Fields("lock account username by reason"),
    gateway.BreakGlassRenewed: Fields("made_at by"),
    people.WritesRefused: Fields("by noun share address"),
    hub.DataPruned: Fields("what before count digest"),
    people.RecordsRead: Fields("by what times records ids address"),
    people.RequestRefused: Fields("by request times address"),
    # Why a projection failed is said by the database, with its statements.
    hub.ProjectionFailed: Fields("event kind", insides="why"),
    hub.BatchRefused: Fields("gateway why", numbers="sample"),
    # A hash of what is hidden could be guessed at leisure.
    hub.RefusedEvent: Fields("seq kind", insides="hash"),
    hub.EventRefused: Fields("gateway stream why events", numbers="sample"),
    standing.TicketStanding: Fields("ticket title place"),
    standing.AlarmStanding: Fields(
        "alarm rule source asset severity state message raised_at response values cleared_at acknowledged_at"
        " acknowledged_by shelved_until note ticket"
    ),
    standing.AlarmsStated: Fields("alarms after upto"),
    standing.PlaceStanding: Fields("place aspects"),
    standing.PlacesStated: Fields("places"),
    layout.DoorLayout: Fields("id name place readers zones modes_end"),
    layout.LaneLayout: Fields("id name direction camera can_close place zones monitored"),
    layout.DeviceLayout: Fields("id name kind profile bus place"),
    layout.PointLayout: Fields("id device name type unit labels writable detail"),
    layout.ZoneLayout: Fields("id name"),
    layout.MeterLayout: Fields("id name point register meter_no"),
    layout.SiteLayout: Fields("site gateway name timezone fingerprint doors lanes devices points zones meters"),
}
"""Shape of an event's data, or of a part of it → who sees which of its fields."""

THING_SIGHTS: Mapping[str, Fields] = {
    "door": Fields("id site lock contact mode mode_since mode_until mode_by at can"),
    "lane": Fields("id site barrier monitored loops at can", passing="last_plate last_plate_at car"),
    "alarm": Fields(
        "id site rule source asset severity state message response values raised_at cleared_at acknowledged_at"
        " acknowledged_by shelved_until note can"
    ),
    "ticket": Fields(
        "id site number alarm asset cause severity title response place state assignee raised_at updated_at closed_at"
        " recovered_at count history first_history steps can"
    ),
    "point": Fields("id site name type unit labels writable value quality at"),
    "command": Fields("id site target command args reason reason_code subject state by issued_at expires_at result"),
    "gateway": Fields("id site online backlog readings_backlog clock clock_error_ms versions seen_at"),
}
"""Kind of a thing that has a state → who sees which field of its item."""


ItemT = TypeVar("ItemT", bound=Mapping[str, Any])


class Viewer(NamedTuple):
    """Somebody who looks: what they may see, and by which words (account id, user name) events speak of themselves.

    `role`: None for the servers themselves.
    """

    sights: Sights
    names: frozenset[str] = frozenset()
    role: Role | None = None

    def sees(self, sight: Sight) -> bool:
        """Whether that may be seen."""
        return sight in self.sights

    @property
    def sees_everything(self) -> bool:
        """Whether nothing is hidden."""
        return self.sights == _EVERYTHING


EVERYBODY_SEES = Viewer(_EVERYTHING)
"""Who sees everything: the servers themselves."""


def viewer_of(role: Role, *names: str) -> Viewer:
    """Somebody of that role."""
    return Viewer(SIGHTS[role], frozenset(names), role)


def kinds_seen(viewer: Viewer) -> list[str] | None:
    """The kinds of events that are theirs to see whoever they are about; None: all, also those nobody knows here."""
    if viewer.sees_everything:
        return None
    return [kind for kind, sight in KIND_SIGHTS.items() if sight in viewer.sights]


def kinds_of_oneself() -> list[str]:
    """The kinds of which everybody sees the events that are about themselves."""
    return [kind for kind, sight in KIND_SIGHTS.items() if sight == "accounts"]


def sees_event(viewer: Viewer, kind: str, source: str, data: bytes | msgspec.Raw) -> bool:
    """Whether they may know of this event."""
    if viewer.sees_everything:
        return True
    sight = KIND_SIGHTS.get(kind)
    if sight is None:
        return False
    return sight in viewer.sights or (sight == "accounts" and bool(names_in(source, data) & viewer.names))


def names_in(source: str, data: bytes | msgspec.Raw) -> frozenset[str]:
    """By which words an event of `accounts` says whose it is: its source, and the user name in its data."""
    try:
        named = msgspec.json.decode(data, type=_Named).username
    except (msgspec.DecodeError, UnicodeDecodeError):
        named = None
    return frozenset({source} if named is None else {source, named})


class _Named(msgspec.Struct):
    username: str | None = None


def data_seen(viewer: Viewer, kind: str, data: msgspec.Raw) -> msgspec.Raw:
    """An event's data as they see it: the very text that was recorded where nothing in it is hidden."""
    paths = _paths(kind, viewer.sights)
    if not paths:
        return data
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.Raw(b"{}")
    changed = sum(_hide(found, path, instead) for path, instead in paths)
    return msgspec.Raw(msgspec.json.encode(found)) if changed else data


def number_seen(viewer: Viewer, kind: str, value: str) -> str:
    """The value of a credential of that kind as they see it: whole, its end, or nothing of it."""
    if viewer.sees("numbers"):
        return value
    return _end(kind, value) if viewer.sees("passing") else HIDDEN


def thing_seen(viewer: Viewer, kind: str, item: ItemT) -> ItemT:
    """A thing as they see it: what is hidden, and what the table does not name, is null. `kind` itself is no secret."""
    if viewer.sees_everything:
        return item
    fields = THING_SIGHTS.get(kind, Fields())
    hidden = fields.hidden_from(viewer.sights) + tuple(item.keys() - fields.named() - {"kind", "id", "site"})
    return cast(ItemT, {**item, **dict.fromkeys(name for name in hidden if name in item)}) if hidden else item


# --- Inside

_Path = tuple[str, ...]
_ALL = "*"
_END = object()
"""Stands for: as much of it as tells two apart."""

_Hidden = tuple[_Path, object]
_cached: dict[tuple[str, Sights], tuple[_Hidden, ...]] = {}


def _end(kind: str, value: str) -> str:
    """A plate hangs on the car for everybody."""
    return value if kind == "plate" or len(value) <= SHOWN else f"{HIDDEN}{value[-SHOWN:]}"


def _paths(kind: str, sights: Sights) -> tuple[_Hidden, ...]:
    """(path in the data, what stands there instead) of everything that is hidden from these sights."""
    key = kind, sights
    found = _cached.get(key)
    if found is None and kind in KINDS:
        found = _cached[key] = tuple(_hidden(KINDS[kind], sights))
    return found or ()


def _hidden(shape: type[msgspec.Struct], sights: Sights) -> Iterator[_Hidden]:
    hints = get_type_hints(shape, include_extras=True)
    fields = FIELD_SIGHTS.get(shape, Fields())
    hidden = set(fields.hidden_from(sights))
    if sights != _EVERYTHING:
        hidden |= hints.keys() - fields.named()
    for name, hint in hints.items():
        if name in hidden:
            nothing = None if _may_be_null(hint) else HIDDEN
            yield (name,), _END if shape is entry.Presented and name == "value" and "passing" in sights else nothing
            continue
        for steps, nested in shapes_in(hint):
            for path, instead in _hidden(nested, sights):
                yield (name, *steps, *path), instead


def shapes_in(hint: object, steps: _Path = ()) -> Iterator[tuple[_Path, type[msgspec.Struct]]]:
    """The shapes that a field of this type holds, and the way to each: `*` stands for every item of a list."""
    origin = get_origin(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield steps, hint
    elif origin is Annotated:
        yield from shapes_in(get_args(hint)[0], steps)
    elif origin in {Union, types.UnionType}:
        for part in get_args(hint):
            yield from shapes_in(part, steps)
    elif origin in {list, tuple, dict}:
        for part in get_args(hint):
            yield from shapes_in(part, (*steps, _ALL))


def _may_be_null(hint: object) -> bool:
    return type(None) in get_args(get_args(hint)[0] if get_origin(hint) is Annotated else hint)


def _hide(found: Any, path: Sequence[str], instead: object) -> bool:
    """Whether anything is another now."""
    name, *rest = path
    if name == _ALL:
        parts = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        # Each of them, not up to the first.
        return sum(_hide(part, rest, instead) for part in parts) > 0
    if not isinstance(found, dict) or name not in found:
        return False
    if rest:
        return _hide(found[name], rest, instead)
    before = found[name]
    found[name] = _end(str(found.get("kind")), str(before)) if instead is _END else instead
    return bool(found[name] != before)
