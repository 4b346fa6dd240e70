"""Which entries somebody means by the filters of a request."""

from __future__ import annotations

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from hub.entries.service import WantedEntries, planned_anew
from hub.search import words
from hub.sites import service as sites
from web.finding.entries import EntryFilters
from web.paging import sites_asked
from web.users import User


async def wanted_of(
    session: AsyncSession, user: User, asked: EntryFilters, after: tuple[datetime, int] | None = None
) -> WantedEntries:
    """The entries that are the user's to see, beyond `after`; `Forbidden` if the site is not theirs."""
    looked = sites_asked(user, asked.site)
    if looked is None:
        looked = [row.id for row in await sites.listed(session, None)]
    people = user.may("people.read")
    if asked.q:
        await planned_anew(await session.connection())
    return WantedEntries(
        sites=looked,
        since=asked.since,
        until=asked.until,
        places=asked.places,
        outcomes=asked.outcomes,
        traveller=asked.traveller,
        plate=asked.plate,
        holder=asked.holder,
        meant=await words.meaning(session, looked, asked.q, people=people) if asked.q else None,
        after=after,
    )
