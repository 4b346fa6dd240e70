"""Posts: where the guards of a site stand."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import inspect
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from contract.texts import Text
from hub.changes import service as changes
from hub.changes.service import Change
from hub.database.transactions import connection
from hub.sites.models import PostRow, SiteRow
from hub.sites.schemas import PostBody
from web.errors import Invalid

_NO_PLACE = Text("没有这个门或车道：{places}", "There is no such door or lane: {places}")


async def of_sites(session: AsyncSession, sites: Sequence[str]) -> dict[str, list[PostRow]]:
    """The posts of each of these sites, by id."""
    rows = await session.exec(select(PostRow).where(col(PostRow.site).in_(sites)).order_by(PostRow.site, PostRow.id))
    found: dict[str, list[PostRow]] = {}
    for row in rows:
        found.setdefault(row.site, []).append(row)
    return found


async def find(session: AsyncSession, site: str, post: str) -> PostRow | None:
    """The post of that id, if the site has one."""
    return await session.get(PostRow, (site, post))


def new(site: str, post: str) -> PostRow:
    """A post that is to be set up."""
    return PostRow(site=site, id=post, name={"zh": "", "en": ""}, places=[])


async def put(session: AsyncSession, site: SiteRow, row: PostRow, body: PostBody, by: Person) -> PostRow:
    """Make the post what is wanted, new or not; `Invalid` names places that the site does not have."""
    places = {place["id"] for kind in ("doors", "lanes") for place in (site.layout or {}).get(kind, ())}
    unknown = ", ".join(place for place in body.places if place not in places)
    if unknown:
        raise Invalid({"places": Text(_NO_PLACE.zh.format(places=unknown), _NO_PLACE.en.format(places=unknown))})
    fields = ["name", "places"]
    before = {name: getattr(row, name) for name in fields}
    after = {"name": body.name.text(), "places": body.places}
    if before == after:
        return row
    created = inspect(row).transient
    row.name, row.places = body.name.text(), body.places
    session.add(row)
    changed = [name for name in fields if created or before[name] != after[name]]
    done = Change(
        kind="post",
        id=row.id,
        change="created" if created else "updated",
        fields=changed,
        before={} if created else {name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        site=site.id,
    )
    await changes.record(await connection(session), [done], by)
    return row


async def remove(session: AsyncSession, row: PostRow, by: Person) -> None:
    """Remove the post."""
    before = {"name": row.name, "places": row.places}
    done = Change(kind="post", id=row.id, change="removed", fields=list(before), before=before, site=row.site)
    await session.delete(row)
    await changes.record(await connection(session), [done], by)
