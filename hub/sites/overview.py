"""What asks for attention at each site, counted where the facts are: every number is one WHERE."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.alarms import Severity
from hub.alarms.service import CLOSED_FROM
from hub.database.rows import StatementRow
from hub.sites.schemas import Overview
from web.moments import written

SEVERITIES: tuple[Severity, ...] = get_args(Severity)

DENIED_FOR = timedelta(hours=24)
"""How far back those who were not let in are counted: by the gateway's clock, or by the receipt where that is ahead."""

_COUNTS = text(
    "SELECT s.id, s.layout IS NOT NULL AS reported,"
    " (SELECT json_object_agg(severity, n) FROM (SELECT severity, count(*) AS n FROM alarms a"
    "   WHERE a.site = s.id AND a.rank < :closed_from AND a.cleared_at IS NULL GROUP BY severity) AS per) AS alarms,"
    " (SELECT count(*) FROM tickets t WHERE t.site = s.id AND t.state <> 'closed') AS tickets,"
    " (SELECT count(*) FROM place_states p WHERE p.site = s.id AND p.aspect = 'contact'"
    "   AND CAST(p.value AS text) = '\"open\"'"
    "   AND p.place IN (SELECT d->>'id' FROM json_array_elements(s.layout->'doors') AS d)) AS doors_open,"
    " (SELECT count(*) FROM events e WHERE e.site = s.id AND e.kind = 'access.denied'"
    "   AND e.at > :since AND (e.at <= :now OR e.received_at > :since)) AS denied"
    " FROM sites s WHERE CAST(:sites AS text[]) IS NULL OR s.id = ANY(:sites) ORDER BY s.id"
)


async def counts(conn: AsyncConnection, sites: Sequence[str] | None, now: datetime) -> list[Overview]:
    """One item a site. Numbers are None for a site whose gateway never described it: nothing is known of it.

    `alarms`: those whose cause has not cleared, by severity. `denied`: entries refused since `denied_since`.
    """
    since = now - DENIED_FOR
    values = {"sites": None if sites is None else list(sites), "since": since, "now": now, "closed_from": CLOSED_FROM}
    return [_item(row, since) for row in await conn.execute(_COUNTS, values)]


def _item(row: StatementRow, since: datetime) -> Overview:
    open_ones = row.alarms or {}
    return {
        "site": row.id,
        "alarms": {severity: open_ones.get(severity, 0) for severity in SEVERITIES} if row.reported else None,
        "tickets": row.tickets,
        "doors_open": row.doors_open if row.reported else None,
        "denied": row.denied if row.reported else None,
        "denied_since": written(since),
    }
