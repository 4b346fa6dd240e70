"""One alarm from its raising to its end: what is known of it, and how each `alarm.*` fact changes that.

The one place where it stands for the gateway, which says the facts, and for the hub, which hears them. Instants are
Unix milliseconds. Pure.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec.structs import replace

from contract.commands import Person
from contract.facts.alarms import (
    AlarmAcknowledged,
    AlarmCleared,
    AlarmForgotten,
    AlarmRaised,
    AlarmShelved,
    AlarmUnshelved,
    Severity,
)
from contract.instants import Instant, instant, milliseconds
from contract.readings import Value
from contract.standing import AlarmStanding, TicketStanding
from contract.texts import Text
from rules.alarms.rule import AlarmState, state_after

STATES: tuple[AlarmState, ...] = ("active", "acknowledged", "shelved", "cleared", "closed")
"""In the order of lists: what asks for attention first, what is over last; gone but unseen follows what is there."""

SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor", "warning")

NOTE_LIMIT = 500
"""Characters of a note that are kept."""

Change = AlarmRaised | AlarmCleared | AlarmAcknowledged | AlarmShelved | AlarmUnshelved | AlarmForgotten


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What an alarm is about, unique in the site: `rule` at `source`.

    `title`: of the ticket that it asks for, if any, at `place`; only its gateway knows them.
    """

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


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm, as its facts so far make it. `values`: the points that its rule looked at."""

    id: str
    cause: Cause
    values: dict[str, Value]
    raised_at: int
    state: AlarmState = "active"
    cleared_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: Person | None = None
    shelved_until: int | None = None
    note: str = ""

    @property
    def present(self) -> bool:
        """Whether the fault itself is there (seen by people or not)."""
        return self.cleared_at is None


E = TypeVar("E", bound=Episode)


def begun(source: str, fact: AlarmRaised, at: int) -> Episode:
    """The episode that a first `alarm.raised` begins."""
    cause = Cause(
        rule=fact.rule,
        source=source,
        asset=fact.asset,
        severity=fact.severity,
        message=fact.message,
        response=fact.response,
    )
    return Episode(id=fact.alarm, cause=cause, values=fact.values, raised_at=at)


def after(episode: E, fact: Change, at: int) -> E:
    """The episode after a fact about it that was recorded at `at`.

    Raised again, it is the same alarm: back before anybody had seen that it was gone.
    """
    match fact:
        case AlarmRaised():
            return replace(
                episode,
                cause=replace(
                    episode.cause,
                    asset=fact.asset,
                    severity=fact.severity,
                    message=fact.message,
                    response=fact.response,
                ),
                state=state_after(episode.state, "alarm.raised"),
                values=fact.values,
                cleared_at=None,
            )
        case AlarmCleared():
            return replace(
                episode,
                state=state_after(episode.state, "alarm.cleared"),
                values={**episode.values, **fact.values},
                cleared_at=at,
                shelved_until=None,
            )
        case AlarmAcknowledged():
            return replace(
                episode,
                state=state_after(episode.state, "alarm.acknowledged"),
                acknowledged_at=at,
                acknowledged_by=fact.by,
                note=fact.note[:NOTE_LIMIT] or episode.note,
            )
        case AlarmShelved():
            # Whoever silences it has seen it.
            return replace(
                episode,
                state=state_after(episode.state, "alarm.shelved"),
                shelved_until=milliseconds(fact.until),
                acknowledged_at=episode.acknowledged_at or at,
                acknowledged_by=episode.acknowledged_by or fact.by,
                note=fact.note[:NOTE_LIMIT] or episode.note,
            )
        case AlarmUnshelved():
            # It asks for attention anew.
            return replace(
                episode,
                state=state_after(episode.state, "alarm.unshelved"),
                shelved_until=None,
                acknowledged_at=None,
                acknowledged_by=None,
            )
        case AlarmForgotten():
            return replace(episode, state="closed", cleared_at=episode.cleared_at or at, shelved_until=None)


def standing_of(episode: Episode, ticket: TicketStanding | None) -> AlarmStanding:
    """What is told of an alarm that is not closed: all that its facts have said."""
    cause = episode.cause
    assert episode.state != "closed"
    return AlarmStanding(
        alarm=episode.id,
        rule=cause.rule,
        source=cause.source,
        asset=cause.asset,
        severity=cause.severity,
        state=episode.state,
        message=cause.message,
        raised_at=instant(episode.raised_at),
        response=cause.response,
        values=episode.values,
        cleared_at=written(episode.cleared_at),
        acknowledged_at=written(episode.acknowledged_at),
        acknowledged_by=episode.acknowledged_by,
        shelved_until=written(episode.shelved_until),
        note=episode.note,
        ticket=ticket,
    )


def stated(standing: AlarmStanding) -> Episode:
    """The episode that `standing_of` told."""
    cause = Cause(
        rule=standing.rule,
        source=standing.source,
        asset=standing.asset,
        severity=standing.severity,
        message=standing.message,
        response=standing.response,
    )
    return Episode(
        id=standing.alarm,
        cause=cause,
        values=standing.values,
        raised_at=milliseconds(standing.raised_at),
        state=standing.state,
        cleared_at=_read(standing.cleared_at),
        acknowledged_at=_read(standing.acknowledged_at),
        acknowledged_by=standing.acknowledged_by,
        shelved_until=_read(standing.shelved_until),
        note=standing.note[:NOTE_LIMIT],
    )


def written(at: int | None) -> Instant | None:
    """A moment that may not have come, as messages write it."""
    return None if at is None else instant(at)


def _read(at: Instant | None) -> int | None:
    return None if at is None else milliseconds(at)
