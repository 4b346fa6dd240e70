"""What is wrong, and the work that follows from it. The data of `alarm.*` and `ticket.*`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from contract import standing
from contract.commands import Person
from contract.instants import Instant
from contract.limits import (
    Id,
    Many,
    Several,
    Words,
)
from contract.readings import Value
from contract.texts import Text

Severity = standing.Severity


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


class TicketPassed(msgspec.Struct, frozen=True, kw_only=True):
    """`ticket.taken_over`: a ticket passed to another person, by them or by who answers for the site."""

    ticket: Id
    state: Id
    by: Person
    was: Person
    to: Person
    text: Words = ""
    alarm: Id | None = None
