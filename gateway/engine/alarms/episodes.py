"""Alarms as the gateway remembers them, with their tickets, and as people see them. Pure."""

from __future__ import annotations

import msgspec

from contract.commands import Person
from contract.facts.alarms import AlarmRaised
from contract.instants import instant
from rules.alarms.episode import SEVERITIES, STATES, Cause, Episode, after, written
from rules.commands import alarm_commands
from web import shapes

CLOSED_LIMIT = 200
"""Closed alarms that are remembered, for the lists; all of them stay in the journal as events."""


class Alarm(Episode, frozen=True, kw_only=True):
    """One alarm, and what its gateway alone knows. `began_at`: of the present occurrence, Unix milliseconds.

    `ticket`: UUID of its ticket; `ticketed`: that was raised.
    """

    began_at: int
    count: int = 1
    ticket: str | None = None
    ticketed: bool = False


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """A cause that people silenced until `until` (Unix ms)."""

    until: int
    by: Person
    note: str


def raised(cause: Cause, fact: AlarmRaised, at: int, ticket: str | None) -> Alarm:
    """A new alarm."""
    return Alarm(id=fact.alarm, cause=cause, values=fact.values, raised_at=at, began_at=at, ticket=ticket)


def raised_again(alarm: Alarm, cause: Cause, fact: AlarmRaised, at: int, ticket: str | None) -> Alarm:
    """The same alarm, back before anybody had seen that it was gone."""
    again = after(alarm, fact, at)
    return msgspec.structs.replace(
        again, cause=cause, began_at=at, count=alarm.count + 1, ticket=ticket, ticketed=False
    )


def alarm_item(alarm: Alarm, site: str) -> shapes.Alarm:
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
        "message": shapes.text_of(cause.message),
        "response": None if cause.response is None else shapes.text_of(cause.response),
        "values": alarm.values,
        "raised_at": instant(alarm.raised_at),
        "cleared_at": written(alarm.cleared_at),
        "acknowledged_at": written(alarm.acknowledged_at),
        "acknowledged_by": None if alarm.acknowledged_by is None else shapes.person_of(alarm.acknowledged_by),
        "shelved_until": written(alarm.shelved_until),
        "note": alarm.note,
        "can": alarm_commands(alarm.state),
    }


def ticket_item(alarm: Alarm, site: str) -> shapes.Ticket | None:
    """The episode's ticket as far as the gateway knows it, None if it has none.

    What people made of it only the hub knows: here it was raised, and its alarm is over (`cleared`) or not.
    """
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
        "title": shapes.text_of(cause.title),
        "response": None if cause.response is None else shapes.text_of(cause.response),
        "place": cause.place,
        "state": "raised" if alarm.present else "cleared",
        "assignee": None,
        "raised_at": instant(alarm.began_at),
        "updated_at": instant(alarm.cleared_at or alarm.began_at),
        "closed_at": None,
        "recovered_at": written(alarm.cleared_at),
        "count": alarm.count,
        "history": [],
        "first_history": None,
        "steps": [],
        "can": [],
    }


def lateness(alarm: Alarm) -> tuple[int, int, int, str]:
    """The alarm's place in lists by time, the newest first: of the shape of `urgency`."""
    return 0, 0, -alarm.raised_at, alarm.id


def urgency(alarm: Alarm) -> tuple[int, int, int, str]:
    """The alarm's place in lists: what asks for attention first; then by severity, the newest first."""
    return STATES.index(alarm.state), SEVERITIES.index(alarm.cause.severity), -alarm.raised_at, alarm.id
