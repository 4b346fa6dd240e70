"""Tickets as lists ask for them: by filters and words, in pages, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, String, false, literal_column, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from hub.access.spelling import sayings
from hub.entries.service import planned_anew
from hub.tickets.models import TicketRow
from web.finding.tickets import ME, NOBODY, WantedTickets, number_in

ALL = WantedTickets()

_ASSIGNEE: ColumnElement[str] = literal_column("(tickets.assignee ->> 'id')", String)
"""The account that has a ticket, as it is indexed."""


async def listed(
    session: AsyncSession,
    sites: Sequence[str] | None,
    states: Sequence[str] | None,
    after: tuple[datetime, str] | None,
    limit: int,
    *,
    wanted: WantedTickets = ALL,
    asker: str = "",
) -> Sequence[TicketRow]:
    """Tickets, the newest first, from the one raised at and with the id `after` on. `asker`: the account of `me`."""
    if wanted.words:
        await planned_anew(await session.connection())
    return (await session.exec(statement(sites, states, after, limit, wanted=wanted, asker=asker))).all()


def statement(
    sites: Sequence[str] | None,
    states: Sequence[str] | None,
    after: tuple[datetime, str] | None,
    limit: int,
    *,
    wanted: WantedTickets = ALL,
    asker: str = "",
) -> SelectOfScalar[TicketRow]:
    """The query of a page."""
    query = select(TicketRow).order_by(col(TicketRow.raised_at).desc(), col(TicketRow.id)).limit(limit)
    query = query.where(*_wanted(wanted, asker), *(_says(word) for word in wanted.words))
    if sites is not None:
        query = query.where(col(TicketRow.site).in_(sites))
    if states is not None:
        query = query.where(col(TicketRow.state).in_(states))
    if after is not None:
        at = after[0]
        later = (col(TicketRow.raised_at) == at) & (col(TicketRow.id) > after[1])
        query = query.where((col(TicketRow.raised_at) < at) | later)
    return query


def worded_so(word: str) -> list[ColumnElement[bool]]:
    """Conditions on tickets, each along one index: words of `hub.tickets.words`, in letters or by sound."""
    return [col(TicketRow.found_by).contains(f" {each}") for each in sayings(word)]


def _wanted(wanted: WantedTickets, asker: str) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if wanted.severities is not None:
        clauses.append(col(TicketRow.severity).in_(wanted.severities))
    if wanted.assets:
        clauses.append(col(TicketRow.asset).in_(wanted.assets))
    if wanted.assignees:
        whose = [asker if each == ME else each for each in wanted.assignees if each != NOBODY]
        untaken = [col(TicketRow.assignee).is_(None)] if NOBODY in wanted.assignees else []
        clauses.append(or_(_ASSIGNEE.in_(whose), *untaken))
    if wanted.since is not None:
        clauses.append(col(TicketRow.raised_at) >= wanted.since)
    if wanted.until is not None:
        clauses.append(col(TicketRow.raised_at) < wanted.until)
    return clauses


def _says(word: str) -> ColumnElement[bool]:
    clauses = worded_so(word)
    if (number := number_in(word)) is not None:
        clauses.append(col(TicketRow.number) == number)
    return or_(false(), *clauses)
