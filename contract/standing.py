"""What stands at a site at one moment, told so that both sides are equal afterwards, whatever either of them lost.

A gateway records these events when it meets its hub again: they have their place among all the others of its stream,
so that what changed before is in them and what changes afterwards comes after them.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract.commands import Person
from contract.instants import Instant
from contract.limits import Few, Id, Many, Several, Words
from contract.readings import Value
from contract.texts import Text

Severity = Literal["critical", "major", "minor", "warning"]


class TicketStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket that the present episode of an alarm raised. `ticket`: its UUID."""

    ticket: Id
    title: Text
    place: Words = ""


class AlarmStanding(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that is not closed, with all that its events have said so far."""

    alarm: Id
    rule: Id
    source: Id
    asset: Id
    severity: Severity
    state: Literal["active", "acknowledged", "cleared", "shelved"]
    message: Text
    raised_at: Instant
    response: Text | None = None
    values: Annotated[dict[Id, Value], Several] = {}
    cleared_at: Instant | None = None
    acknowledged_at: Instant | None = None
    acknowledged_by: Person | None = None
    shelved_until: Instant | None = None
    note: Words = ""
    ticket: TicketStanding | None = None


class AlarmsStated(msgspec.Struct, frozen=True, kw_only=True):
    """`alarms.stated`: of the alarms with ids after `after` up to `upto` (None: all that follow), these are not closed.

    A range that has too many for one event is told in several; each of them is whole in itself.
    """

    alarms: Annotated[list[AlarmStanding], Many]
    after: Id = ""
    upto: Id | None = None


class PlaceStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How a door (`lock`, `contact`, `mode`) or a lane (`barrier`, `loop_before`, `loop_under`) stands.

    None: nobody knows.
    """

    place: Annotated[str, msgspec.Meta(max_length=64)]
    aspects: Annotated[dict[Id, Value], Few]


class PlacesStated(msgspec.Struct, frozen=True, kw_only=True):
    """`places.stated`: so these doors and lanes stand. Very many of them are told in several events."""

    places: Annotated[list[PlaceStanding], Many]
