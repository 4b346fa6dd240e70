"""The desired state of sites: what changes it, and the steps from what a gateway holds to what it should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.desired import NOTHING, Item
from hub.db import outcome

_NEXT = text(
    "INSERT INTO desired_revisions (site, revision) VALUES (:site, 1)"
    " ON CONFLICT (site) DO UPDATE SET revision = desired_revisions.revision + 1 RETURNING revision"
)
_PUT = text(
    "INSERT INTO desired_items (site, kind, id, value, revision, changed_at)"
    " VALUES (:site, :kind, :id, CAST(:value AS json), :revision, now())"
    " ON CONFLICT (site, kind, id) DO UPDATE"
    " SET value = excluded.value, revision = excluded.revision, changed_at = excluded.changed_at"
)

Change = tuple[str, str, msgspec.Struct | None]
"""(kind, id, value): an item of `contract.desired` to hold at the site, or None to drop it."""


async def changed(conn: AsyncConnection, site: str, items: Sequence[Change]) -> int:
    """Put `items` into the site's desired state, as one new revision (returned); published after the commit."""
    if not items:
        raise ValueError("a change of the desired state needs at least one item")
    revision = int((await conn.execute(_NEXT, {"site": site})).scalar_one())
    rows = [
        {
            "site": site,
            "kind": kind,
            "id": item_id,
            "value": None if value is None else msgspec.json.encode(value).decode(),
            "revision": revision,
        }
        for kind, item_id, value in items
    ]
    await conn.execute(_PUT, rows)
    outcome(conn).desired.add(site)
    return revision


class Held(NamedTuple):
    """Where the desired state of a site stands, and what of it changed since some revision."""

    revision: int
    items: list[Item]


_REVISION = text("SELECT revision FROM desired_revisions WHERE site = :site")
_SINCE = text(
    "SELECT kind, id, CAST(value AS text) AS value FROM desired_items WHERE site = :site AND revision > :base"
    " AND (value IS NOT NULL OR :removed) ORDER BY revision, kind, id"
)
_COUNT = text("SELECT count(*) FROM desired_items WHERE site = :site AND revision > :base")
_LEAP = text(
    "INSERT INTO desired_revisions (site, revision) VALUES (:site, :revision)"
    " ON CONFLICT (site) DO UPDATE SET revision = greatest(desired_revisions.revision, excluded.revision)"
)


async def revision(conn: AsyncConnection, site: str) -> int:
    """The newest revision of a site, 0 before the first."""
    return int((await conn.execute(_REVISION, {"site": site})).scalar_one_or_none() or 0)


async def since(conn: AsyncConnection, site: str, base: int) -> Held:
    """What changed after `base`: with base 0 everything that is to be held, otherwise removals too."""
    now = await revision(conn, site)
    rows = await conn.execute(_SINCE, {"site": site, "base": base, "removed": base > 0})
    items = [
        Item(kind=row.kind, id=row.id, value=NOTHING if row.value is None else msgspec.Raw(row.value.encode()))
        for row in rows
    ]
    return Held(now, items)


async def count_since(conn: AsyncConnection, site: str, base: int) -> int:
    """How many items changed after `base`."""
    return int((await conn.execute(_COUNT, {"site": site, "base": base})).scalar_one())


async def leap(conn: AsyncConnection, site: str, held: int) -> int:
    """Go beyond a revision that a gateway holds though this database never reached it (it was restored)."""
    await conn.execute(_LEAP, {"site": site, "revision": held + 1})
    return await revision(conn, site)
