"""How the jobs stand, for /metrics: of the whole database, as this process saw it last (half a minute ago at most)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

RUNS = Counter("gatehouse_jobs_runs", "Jobs that this process ran, by how they ended", ["job", "result"])
LONG = Histogram(
    "gatehouse_jobs_seconds", "How long they took", ["job"], buckets=(0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0)
)

EVERY_S = 5.0
"""Between two looks at the whole table."""

_STAND = text(
    "SELECT name, count(*) FILTER (WHERE held_until IS NULL AND due_at <= now()) AS due,"
    " count(*) FILTER (WHERE held_until > now()) AS running, count(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,"
    " extract(epoch FROM now() - min(due_at) FILTER (WHERE held_until IS NULL AND due_at <= now())) AS oldest"
    " FROM jobs GROUP BY name"
)


class JobFigures(Collector):
    """Jobs due, running and failed, and how long the oldest that is due has waited (seconds), by name."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._read_at = float("-inf")
        self._rows: dict[str, tuple[int, int, int, float | None]] = {}

    async def read(self, conn: AsyncConnection) -> None:
        """See how they stand, unless that was only just done."""
        now = time.monotonic()
        if now - self._read_at < EVERY_S:
            return
        rows = (await conn.execute(_STAND)).all()
        self._rows = {row.name: (row.due, row.running, row.failed, row.oldest) for row in rows}
        self._read_at = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures now."""
        number = GaugeMetricFamily("gatehouse_jobs", "Jobs in the table", labels=["job", "state"])
        oldest = GaugeMetricFamily(
            "gatehouse_jobs_oldest_due_seconds", "How long the oldest has been due", labels=["job"]
        )
        since = time.monotonic() - self._read_at if self._rows else 0.0
        for name in self._names:
            due, running, failed, age = self._rows.get(name, (0, 0, 0, None))
            for state, value in (("due", due), ("running", running), ("failed", failed)):
                number.add_metric([name, state], value)
            oldest.add_metric([name], 0.0 if age is None else float(age) + since)
        yield number
        yield oldest
