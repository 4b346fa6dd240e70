"""Meters and what they used by day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import TypedDict

from contract.instants import Instant
from hub.database.event import to_instant

_METERS = text(
    "SELECT site, id, register_name, meter_no, unit, value, at FROM meters"
    " WHERE CAST(:sites AS text[]) IS NULL OR site = ANY(:sites) ORDER BY site, id, register_name"
)
_DAYS = text(
    "SELECT site, id, register_name, day, meter_no, unit, first, first_at, last, last_at, used, rollovers, odd"
    " FROM meter_days WHERE (CAST(:sites AS text[]) IS NULL OR site = ANY(:sites)) AND day >= :since AND day <= :until"
    " ORDER BY site, id, register_name, day, first_at"
)

_Key = tuple[str, str, str]


class MeterDay(TypedDict):
    """One day of one meter; a day on which meters were exchanged has two. `odd`: falls that nothing explains."""

    day: str
    meter_no: str
    first: float
    first_at: Instant
    last: float
    last_at: Instant
    used: float
    rollovers: int
    odd: int


class Meter(TypedDict):
    """A register, its last reading, and what it used on the days that were asked for."""

    id: str
    site: str
    register: str
    meter_no: str
    unit: str
    value: float
    at: Instant
    used: float
    days: list[MeterDay]


async def meters(conn: AsyncConnection, sites: Sequence[str] | None, since: date, until: date) -> list[Meter]:
    """Each register with its last reading, and its days from `since` to `until` (both included)."""
    among = {"sites": None if sites is None else list(sites)}
    items: dict[_Key, Meter] = {}
    for row in await conn.execute(_METERS, among):
        items[row.site, row.id, row.register_name] = {
            "id": row.id,
            "site": row.site,
            "register": row.register_name,
            "meter_no": row.meter_no,
            "unit": row.unit,
            "value": row.value,
            "at": to_instant(row.at),
            "used": 0.0,
            "days": [],
        }
    for row in await conn.execute(_DAYS, among | {"since": since, "until": until}):
        item = items[row.site, row.id, row.register_name]
        item["used"] += row.used
        item["days"].append(
            {
                "day": row.day.isoformat(),
                "meter_no": row.meter_no,
                "first": row.first,
                "first_at": to_instant(row.first_at),
                "last": row.last,
                "last_at": to_instant(row.last_at),
                "used": row.used,
                "rollovers": row.rollovers,
                "odd": row.odd,
            }
        )
    return list(items.values())
