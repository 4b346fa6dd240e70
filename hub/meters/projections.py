"""`meter.read` → what each register used on each day of the site's calendar."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.machines import MeterRead
from hub.database.event import Projection, StoredEvent, present
from hub.database.rows import StatementRow
from rules.metering.registers import Fallen, Held, step

_HELD = text(
    "SELECT meter_no, value, at, fallen FROM meters"
    " WHERE site = :site AND id = :id AND register_name = :register FOR UPDATE"
)
_PUT = text(
    "INSERT INTO meters (site, id, register_name, meter_no, unit, value, at, fallen)"
    " VALUES (:site, :id, :register, :meter_no, :unit, :value, :at, CAST(:fallen AS json))"
    " ON CONFLICT (site, id, register_name) DO UPDATE SET meter_no = excluded.meter_no, unit = excluded.unit,"
    " value = excluded.value, at = excluded.at, fallen = excluded.fallen"
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
    """Add a reading to its day; one that is not newer than the last adds nothing, unless that one is of the future."""
    read = event.typed()
    assert isinstance(read, MeterRead)
    if not math.isfinite(read.value):
        raise ValueError(f"register {read.register} reads {read.value}")
    at = event.when
    key = {"site": event.site, "id": event.source, "register": read.register}
    row = (await conn.execute(_HELD, key)).one_or_none()
    if row is not None and at <= row.at <= present(event.received):
        return
    found = step(None if row is None else _held(row), read.meter_no, read.value, read.rolls_over, begins=read.begins)
    fallen = found.held.fallen
    values = key | {"meter_no": read.meter_no, "unit": read.unit, "value": read.value, "at": at}
    await conn.execute(_PUT, values | {"fallen": None if fallen is None else json.dumps(fallen)})
    day = {"day": await _day(conn, event.site, at), "used": found.used}
    flags = {"rollovers": int(found.kind == "rollover"), "odd": int(found.kind == "odd")}
    await conn.execute(_ADD, values | day | flags)


def _held(row: StatementRow) -> Held:
    return Held(row.meter_no, row.value, None if row.fallen is None else Fallen(*row.fallen))


async def _day(conn: AsyncConnection, site: str | None, at: datetime) -> date:
    """The day of the site's calendar; UTC's while the site has not described itself."""
    zone = (await conn.execute(_TIMEZONE, {"site": site})).scalar_one_or_none()
    return at.astimezone(ZoneInfo(zone or "UTC")).date()


PROJECTIONS: dict[str, Projection] = {"meter.read": on_read}
