"""Points and series of readings, as REST gives them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, get_args

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.readings import Quality
from hub.database.event import to_instant
from hub.database.rows import StatementRow
from hub.telemetry.readings import QUALITIES, shown
from web import shapes
from web.shapes import Agg

AGGS: tuple[Agg, ...] = get_args(Agg)

MOST_STEPS = 5000
"""Steps of one answer at the most."""

_POINTS = text(
    "WITH laid_out AS (SELECT s.id AS site, e.point->>'id' AS id, e.place FROM sites s,"
    " json_array_elements(s.layout->'points') WITH ORDINALITY AS e (point, place)"
    " WHERE CAST(:sites AS text[]) IS NULL OR s.id = ANY(:sites))"
    " SELECT p.id, p.site, p.name, p.type, p.unit, p.labels, p.writable, p.value, p.quality, p.at,"
    " EXISTS (SELECT 1 FROM gateways g WHERE g.site = p.site AND g.online) AS online FROM points p"
    " LEFT JOIN laid_out l ON l.site = p.site AND l.id = p.id"
    " WHERE CAST(:sites AS text[]) IS NULL OR p.site = ANY(:sites) ORDER BY p.site, l.place NULLS LAST, p.id"
)
_POINT = text("SELECT key, id, type, unit FROM points WHERE site = :site AND id = :id")
_RAW = text(
    "SELECT at, value, label, quality FROM readings WHERE point = :key AND at >= :start AND at < :end"
    " ORDER BY at LIMIT :limit"
)

_GOOD = "point = :key AND quality = 0 AND at >= :start AND at < :end"
_SUMS = (
    "count(*) AS count, sum(value) AS sum, min(value) AS min, max(value) AS max,"
    " (array_agg(value ORDER BY at))[1] AS first, (array_agg(value ORDER BY at DESC))[1] AS last"
)
# What every step is made of: readings themselves, or hours that were summed before (and readings for hours that were
# not, or that the asked time cuts).
_FROM_READINGS = (
    f"SELECT date_bin(:step, at, :start) AS step, {_SUMS} FROM readings WHERE {_GOOD} AND value IS NOT NULL GROUP BY 1"
)
_FROM_HOURS = f"""
 SELECT date_bin(:step, hour, :start) AS step, sum(count) AS count, sum(sum) AS sum, min(min) AS min, max(max) AS max,
  (array_agg(first ORDER BY hour))[1] AS first, (array_agg(last ORDER BY hour DESC))[1] AS last
 FROM (
  SELECT hour, count, sum, min, max, first, last FROM readings_hourly h
  WHERE point = :key AND hour >= :start AND hour + interval '1 hour' <= :end
   AND NOT EXISTS (SELECT 1 FROM readings_dirty d WHERE d.point = h.point AND d.hour = h.hour)
  UNION ALL
  SELECT date_trunc('hour', at, 'UTC') AS hour, {_SUMS} FROM readings WHERE {_GOOD} AND value IS NOT NULL AND (
   at >= date_trunc('hour', CAST(:end AS timestamptz), 'UTC')
   OR date_trunc('hour', at, 'UTC') IN (SELECT hour FROM readings_dirty WHERE point = :key)) GROUP BY 1
 ) AS hours GROUP BY 1
"""
_VALUES: dict[Agg, str] = {
    "avg": "sum / count",
    "min": "min",
    "max": "max",
    "last": "last",
    "delta": "last - coalesce(lag(last) OVER (ORDER BY step), first)",
}
_LABELS = text(
    "SELECT date_bin(:step, at, :start) AS step, (array_agg(label ORDER BY at DESC))[1] AS value"
    f" FROM readings WHERE {_GOOD} AND label IS NOT NULL GROUP BY 1 ORDER BY 1"
)
_STEPS = {
    (agg, hours): text(
        f"SELECT step, {value} AS value FROM ({_FROM_HOURS if hours else _FROM_READINGS}) AS steps ORDER BY step"
    )
    for agg, value in _VALUES.items()
    for hours in (False, True)
}


class PointKey(NamedTuple):
    """A point as the tables know it."""

    key: int
    id: str
    type: str
    unit: str


class Span(NamedTuple):
    """From (included) to (excluded)."""

    start: datetime
    end: datetime


async def points(conn: AsyncConnection, sites: Sequence[str] | None) -> list[shapes.Point]:
    """Items of GET /api/points, as the site's file and the product list them. While a site's gateway is away, its
    good values are stale."""
    rows = await conn.execute(_POINTS, {"sites": None if sites is None else list(sites)})
    return [_point_item(row) for row in rows]


async def point(conn: AsyncConnection, site: str, point_id: str) -> PointKey | None:
    """The point of a site, None if there is none of that id."""
    row = (await conn.execute(_POINT, {"site": site, "id": point_id})).one_or_none()
    return None if row is None else PointKey(*row)


async def raw(conn: AsyncConnection, asked: PointKey, span: Span, limit: int) -> list[shapes.Read]:
    """Readings as they came, oldest first, at most `limit`."""
    values = {"key": asked.key, "start": span.start, "end": span.end, "limit": limit}
    return [
        {
            "at": to_instant(row.at),
            "value": shown(row.value, row.label, asked.type),
            "quality": QUALITIES[row.quality],
        }
        for row in await conn.execute(_RAW, values)
    ]


async def steps(conn: AsyncConnection, asked: PointKey, span: Span, step: timedelta, agg: Agg) -> list[shapes.Read]:
    """One value for each step that has good readings. Steps begin at the start of the span."""
    values = {"key": asked.key, "start": span.start, "end": span.end, "step": step}
    query = _LABELS if asked.type == "label" else _STEPS[agg, _whole_hours(span.start, step)]
    rows = await conn.execute(query, values)
    flag = asked.type == "flag" and agg in ("min", "max", "last")
    return [
        {"at": to_instant(row.step), "value": bool(row.value) if flag else row.value, "quality": "good"} for row in rows
    ]


def _whole_hours(start: datetime, step: timedelta) -> bool:
    """Whether steps are made of whole hours."""
    aligned = start.minute == start.second == start.microsecond == 0
    return aligned and step % timedelta(hours=1) == timedelta()


def _point_item(row: StatementRow) -> shapes.Point:
    quality: Quality = "bad" if row.quality is None else QUALITIES[row.quality]
    return {
        "id": row.id,
        "site": row.site,
        "name": row.name,
        "type": row.type,
        "unit": row.unit,
        "labels": row.labels,
        "writable": row.writable,
        "value": row.value,
        "quality": "stale" if quality == "good" and not row.online else quality,
        "at": None if row.at is None else to_instant(row.at),
    }
