"""The gateways: what the domain brings to the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.domain import Domain
from hub.gateways.endpoints import router
from hub.gateways.models import Gateway
from hub.gateways.service import gateways


async def _standing(conn: AsyncConnection, sites: list[str] | None) -> Mapping[str, Sequence[Mapping[str, object]]]:
    return {"gateway": await gateways(conn, sites)}


DOMAIN = Domain(routers=(router,), tables=(Gateway,), standing=_standing)
