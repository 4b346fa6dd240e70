"""Posts: where the guards of a site stand."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.texts import Text
from hub.sites.models import PostRow, SiteRow
from hub.sites.schemas import PostBody
from web.errors import Invalid, NotFound

_NO_PLACE = Text("没有这个门或车道：{places}", "There is no such door or lane: {places}")


async def of_sites(session: AsyncSession, sites: Sequence[str]) -> dict[str, list[PostRow]]:
    """The posts of each of these sites, by id."""
    rows = await session.exec(select(PostRow).where(col(PostRow.site).in_(sites)).order_by(PostRow.site, PostRow.id))
    found: dict[str, list[PostRow]] = {}
    for row in rows:
        found.setdefault(row.site, []).append(row)
    return found


async def put(session: AsyncSession, site: SiteRow, post: str, body: PostBody) -> PostRow:
    """Make the post what is wanted, new or not; `Invalid` names places that the site does not have."""
    places = {place["id"] for kind in ("doors", "lanes") for place in (site.layout or {}).get(kind, ())}
    unknown = ", ".join(place for place in body.places if place not in places)
    if unknown:
        raise Invalid({"places": Text(_NO_PLACE.zh.format(places=unknown), _NO_PLACE.en.format(places=unknown))})
    row = await session.get(PostRow, (site.id, post))
    if row is None:
        row = PostRow(site=site.id, id=post, name={}, places=[])
    row.name = body.name.model_dump()
    row.places = body.places
    session.add(row)
    return row


async def remove(session: AsyncSession, site: str, post: str) -> None:
    """Remove the post; `NotFound` if there is none."""
    row = await session.get(PostRow, (site, post))
    if row is None:
        raise NotFound
    await session.delete(row)
