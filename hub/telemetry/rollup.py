"""Hourly sums of readings: a little after each full hour, and only the hours that got readings since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from prometheus_client import Counter
from sqlalchemy import text

from contract.texts import Text
from hub.database.transactions import Database
from hub.jobs.job import Done, Job, Retry, Work
from hub.telemetry.ingest import hold_readings

HOURS = Counter("gatehouse_readings_hours", "Hours of points that were summed")

AFTER = timedelta(minutes=2)
"""Readings of an hour come a little later than its end."""

CHUNK = 200
"""Hours of points in one transaction: readings wait for it."""

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


def next_sums(now: datetime) -> datetime:
    """When hours are summed next."""
    return next_hour(now - AFTER) + AFTER


async def _sum(work: Work) -> Done:
    await sum_hours(work.database, work.now)
    return Done()


SUMS = Job(
    name="readings.hours",
    text=Text("汇总每小时读数", "Sum the readings of each hour"),
    work=_sum,
    schedule=next_sums,
    # The hours that are summed are those of UTC; a zone may begin its own at the half.
    clock=UTC,
    retry=Retry(first_s=60, most_s=600),
)
