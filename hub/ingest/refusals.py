"""Refusals for the record: every one is counted, and of each gateway and fault one a minute becomes an event."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.hub import BatchRefused
from hub.database.driver import driver
from hub.events import stream
from hub.ingest import records
from hub.ingest.arrivals import MessageRefused

REFUSED = Counter("gatehouse_ingest_refused", "Messages of gateways that can never be accepted", ["what", "fault"])

_EVERY_MS = 60_000
_REMEMBERED = 4096


class Refusals:
    """What was recorded lately, bounded: whoever sends nonsense must not fill the history."""

    def __init__(self) -> None:
        self._recorded: OrderedDict[tuple[str, str], int] = OrderedDict()

    def worth_recording(self, refused: Sequence[MessageRefused], now_ms: int) -> list[MessageRefused]:
        """Count all; those of which nothing like it was recorded in the last minute."""
        chosen: dict[tuple[str, str], MessageRefused] = {}
        for one in refused:
            REFUSED.labels(one.what, one.fault).inc()
            key = one.gateway, one.fault
            last = self._recorded.get(key)
            if (last is None or now_ms - last >= _EVERY_MS) and (key in self._recorded or self._room(now_ms)):
                chosen.setdefault(key, one)
        return list(chosen.values())

    def recorded(self, refused: Sequence[MessageRefused], now_ms: int) -> None:
        """They are committed."""
        for one in refused:
            key = one.gateway, one.fault
            self._recorded[key] = now_ms
            self._recorded.move_to_end(key)

    def _room(self, now_ms: int) -> bool:
        while self._recorded and now_ms - next(iter(self._recorded.values())) >= _EVERY_MS:
            self._recorded.popitem(last=False)
        return len(self._recorded) < _REMEMBERED


async def record(conn: AsyncConnection, refused: Sequence[MessageRefused]) -> None:
    """Record `batch.refused` for each, in the hub's own stream."""
    if not refused:
        return
    sites = await records.sites_of(await driver(conn), {one.gateway for one in refused})
    for one in refused:
        data = BatchRefused(gateway=one.gateway, why=f"{one.what}: {one.why}", sample=one.sample)
        await stream.record(conn, "batch.refused", one.gateway, data, site=sites.get(one.gateway))
