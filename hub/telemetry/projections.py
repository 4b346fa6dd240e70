"""What the site's layout says of its points."""

from __future__ import annotations

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.layout import SiteLayout
from hub.database.event import Projection, StoredEvent

_DESCRIBE = text(
    "INSERT INTO points (site, id, name, type, unit, labels, writable, described)"
    " VALUES (:site, :id, CAST(:name AS json), :type, :unit, CAST(:labels AS json), :writable, TRUE)"
    " ON CONFLICT (site, id) DO UPDATE SET name = excluded.name, type = excluded.type, unit = excluded.unit,"
    " labels = excluded.labels, writable = excluded.writable, described = TRUE"
)
_FORGET = text(
    "UPDATE points SET described = FALSE, writable = FALSE WHERE site = :site AND described AND NOT id = ANY(:ids)"
)


async def on_described(conn: AsyncConnection, event: StoredEvent) -> None:
    """Take over names, units and types; points that the layout no longer has keep their history."""
    layout = event.typed()
    assert isinstance(layout, SiteLayout)
    if layout.site != event.site:
        raise ValueError(f"the gateway of site {event.site} describes site {layout.site}")
    rows = [
        {
            "site": event.site,
            "id": point.id,
            "name": msgspec.json.encode(point.name).decode(),
            "type": point.type,
            "unit": point.unit,
            "labels": msgspec.json.encode(point.labels).decode(),
            "writable": point.writable,
        }
        for point in sorted(layout.points, key=lambda point: point.id)
    ]
    if rows:
        await conn.execute(_DESCRIBE, rows)
    await conn.execute(_FORGET, {"site": event.site, "ids": [point.id for point in layout.points]})


PROJECTIONS: dict[str, Projection] = {"site.described": on_described}
