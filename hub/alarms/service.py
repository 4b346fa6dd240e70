"""Alarms: what the gateways' events make of them, and reading them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, cast

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from contract.facts.alarms import AlarmRaised, Severity
from contract.readings import Value
from contract.texts import Text
from hub.alarms.models import AlarmRow
from hub.database.event import StoredEvent
from rules.alarms.episode import SEVERITIES, STATES, Cause, Change, Episode, after, begun
from rules.alarms.rule import AlarmState
from rules.commands import alarm_commands
from web import shapes
from web.moments import moment_of, written

CLOSED_FROM = STATES.index("closed") * 10
"""The lowest rank of alarms that are over."""


class UnknownAlarm(LookupError):
    """An event about an alarm that was never raised here."""


async def raise_alarm(session: AsyncSession, event: StoredEvent, data: AlarmRaised) -> AlarmRow:
    """An episode begins, or one that was gone comes back before anybody had seen it."""
    row = await session.get(AlarmRow, data.alarm)
    if row is None:
        episode = begun(event.source, data, unix_ms(event.when))
        return begin(session, event, episode)
    if not _of(row, event):
        raise ValueError(f"alarm {data.alarm} of site {row.site} is not {event.gateway or 'the hub'}'s")
    return keep(session, row, after(episode_of(row), data, unix_ms(event.when)))


async def change_alarm(session: AsyncSession, event: StoredEvent, data: Change) -> AlarmRow:
    """What happened to an alarm after it was raised; `UnknownAlarm` if it never was."""
    row = await session.get(AlarmRow, data.alarm)
    if row is None or not _of(row, event):
        raise UnknownAlarm(f"{event.kind} of alarm {data.alarm}, which was never raised here")
    return keep(session, row, after(episode_of(row), data, unix_ms(event.when)))


async def open_ones(session: AsyncSession, sites: Sequence[str] | None, limit: int) -> Sequence[AlarmRow]:
    """Alarms that are not over, the most urgent first."""
    query = select(AlarmRow).where(AlarmRow.rank < CLOSED_FROM).limit(limit)
    query = query.order_by(col(AlarmRow.rank), col(AlarmRow.raised_at).desc(), col(AlarmRow.id))
    if sites is not None:
        query = query.where(col(AlarmRow.site).in_(sites))
    return (await session.exec(query)).all()


def item_of(row: AlarmRow) -> shapes.Alarm:
    """An alarm as REST and the live stream give it."""
    return {
        "id": row.id,
        "site": row.site,
        "rule": row.rule,
        "source": row.source,
        "asset": row.asset,
        "severity": row.severity,
        "state": row.state,
        "message": cast(shapes.Text, row.message),
        "response": cast(shapes.Text | None, row.response),
        "values": row.values,
        "raised_at": written(row.raised_at),
        "cleared_at": _instant(row.cleared_at),
        "acknowledged_at": _instant(row.acknowledged_at),
        "acknowledged_by": cast(shapes.Person | None, row.acknowledged_by),
        "shelved_until": _instant(row.shelved_until),
        "note": row.note,
        "can": alarm_commands(row.state),
    }


def _of(row: AlarmRow, event: StoredEvent) -> bool:
    """Whether it may speak of the alarm: own ones are the hub's alone, the others are their site's gateways'."""
    return row.site == event.site and bool(row.gateway) == bool(event.gateway)


def episode_of(row: AlarmRow) -> Episode:
    """The alarm that the row keeps."""
    cause = Cause(
        rule=row.rule,
        source=row.source,
        asset=row.asset,
        severity=row.severity,
        message=Text(**row.message),
        response=None if row.response is None else Text(**row.response),
    )
    return Episode(
        id=row.id,
        cause=cause,
        values=row.values,
        raised_at=unix_ms(row.raised_at),
        state=row.state,
        cleared_at=_maybe_ms(row.cleared_at),
        acknowledged_at=_maybe_ms(row.acknowledged_at),
        acknowledged_by=None if row.acknowledged_by is None else Person(**row.acknowledged_by),
        shelved_until=_maybe_ms(row.shelved_until),
        note=row.note,
    )


class _Columns(TypedDict):
    """Of an episode, as the table holds it."""

    rule: str
    source: str
    asset: str
    severity: Severity
    state: AlarmState
    rank: int
    message: dict[str, str]
    response: dict[str, str] | None
    values: dict[str, Value]
    raised_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: dict[str, str] | None
    shelved_until: datetime | None
    note: str


def _columns(episode: Episode) -> _Columns:
    cause, by = episode.cause, episode.acknowledged_by
    return {
        "rule": cause.rule,
        "source": cause.source,
        "asset": cause.asset,
        "severity": cause.severity,
        "state": episode.state,
        "rank": STATES.index(episode.state) * 10 + SEVERITIES.index(cause.severity),
        "message": _text(cause.message),
        "response": None if cause.response is None else _text(cause.response),
        "values": dict(episode.values),
        "raised_at": moment_of(episode.raised_at),
        "cleared_at": _maybe_moment(episode.cleared_at),
        "acknowledged_at": _maybe_moment(episode.acknowledged_at),
        "acknowledged_by": None if by is None else {"id": by.id, "name": by.name, "role": by.role},
        "shelved_until": _maybe_moment(episode.shelved_until),
        "note": episode.note,
    }


def begin(session: AsyncSession, event: StoredEvent, episode: Episode) -> AlarmRow:
    """The row of an alarm that an event made known, as a change of the session."""
    site, gateway = event.site or "", event.gateway or ""
    row = AlarmRow(id=episode.id, site=site, gateway=gateway, **_columns(episode))
    session.add(row)
    return row


def keep(session: AsyncSession, row: AlarmRow, episode: Episode) -> AlarmRow:
    """The row, as the episode stands now and in its new place in lists, as a change of the session."""
    for name, value in _columns(episode).items():
        if getattr(row, name) != value:
            setattr(row, name, value)
    session.add(row)
    return row


def unix_ms(moment: datetime) -> int:
    """A moment in Unix milliseconds."""
    return round(moment.timestamp() * 1000)


def _text(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _maybe_ms(moment: datetime | None) -> int | None:
    return None if moment is None else unix_ms(moment)


def _maybe_moment(ms: int | None) -> datetime | None:
    return None if ms is None else moment_of(ms)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else written(moment)
