"""One alarm from its raising to its end, as the gateway remembers it and as people see it. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from contract.commands import Person
from contract.facts.alarms import Severity
from contract.instants import instant
from contract.readings import Value
from contract.texts import Text
from rules.alarms.rule import AlarmState, state_after

STATES: tuple[AlarmState, ...] = ("active", "acknowledged", "shelved", "cleared", "closed")
SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor", "warning")

CLOSED_LIMIT = 200
"""Closed alarms that are remembered, for the lists; all of them stay in the journal as events."""


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What an alarm is about, unique in the site: `rule` at `source`. `title`: of the ticket it asks for, if any."""

    rule: str
    source: str
    asset: str
    severity: Severity
    message: Text
    response: Text | None = None
    title: Text | None = None
    place: str = ""

    @property
    def key(self) -> str:
        """The cause in one word."""
        return f"{self.rule}@{self.source}"


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm. Instants are Unix milliseconds; `began_at`: of the current episode, `raised_at`: of the first.

    `ticket`: UUID of the episode's ticket; `ticketed`: it was raised.
    """

    id: str
    cause: Cause
    state: AlarmState
    values: dict[str, Value]
    raised_at: int
    began_at: int
    cleared_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: Person | None = None
    shelved_until: int | None = None
    note: str = ""
    count: int = 1
    ticket: str | None = None
    ticketed: bool = False

    @property
    def present(self) -> bool:
        """Whether the fault itself is there (seen by people or not)."""
        return self.cleared_at is None


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that people silenced until `until` (Unix ms)."""

    until: int
    by: Person
    note: str


def raised(alarm_id: str, cause: Cause, values: dict[str, Value], at: int, ticket: str | None) -> Alarm:
    """A new alarm."""
    return Alarm(id=alarm_id, cause=cause, state="active", values=values, raised_at=at, began_at=at, ticket=ticket)


def raised_again(alarm: Alarm, cause: Cause, values: dict[str, Value], at: int, ticket: str | None) -> Alarm:
    """The same alarm, back before anybody had seen that it was gone."""
    return msgspec.structs.replace(
        alarm,
        cause=cause,
        state=state_after(alarm.state, "alarm.raised"),
        values=values,
        began_at=at,
        cleared_at=None,
        count=alarm.count + 1,
        ticket=ticket,
        ticketed=False,
    )


def cleared(alarm: Alarm, at: int) -> Alarm:
    """The fault is gone."""
    return msgspec.structs.replace(
        alarm, state=state_after(alarm.state, "alarm.cleared"), cleared_at=at, shelved_until=None
    )


def acknowledged(alarm: Alarm, by: Person, note: str, at: int) -> Alarm:
    """A person has seen it."""
    return msgspec.structs.replace(
        alarm,
        state=state_after(alarm.state, "alarm.acknowledged"),
        acknowledged_at=at,
        acknowledged_by=by,
        note=note or alarm.note,
    )


def shelved(alarm: Alarm, shelf: Shelf, at: int) -> Alarm:
    """A person has silenced it for a while, and thereby seen it."""
    return msgspec.structs.replace(
        alarm,
        state=state_after(alarm.state, "alarm.shelved"),
        shelved_until=shelf.until,
        acknowledged_at=alarm.acknowledged_at or at,
        acknowledged_by=alarm.acknowledged_by or shelf.by,
        note=shelf.note or alarm.note,
    )


def unshelved(alarm: Alarm) -> Alarm:
    """The silence is over; it asks for attention anew."""
    return msgspec.structs.replace(
        alarm,
        state=state_after(alarm.state, "alarm.unshelved"),
        shelved_until=None,
        acknowledged_at=None,
        acknowledged_by=None,
    )


def alarm_item(alarm: Alarm, site: str) -> dict[str, Any]:
    """The alarm as the REST interface and the live stream show it."""
    cause = alarm.cause
    return {
        "id": alarm.id,
        "site": site,
        "rule": cause.rule,
        "source": cause.source,
        "asset": cause.asset,
        "severity": cause.severity,
        "state": alarm.state,
        "message": {"zh": cause.message.zh, "en": cause.message.en},
        "response": None if cause.response is None else {"zh": cause.response.zh, "en": cause.response.en},
        "values": alarm.values,
        "raised_at": instant(alarm.raised_at),
        "cleared_at": _maybe(alarm.cleared_at),
        "acknowledged_at": _maybe(alarm.acknowledged_at),
        "acknowledged_by": None if alarm.acknowledged_by is None else msgspec.to_builtins(alarm.acknowledged_by),
        "shelved_until": _maybe(alarm.shelved_until),
        "note": alarm.note,
    }


def ticket_item(alarm: Alarm, site: str) -> dict[str, Any] | None:
    """The episode's ticket as far as the gateway knows it (`raised` or `closed`), None if it has none."""
    cause = alarm.cause
    if alarm.ticket is None or not alarm.ticketed or cause.title is None:
        return None
    return {
        "id": alarm.ticket,
        "site": site,
        "number": None,
        "alarm": alarm.id,
        "asset": cause.asset,
        "cause": cause.rule,
        "severity": cause.severity,
        "title": {"zh": cause.title.zh, "en": cause.title.en},
        "response": None if cause.response is None else {"zh": cause.response.zh, "en": cause.response.en},
        "place": cause.place,
        "state": "raised" if alarm.present else "closed",
        "assignee": None,
        "raised_at": instant(alarm.began_at),
        "updated_at": instant(alarm.cleared_at or alarm.began_at),
        "closed_at": _maybe(alarm.cleared_at),
        "count": alarm.count,
        "history": [],
        "steps": [],
    }


def urgency(alarm: Alarm) -> tuple[int, int, int, str]:
    """The alarm's place in lists: what asks for attention first; then by severity, the newest first."""
    return STATES.index(alarm.state), SEVERITIES.index(alarm.cause.severity), -alarm.raised_at, alarm.id


def _maybe(at: int | None) -> str | None:
    return None if at is None else instant(at)
