"""Alarms: what the domain brings to the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.alarms import service
from hub.alarms.endpoints import router
from hub.alarms.models import AlarmRow
from hub.alarms.projections import PROJECTIONS
from hub.alarms.shelves import JOB
from hub.database.orm import session_on
from hub.domain import Domain

MOST_OPEN = 1000
"""Open ones that a screen starts from at the most; the list has them all."""


async def _standing(conn: AsyncConnection, sites: list[str] | None) -> Mapping[str, Sequence[Mapping[str, object]]]:
    async with session_on(conn) as session:
        return {"alarm": [service.item_of(row) for row in await service.open_ones(session, sites, MOST_OPEN)]}


DOMAIN = Domain(routers=(router,), tables=(AlarmRow,), projections=PROJECTIONS, standing=_standing, jobs=(JOB,))
