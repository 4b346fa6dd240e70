"""The desired state of sites: what changes it, and the steps from what a gateway holds to what it should."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

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
