"""`meter.read` → what each register used on each day of the site's calendar."""

from __future__ import annotations

import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.kinds import MeterRead
from hub.events.stored import Projection, StoredEvent, to_datetime
from rules.meters import Held, step

_HELD = text(
    "SELECT meter_no, value, at FROM meters WHERE site = :site AND id = :id AND register_name = :register FOR UPDATE"
)
_PUT = text(
    "INSERT INTO meters (site, id, register_name, meter_no, unit, value, at)"
    " VALUES (:site, :id, :register, :meter_no, :unit, :value, :at)"
    " ON CONFLICT (site, id, register_name) DO UPDATE SET meter_no = excluded.meter_no, unit = excluded.unit,"
    " value = excluded.value, at = excluded.at"
)
_ADD = text(
    "INSERT INTO meter_days (site, id, register_name, day, meter_no, unit, first, first_at, last, last_at, used,"
    " rollovers, odd) VALUES (:site, :id, :register, :day, :meter_no, :unit, :value, :at, :value, :at, :used,"
    " :rollovers, :odd)"
    " ON CONFLICT (site, id, register_name, day, meter_no) DO UPDATE SET last = excluded.last,"
    " last_at = excluded.last_at, used = meter_days.used + excluded.used,"
    " rollovers = meter_days.rollovers + excluded.rollovers, odd = meter_days.odd + excluded.odd"
)
_TIMEZONE = text("SELECT timezone FROM sites WHERE id = :site")


async def on_read(conn: AsyncConnection, event: StoredEvent) -> None:
    """Add a reading to its day; one that is not newer than the last adds nothing."""
    read = event.typed()
    assert isinstance(read, MeterRead)
    if not math.isfinite(read.value):
        raise ValueError(f"register {read.register} reads {read.value}")
    at = to_datetime(event.at)
    key = {"site": event.site, "id": event.source, "register": read.register}
    held = (await conn.execute(_HELD, key)).one_or_none()
    if held is not None and held.at >= at:
        return
    found = step(None if held is None else Held(held.meter_no, held.value), read.meter_no, read.value, read.rolls_over)
    row = key | {"meter_no": read.meter_no, "unit": read.unit, "value": read.value, "at": at}
    await conn.execute(_PUT, row)
    day = {"day": await _day(conn, event.site, at), "used": found.used}
    flags = {"rollovers": int(found.kind == "rollover"), "odd": int(found.kind == "odd")}
    await conn.execute(_ADD, row | day | flags)


async def _day(conn: AsyncConnection, site: str | None, at: datetime) -> date:
    """The day of the site's calendar; UTC's while the site has not described itself."""
    zone = (await conn.execute(_TIMEZONE, {"site": site})).scalar_one_or_none()
    return at.astimezone(ZoneInfo(zone or "UTC")).date()


PROJECTIONS: dict[str, Projection] = {"meter.read": on_read}
