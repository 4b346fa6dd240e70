"""Gateways: enrolling one, and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.topics import valid_id
from hub.database.event import to_instant
from hub.database.rows import StatementRow
from web import shapes

GATEWAY_COLUMNS = (
    "id, site, online, backlog, readings_backlog, clock, clock_error_ms, software, desired, site_file, reads, seen_at"
)

_ENROL = text(
    "INSERT INTO gateways (id, site, enrolled_at, head_seq, backlog, readings_backlog, clock, software, desired,"
    " site_file, reads) VALUES (:id, :site, now(), 0, 0, 0, 'ok', '', 0, '', 1)"
    " ON CONFLICT (id) DO UPDATE SET site = gateways.site RETURNING site"
)
_LIST = text(
    f"SELECT {GATEWAY_COLUMNS} FROM gateways WHERE CAST(:sites AS text[]) IS NULL OR site = ANY(:sites) ORDER BY id"
)
_OF_SITE = text("SELECT id FROM gateways WHERE site = :site ORDER BY enrolled_at DESC, id LIMIT 1")


class EnrolmentError(ValueError):
    """A gateway that cannot be enrolled as asked; the message says what was expected."""


async def enrol(conn: AsyncConnection, gateway: str, site: str) -> None:
    """Let `gateway` speak for `site`. Again is fine; for another site it is an `EnrolmentError`."""
    for what, found in (("gateway", gateway), ("site", site)):
        if not valid_id(found):
            raise EnrolmentError(f"{what} {found!r}: expected 1 to 64 of a-z, 0-9, _ and -")
    held = (await conn.execute(_ENROL, {"id": gateway, "site": site})).scalar_one()
    if held != site:
        raise EnrolmentError(f"gateway {gateway} is enrolled for site {held}, not for {site}")


async def gateways(conn: AsyncConnection, sites: Sequence[str] | None) -> list[shapes.Gateway]:
    """Items of GET /api/gateways, of these sites or (None) of all."""
    rows = await conn.execute(_LIST, {"sites": None if sites is None else list(sites)})
    return [gateway_item(row) for row in rows]


async def gateway_of(conn: AsyncConnection, site: str) -> str | None:
    """The gateway that speaks for a site, None if none is enrolled. A replacement is the one enrolled last."""
    found = (await conn.execute(_OF_SITE, {"site": site})).scalar_one_or_none()
    return None if found is None else str(found)


def gateway_item(row: StatementRow) -> shapes.Gateway:
    """A gateway as REST gives it."""
    return {
        "id": row.id,
        "site": row.site,
        "online": bool(row.online),
        "backlog": row.backlog,
        "readings_backlog": row.readings_backlog,
        "clock": row.clock,
        "clock_error_ms": row.clock_error_ms,
        "versions": {
            "software": row.software,
            "desired": row.desired,
            "site_file": row.site_file,
            "reads": row.reads,
        },
        "seen_at": None if row.seen_at is None else to_instant(row.seen_at),
    }


def gateway_frame(row: StatementRow) -> dict[str, object]:
    """The same as a state of the live stream."""
    return {"kind": "gateway", **gateway_item(row)}
