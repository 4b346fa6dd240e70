"""Tickets as lists ask for them: by filters and words, in pages, the newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import ColumnElement, String, false, literal_column, or_
from sqlalchemy import select as sa_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.access.spelling import said_in, sayings
from hub.sites.models import SiteRow
from hub.tickets.models import TicketRow
from web.finding.tickets import ME, NOBODY, WantedTickets, number_in

KINDS = ("doors", "lanes", "devices", "zones", "meters")
"""What of a site's layout may be a ticket's asset."""

ALL = WantedTickets()

_ASSIGNEE: ColumnElement[str] = literal_column("(tickets.assignee ->> 'id')", String)
"""The account that has a ticket, as it is indexed."""

_said_in = lru_cache(maxsize=8192)(said_in)


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
    query = select(TicketRow).order_by(col(TicketRow.raised_at).desc(), col(TicketRow.id)).limit(limit)
    query = query.where(*_wanted(wanted, asker))
    for word in wanted.words:
        query = query.where(await _says(session, sites, word))
    if sites is not None:
        query = query.where(col(TicketRow.site).in_(sites))
    if states is not None:
        query = query.where(col(TicketRow.state).in_(states))
    if after is not None:
        at = after[0]
        later = (col(TicketRow.raised_at) == at) & (col(TicketRow.id) > after[1])
        query = query.where((col(TicketRow.raised_at) < at) | later)
    return (await session.exec(query)).all()


def worded_so(word: str) -> list[ColumnElement[bool]]:
    """Conditions on tickets, each along one index: words of the title or place, who has it, in letters or by sound."""
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


async def _says(session: AsyncSession, sites: Sequence[str] | None, word: str) -> ColumnElement[bool]:
    clauses = worded_so(word)
    if (number := number_in(word)) is not None:
        clauses.append(col(TicketRow.number) == number)
    for site, called in (await _called_so(session, sites, word)).items():
        theirs = or_(col(TicketRow.asset).in_(called.assets), col(TicketRow.place).in_(called.places))
        clauses.append((col(TicketRow.site) == site) & theirs)
    return or_(false(), *clauses)


class _Called(NamedTuple):
    """What of a site is called so. `places`: as whoever wrote a ticket may have written them, in either language."""

    assets: list[str]
    places: list[str]


async def _called_so(session: AsyncSession, sites: Sequence[str] | None, word: str) -> dict[str, _Called]:
    """By site, what is called so, in letters or by sound."""
    query = sa_select(col(SiteRow.id), *(col(SiteRow.layout)[kind] for kind in KINDS))
    if sites is not None:
        query = query.where(col(SiteRow.id).in_(sites))
    looked = [f" {each}" for each in sayings(word)]
    found: dict[str, _Called] = {}

    def says(name: Mapping[str, str], *more: str) -> bool:
        said = _said_in(name["zh"], name["en"], *more)
        return any(each in said for each in looked)

    for site, *of_kinds in await (await session.connection()).execute(query):
        for thing in (thing for things in of_kinds for thing in things or ()):
            called = found.get(site, _Called([], []))
            if says(thing["name"], thing["id"]):
                called.assets.append(thing["id"])
            for place in (thing["name"], thing.get("place")):
                if place and says(place):
                    called.places.extend((place["zh"], place["en"]))
            if called.assets or called.places:
                found[site] = called
    return found
