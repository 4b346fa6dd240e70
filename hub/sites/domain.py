"""The sites, their doors and lanes: what the domain brings to the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.database.orm import session_on
from hub.domain import Domain
from hub.sites import service, states
from hub.sites.endpoints import router
from hub.sites.models import CompanyRow, PlaceState, PostRow, SiteRow
from hub.sites.projections import PROJECTIONS


async def _standing(conn: AsyncConnection, sites: list[str] | None) -> Mapping[str, Sequence[Mapping[str, object]]]:
    async with session_on(conn) as session:
        views = [service.view_of(row) for row in await service.listed(session, sites)]
    doors, lanes = await states.doors_and_lanes(conn, views)
    return {"door": doors, "lane": lanes}


DOMAIN = Domain(
    routers=(router,),
    tables=(CompanyRow, SiteRow, PostRow, PlaceState),
    projections=PROJECTIONS,
    latest=states.on_readings,
    standing=_standing,
)
