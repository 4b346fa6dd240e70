"""Tickets: what the domain brings to the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from hub.database.orm import session_on
from hub.domain import Domain
from hub.tickets import filling, items, listing
from hub.tickets.endpoints import router
from hub.tickets.models import TicketRaising, TicketRow, TicketStepRow
from hub.tickets.projections import PROJECTIONS

MOST_OPEN = 1000
"""Open ones that a screen starts from at the most; the list has them all."""


async def _standing(conn: AsyncConnection, sites: list[str] | None) -> Mapping[str, Sequence[Mapping[str, object]]]:
    async with session_on(conn) as session:
        found = await listing.listed(session, sites, ("raised", "taken", "done"), None, MOST_OPEN)
        return {"ticket": await items.items_of(session, found)}


async def _states(conn: AsyncConnection, tickets: Sequence[str]) -> Sequence[Mapping[str, object]]:
    """With all that was written about them."""
    async with session_on(conn) as session:
        found = (await session.exec(select(TicketRow).where(col(TicketRow.id).in_(tickets)))).all()
        return [{"kind": "ticket", **item} for item in await items.items_of(session, found)]


DOMAIN = Domain(
    routers=(router,),
    tables=(TicketRow, TicketStepRow, TicketRaising),
    projections=PROJECTIONS,
    jobs=(filling.JOB,),
    standing=_standing,
    states={"ticket": _states},
)
