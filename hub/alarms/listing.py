"""Alarms as lists ask for them: by filters, in pages, the most urgent or the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.alarms.models import AlarmRow
from web.finding.alarms import Order, WantedAlarms
from web.paging import Cursors, Moment, Rank

Key = tuple[int, datetime, str]
"""Place in a list: rank (0 in lists by time), when it was raised, id."""


async def listed(
    session: AsyncSession,
    sites: Sequence[str] | None,
    states: Sequence[str] | None,
    wanted: WantedAlarms,
    *,
    order: Order = "urgency",
    after: Key | None,
    limit: int,
) -> Sequence[AlarmRow]:
    """Alarms by state, severity and time (newest first), or by time alone, from the one at the place `after` on."""
    query = select(AlarmRow).where(*_wanted(wanted)).limit(limit)
    newest = (col(AlarmRow.raised_at).desc(), col(AlarmRow.id))
    query = query.order_by(col(AlarmRow.rank), *newest) if order == "urgency" else query.order_by(*newest)
    if sites is not None:
        query = query.where(col(AlarmRow.site).in_(sites))
    if states is not None:
        query = query.where(col(AlarmRow.state).in_(states))
    if after is not None:
        query = query.where(_beyond(*after) if order == "urgency" else _older(*after[1:]))
    return (await session.exec(query)).all()


def place(row: AlarmRow, order: Order) -> tuple[int, str, str]:
    """The row's place in such a list."""
    return row.rank if order == "urgency" else 0, row.raised_at.isoformat(), row.id


def place_in(cursor: str, cursors: Cursors) -> Key:
    """The place that a cursor names; `Invalid` if it is not one of ours."""
    rank, raised_at, alarm = cursors.key(cursor, Rank, Moment, str)
    return rank, raised_at, alarm


def _wanted(wanted: WantedAlarms) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if wanted.severities is not None:
        clauses.append(col(AlarmRow.severity).in_(wanted.severities))
    if wanted.sources:
        clauses.append(or_(col(AlarmRow.source).in_(wanted.sources), col(AlarmRow.asset).in_(wanted.sources)))
    if wanted.since is not None:
        clauses.append(col(AlarmRow.raised_at) >= wanted.since)
    if wanted.until is not None:
        clauses.append(col(AlarmRow.raised_at) < wanted.until)
    clauses += (_says(word) for word in wanted.words)
    return clauses


def _says(word: str) -> ColumnElement[bool]:
    message = col(AlarmRow.message)
    texts = (
        message["zh"].as_string(),
        message["en"].as_string(),
        col(AlarmRow.note),
        col(AlarmRow.rule),
        col(AlarmRow.source),
        col(AlarmRow.asset),
    )
    return or_(*(text.icontains(word, autoescape=True) for text in texts))


def _older(raised_at: datetime, alarm: str) -> ColumnElement[bool]:
    later = and_(col(AlarmRow.raised_at) == raised_at, col(AlarmRow.id) > alarm)
    return or_(col(AlarmRow.raised_at) < raised_at, later)


def _beyond(rank: int, raised_at: datetime, alarm: str) -> ColumnElement[bool]:
    return or_(col(AlarmRow.rank) > rank, and_(col(AlarmRow.rank) == rank, _older(raised_at, alarm)))
