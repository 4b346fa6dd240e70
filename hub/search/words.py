"""What the words of one search box may mean: a plate or a part of it, a card, people, a room, a place's name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract import cards
from hub.access.finding import called_so
from hub.access.models import HolderRow
from hub.entries.service import Meant
from hub.sites.models import SiteRow
from rules.access.values import normal_value, plate_key

MOST_PEOPLE = 20_000
"""Holders that words are taken to mean at the most."""


async def meaning(session: AsyncSession, sites: Sequence[str], words: str, *, people: bool) -> Meant:
    """What `words` may mean at these sites. `people`: whether who asks may read whose name it is."""
    numbers = {normal_value("card", words), cards.typed(words, "10d") or ""} - {""}
    return Meant(
        plate_key(words),
        sorted(numbers),
        await _people(session, sites, words) if people else (),
        await _places(session, sites, words),
    )


async def _people(session: AsyncSession, sites: Sequence[str], words: str) -> Sequence[tuple[str, str]]:
    called = called_so(words)
    if not called:
        return []
    query = select(HolderRow.site, HolderRow.id).where(col(HolderRow.site).in_(sites), or_(*called)).limit(MOST_PEOPLE)
    return [(site, holder) for site, holder in await session.exec(query)]


async def _places(session: AsyncSession, sites: Sequence[str], words: str) -> Sequence[tuple[str, str]]:
    wanted = words.casefold()
    rows = await session.exec(select(SiteRow).where(col(SiteRow.id).in_(sites)))
    return [
        (row.id, str(place["id"]))
        for row in rows
        for kind in ("doors", "lanes")
        for place in (row.layout or {}).get(kind, ())
        if any(wanted in name.casefold() for name in (place["id"], place["name"]["zh"], place["name"]["en"]))
    ]
