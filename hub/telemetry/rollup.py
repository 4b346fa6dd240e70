"""Hourly sums of readings: one timer a little after each full hour, and only the hours that got readings since."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter
from sqlalchemy import text

from hub.database.failures import passes
from hub.database.transactions import Database
from hub.telemetry.ingest import hold_readings

log = structlog.get_logger(__name__)

HOURS = Counter("gatehouse_readings_hours", "Hours of points that were summed")

AFTER = timedelta(minutes=2)
"""Readings of an hour come a little later than its end."""

CHUNK = 200
"""Hours of points in one transaction: readings wait for it."""

RETRY_S = 60.0

_TAKE = text(
    "DELETE FROM readings_dirty WHERE (hour, point) IN"
    " (SELECT hour, point FROM readings_dirty WHERE hour < :before ORDER BY hour, point LIMIT :chunk)"
    " RETURNING hour, point"
)
_SUM = text(
    "INSERT INTO readings_hourly (point, hour, count, sum, min, max, first, last, first_at, last_at)"
    " SELECT asked.point, asked.hour, count(*), sum(r.value), min(r.value), max(r.value),"
    "  (array_agg(r.value ORDER BY r.at))[1], (array_agg(r.value ORDER BY r.at DESC))[1], min(r.at), max(r.at)"
    " FROM unnest(CAST(:points AS int[]), CAST(:hours AS timestamptz[])) AS asked (point, hour)"
    " JOIN readings r ON r.point = asked.point AND r.at >= asked.hour AND r.at < asked.hour + interval '1 hour'"
    " WHERE r.quality = 0 AND r.value IS NOT NULL GROUP BY asked.point, asked.hour"
    " ON CONFLICT (point, hour) DO UPDATE SET count = excluded.count, sum = excluded.sum, min = excluded.min,"
    "  max = excluded.max, first = excluded.first, last = excluded.last, first_at = excluded.first_at,"
    "  last_at = excluded.last_at"
)


async def run(database: Database) -> None:
    """Until cancelled: sum what is due, then sleep until the next hour is over."""
    while True:
        try:
            await sum_hours(database, datetime.now(UTC))
        except Exception as error:
            if not passes(error):
                log.exception("readings.not_summed")
            await asyncio.sleep(RETRY_S)
            continue
        await asyncio.sleep((next_hour(datetime.now(UTC)) + AFTER - datetime.now(UTC)).total_seconds())


def next_hour(now: datetime) -> datetime:
    """The next full hour after `now`."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


async def sum_hours(database: Database, now: datetime) -> int:
    """Sum every hour that is over and got readings since it was last summed; how many there were."""
    total = 0
    while True:
        async with database.transaction() as conn:
            await hold_readings(conn)
            rows = (await conn.execute(_TAKE, {"before": now - timedelta(hours=1), "chunk": CHUNK})).all()
            if not rows:
                return total
            await conn.execute(_SUM, {"points": [row.point for row in rows], "hours": [row.hour for row in rows]})
        total += len(rows)
        HOURS.inc(len(rows))
