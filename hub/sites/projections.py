"""What events say of sites: their layout, and how their doors and lanes stand."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from contract.layout import SiteLayout
from hub.database.event import Projection, StoredEvent
from hub.database.orm import session_on
from hub.sites import service, states
from hub.telemetry.ingest import hold_readings, newest_of


async def on_described(conn: AsyncConnection, event: StoredEvent) -> None:
    """Keep the layout; a gateway speaks for the site that it was enrolled for, and no other."""
    layout = event.typed()
    assert isinstance(layout, SiteLayout)
    if layout.site != event.site:
        raise ValueError(f"the gateway of site {event.site} describes site {layout.site}")
    # Readings come over a road of their own: those that came before the layout say how its places stand, too. None
    # may be under way now that would find no layout yet and not be found here either.
    await hold_readings(conn)
    async with session_on(conn) as session:
        await service.describe(session, layout, event.when)
    newest = await newest_of(conn, layout.site, states.POINT_ASPECTS)
    await states.on_readings(conn, layout.site, newest, event.received)


PROJECTIONS: dict[str, Projection] = {"site.described": on_described, **states.PROJECTIONS}
