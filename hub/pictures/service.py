"""Pictures in the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.pictures import Picture
from hub.database.driver import Driver
from hub.database.event import to_datetime

_FIND = text(
    "SELECT jpeg FROM pictures WHERE id = :id AND (CAST(:sites AS text[]) IS NULL OR site = ANY(:sites)) LIMIT 1"
)

_FORGET = text(
    "DELETE FROM pictures WHERE (site, id) IN (SELECT site, id FROM pictures WHERE received_at < :before"
    " ORDER BY received_at LIMIT :most) RETURNING site"
)


async def keep(pg: Driver, site: str, gateway: str, picture: Picture, now: datetime) -> None:
    """Store a picture; one that is held already is left alone."""
    await pg.execute(
        "INSERT INTO pictures (site, id, gateway, at, received_at, jpeg) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT DO NOTHING",
        site,
        picture.id,
        gateway,
        to_datetime(picture.at),
        now,
        picture.jpeg,
    )


async def jpeg(conn: AsyncConnection, picture: str, sites: Sequence[str] | None) -> bytes | None:
    """The bytes of a picture of these sites (None: of any), None if there is none."""
    found = await conn.execute(_FIND, {"id": picture, "sites": None if sites is None else list(sites)})
    return found.scalar_one_or_none()


async def forget(conn: AsyncConnection, before: datetime, most: int) -> Counter[str]:
    """Drop at most `most` pictures that came before then: site → how many."""
    return Counter((await conn.execute(_FORGET, {"before": before, "most": most})).scalars())
