"""What asks for attention at each site, counted where the facts are: every number is one WHERE."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.alarms import Severity
from hub.alarms.service import CLOSED_FROM
from hub.database.rows import StatementRow
from hub.sites.numbers import LASTING
from hub.sites.schemas import Overview
from web.moments import written

SEVERITIES: tuple[Severity, ...] = get_args(Severity)

_SITES = text(
    "SELECT id, timezone FROM sites"
    " WHERE CAST(:sites AS text[]) IS NULL OR id = ANY(CAST(:sites AS text[])) ORDER BY id"
)

_COUNTS = text(
    "SELECT s.id, s.layout IS NOT NULL AS reported,"
    " (SELECT json_object_agg(severity, n) FROM (SELECT severity, count(*) AS n FROM alarms a"
    "   WHERE a.site = s.id AND a.rank < :closed_from AND a.state = ANY(:lasting) GROUP BY severity) AS per) AS alarms,"
    " (SELECT count(*) FROM tickets t WHERE t.site = s.id AND t.state <> 'closed') AS tickets,"
    " (SELECT count(*) FROM place_states p WHERE p.site = s.id AND p.aspect = 'contact'"
    "   AND CAST(p.value AS text) = '\"open\"'"
    "   AND p.place IN (SELECT d->>'id' FROM json_array_elements(s.layout->'doors') AS d)) AS doors_open,"
    " (SELECT count(*) FROM events e WHERE e.site = s.id AND e.kind = 'access.denied'"
    "   AND e.at >= w.since AND (e.at <= :now OR e.received_at >= w.since)) AS denied,"
    " (SELECT count(*) FROM gateways g WHERE g.site = s.id AND NOT g.online) AS gateways_offline,"
    " (SELECT min(g.seen_at) FROM gateways g WHERE g.site = s.id AND NOT g.online) AS as_of"
    " FROM sites s JOIN unnest(CAST(:sites AS text[]), CAST(:since AS timestamptz[])) AS w (site, since)"
    " ON w.site = s.id ORDER BY s.id"
)


async def counts(conn: AsyncConnection, sites: Sequence[str] | None, now: datetime) -> list[Overview]:
    """One item a site. Numbers are None for a site whose gateway never described it: nothing is known of it.

    What each number counts is said in `hub/sites/numbers.py`. Whoever was refused in the future counts by the receipt.
    """
    asked = {"sites": None if sites is None else list(sites)}
    since = {row.id: day_began(row.timezone, now) for row in await conn.execute(_SITES, asked)}
    values = {
        "sites": list(since),
        "since": list(since.values()),
        "now": now,
        "closed_from": CLOSED_FROM,
        "lasting": LASTING,
    }
    return [_item(row, since[row.id]) for row in await conn.execute(_COUNTS, values)]


def day_began(timezone: str, now: datetime) -> datetime:
    """When the day of `now` began at a site, in UTC; in a zone that this machine does not know it is UTC's day."""
    try:
        zone = ZoneInfo(timezone)
    except (ValueError, OSError, LookupError):
        zone = ZoneInfo("UTC")
    return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _item(row: StatementRow, since: datetime) -> Overview:
    open_ones = row.alarms or {}
    return {
        "site": row.id,
        "reported": row.reported,
        "alarms": {severity: open_ones.get(severity, 0) for severity in SEVERITIES} if row.reported else None,
        "tickets": row.tickets,
        "doors_open": row.doors_open if row.reported else None,
        "denied": row.denied if row.reported else None,
        "denied_since": written(since),
        "gateways_offline": row.gateways_offline if row.reported else None,
        "as_of": None if row.as_of is None else written(row.as_of),
    }
