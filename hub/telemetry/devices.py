"""`GET /api/devices`: which devices answer, by the last word of each, however long ago that was."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.database.event import to_instant
from hub.database.transactions import Reading, connection
from web.devices import DeviceStanding
from web.paging import Page, sites_asked
from web.session.sessions import SignedInUser

router = APIRouter(prefix="/api", tags=["telemetry"])

# Of each device one step along `ix_events_devices`: a page of events would miss who fell silent before it. The step
# goes to the last word up to this device's, whosever that is, and so in an order that no other index has: along one of
# them the way is as long as all that its namesakes at other sites have said, which no planner knows.
_LAST_WORDS = text(
    "SELECT s.id AS site, d->>'id' AS device, e.kind, e.at, e.why"
    " FROM sites s CROSS JOIN LATERAL json_array_elements(s.layout->'devices') AS d LEFT JOIN LATERAL"
    " (SELECT site, source, kind, at, data->>'why' AS why FROM events"
    "   WHERE kind IN ('device.lost', 'device.found')"
    "   AND (site, source, id) <= (s.id, d->>'id', CAST(9223372036854775807 AS bigint))"
    "   ORDER BY site DESC, source DESC, id DESC LIMIT 1) AS e ON e.site = s.id AND e.source = d->>'id'"
    " WHERE CAST(:sites AS text[]) IS NULL OR s.id = ANY(CAST(:sites AS text[])) ORDER BY s.id, device"
)


@router.get("/devices")
async def devices(session: Reading, user: SignedInUser, site: str | None = None) -> Page[DeviceStanding]:
    """Every device of one's sites: whether it answers, since when, and why not."""
    return Page[DeviceStanding](items=await standings(await connection(session), sites_asked(user, site)))


async def standings(conn: AsyncConnection, sites: Sequence[str] | None) -> list[DeviceStanding]:
    """How every device of the sites stands, as its gateway last said."""
    values = {"sites": None if sites is None else list(sites)}
    return [
        {
            "id": row.device,
            "site": row.site,
            "online": None if row.kind is None else row.kind == "device.found",
            "since": None if row.at is None else to_instant(row.at),
            "why": row.why,
        }
        for row in await conn.execute(_LAST_WORDS, values)
    ]
