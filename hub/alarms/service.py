"""Alarms: what the gateways' events make of them, and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import CommandKind, Person
from contract.facts.alarms import AlarmAcknowledged, AlarmCleared, AlarmRaised, AlarmShelved, AlarmUnshelved
from contract.texts import Text
from hub.alarms.models import AlarmRow
from hub.database.event import StoredEvent, to_datetime
from rules.alarms.rule import AlarmState, state_after
from web.errors import Conflict
from web.moments import written

STATES: tuple[AlarmState, ...] = ("active", "acknowledged", "shelved", "cleared", "closed")
"""In the order of lists: what asks for attention first, what is over last; gone but unseen follows what is there."""

SEVERITIES = ("critical", "major", "minor", "warning")
CLOSED_FROM = STATES.index("closed") * 10
"""The lowest rank of alarms that are over."""

Change = AlarmCleared | AlarmAcknowledged | AlarmShelved | AlarmUnshelved


_NO_LONGER: dict[str, Text] = {
    "alarm.ack": Text("此告警无需确认", "This alarm needs no acknowledgement"),
    "alarm.shelve": Text("此告警已恢复或已搁置", "This alarm is over or shelved already"),
    "alarm.unshelve": Text("此告警未被搁置", "This alarm is not shelved"),
}
_FROM: dict[str, frozenset[str]] = {
    "alarm.ack": frozenset({"active", "cleared"}),
    "alarm.shelve": frozenset({"active", "acknowledged"}),
    "alarm.unshelve": frozenset({"shelved"}),
}


def check_state(kind: CommandKind, state: str) -> None:
    """`Conflict` if an alarm in this state is past what is commanded."""
    if state not in _FROM[kind]:
        raise Conflict(_NO_LONGER[kind], "alarm_state")


class UnknownAlarm(LookupError):
    """An event about an alarm that was never raised here."""


async def raise_alarm(session: AsyncSession, event: StoredEvent, data: AlarmRaised) -> AlarmRow:
    """An episode begins, or one that was gone comes back before anybody had seen it."""
    at = event.when
    row = await session.get(AlarmRow, data.alarm)
    if row is None:
        row = AlarmRow(
            id=data.alarm,
            site=event.site or "",
            gateway=event.gateway or "",
            rule=data.rule,
            source=event.source,
            asset=data.asset,
            severity=data.severity,
            state="active",
            rank=0,
            message={},
            values={},
            raised_at=at,
        )
    elif not _of(row, event):
        raise ValueError(f"alarm {data.alarm} of site {row.site} is not {event.gateway or 'the hub'}'s")
    else:
        row.state = state_after(row.state, event.kind)  # type: ignore[arg-type]
        row.cleared_at = None
    row.message = text_of(data.message)
    row.response = None if data.response is None else text_of(data.response)
    row.values = dict(data.values)
    return ranked(session, row)


async def change_alarm(session: AsyncSession, event: StoredEvent, data: Change) -> AlarmRow:
    """What happened to an alarm after it was raised; `UnknownAlarm` if it never was."""
    row = await session.get(AlarmRow, data.alarm)
    if row is None or not _of(row, event):
        raise UnknownAlarm(f"{event.kind} of alarm {data.alarm}, which was never raised here")
    row.state = state_after(row.state, event.kind)  # type: ignore[arg-type]
    at = event.when
    match data:
        case AlarmCleared():
            row.cleared_at = at
            row.values = {**row.values, **data.values}
            row.shelved_until = None
        case AlarmAcknowledged():
            row.acknowledged_at = at
            row.acknowledged_by = person_of(data.by)
            row.note = data.note[:500]
        case AlarmShelved():
            row.shelved_until = to_datetime(data.until)
            row.acknowledged_at = row.acknowledged_at or at
            row.acknowledged_by = row.acknowledged_by or person_of(data.by)
            row.note = data.note[:500] or row.note
        case AlarmUnshelved():
            row.shelved_until = None
            # It asks for attention anew.
            row.acknowledged_at = row.acknowledged_by = None
    return ranked(session, row)


async def listed(
    session: AsyncSession,
    sites: Sequence[str] | None,
    states: Sequence[str] | None,
    after: tuple[int, datetime, str] | None,
    limit: int,
) -> Sequence[AlarmRow]:
    """Alarms by state, severity and time (newest first), from the one with the sort key `after` on."""
    query = select(AlarmRow).order_by(col(AlarmRow.rank), col(AlarmRow.raised_at).desc(), col(AlarmRow.id)).limit(limit)
    if sites is not None:
        query = query.where(col(AlarmRow.site).in_(sites))
    if states is not None:
        query = query.where(col(AlarmRow.state).in_(states))
    if after is not None:
        query = query.where(_beyond(*after))
    return (await session.exec(query)).all()


async def open_ones(session: AsyncSession, sites: Sequence[str] | None, limit: int) -> Sequence[AlarmRow]:
    """Alarms that are not over, the most urgent first."""
    query = select(AlarmRow).where(AlarmRow.rank < CLOSED_FROM).limit(limit)
    query = query.order_by(col(AlarmRow.rank), col(AlarmRow.raised_at).desc(), col(AlarmRow.id))
    if sites is not None:
        query = query.where(col(AlarmRow.site).in_(sites))
    return (await session.exec(query)).all()


def sort_key(row: AlarmRow) -> tuple[int, str, str]:
    """The row's place in lists."""
    return row.rank, row.raised_at.isoformat(), row.id


def item_of(row: AlarmRow) -> dict[str, Any]:
    """An alarm as REST and the live stream give it."""
    return {
        "id": row.id,
        "site": row.site,
        "rule": row.rule,
        "source": row.source,
        "asset": row.asset,
        "severity": row.severity,
        "state": row.state,
        "message": row.message,
        "response": row.response,
        "values": row.values,
        "raised_at": written(row.raised_at),
        "cleared_at": _instant(row.cleared_at),
        "acknowledged_at": _instant(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by,
        "shelved_until": _instant(row.shelved_until),
        "note": row.note,
    }


def _of(row: AlarmRow, event: StoredEvent) -> bool:
    """Whether it may speak of the alarm: own ones are the hub's alone, the others are their site's gateways'."""
    return row.site == event.site and bool(row.gateway) == bool(event.gateway)


def _beyond(rank: int, raised_at: datetime, alarm: str) -> ColumnElement[bool]:
    later = and_(col(AlarmRow.raised_at) == raised_at, col(AlarmRow.id) > alarm)
    return or_(
        col(AlarmRow.rank) > rank,
        and_(col(AlarmRow.rank) == rank, or_(col(AlarmRow.raised_at) < raised_at, later)),
    )


def ranked(session: AsyncSession, row: AlarmRow) -> AlarmRow:
    """The row, in its new place in lists, as a change of the session."""
    row.rank = STATES.index(row.state) * 10 + SEVERITIES.index(row.severity)
    session.add(row)
    return row


def text_of(text: Text) -> dict[str, str]:
    """A text as the table keeps it."""
    return {"zh": text.zh, "en": text.en}


def person_of(person: Person) -> dict[str, str]:
    """A person as the table keeps them."""
    return {"id": person.id, "name": person.name, "role": person.role}


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else written(moment)
