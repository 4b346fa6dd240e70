"""Projections of what was just stored: a bad event costs only itself, whatever else is in its group.

Data that does not fit its kind is set apart before anything is asked of the database. What fails only there costs its
run (at most `RUN` events) a second time, once: until enough of them went well, that gateway's events of that kind are
put apart at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import structlog
from prometheus_client import Counter
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import BigInteger, Text

from contract.errors import ContractError
from contract.facts.hub import ProjectionFailed
from hub.database.event import Projection, StoredEvent
from hub.database.transactions import outcome
from hub.events import stream

log = structlog.get_logger(__name__)

FAILED = Counter("gatehouse_projections_failed", "Events that were stored but could not be projected", ["kind"])

RUN = 500
"""Events under one savepoint: what one failure in the database costs a second time at the most."""

PROBATION = 20
"""So many events of a gateway and kind must go well until they share a savepoint with others again."""

UNTOLD = "the hub could not use it; its log says why"
"""What people are told of a failure inside the hub: the rest is for whoever looks after it."""


class FailedProjection(NamedTuple):
    """An event that could not be projected. `why`: for the log and for whoever tries again; `said`: for people."""

    event: StoredEvent
    why: str
    said: str


Registry = Mapping[str, Sequence[Projection]]
"""Event kind → what is to be done with it, in order."""

_MARK = text(
    "UPDATE events SET failed = bad.why FROM unnest(:ids, :whys) AS bad (id, why) WHERE events.id = bad.id"
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("whys", type_=ARRAY(Text)))


class Projecting:
    """Brings every domain up to what was stored. One a process: it remembers whose events failed of late."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._probation: dict[tuple[str | None, str], int] = {}

    async def project(self, conn: AsyncConnection, events: Sequence[StoredEvent]) -> None:
        """Project `events` in their order. Those that fail are marked and recorded; the others stand."""
        failed: dict[int, FailedProjection] = {}
        wanted = []
        for event in events:
            if event.kind in self._registry:
                if (why := _misfit(event)) is None:
                    wanted.append(event)
                else:
                    failed[event.id] = FailedProjection(event, why, why)
        for run in self._runs(wanted):
            await self._run(conn, run, failed)
        if failed:
            await _mark(conn, [failed[event_id] for event_id in sorted(failed)])

    def _runs(self, events: Sequence[StoredEvent]) -> Iterator[Sequence[StoredEvent]]:
        """Events in their order, parted so that those on probation stand alone."""
        run: list[StoredEvent] = []
        for event in events:
            alone = (event.gateway, event.kind) in self._probation
            if run and (alone or len(run) >= RUN):
                yield run
                run = []
            run.append(event)
            if alone:
                yield run
                run = []
        if run:
            yield run

    async def _run(
        self, conn: AsyncConnection, run: Sequence[StoredEvent], failed: dict[int, FailedProjection]
    ) -> None:
        """One savepoint for all; if one fails, those before it again, and those after it under another."""
        while run:
            begun: list[StoredEvent] = []
            error = await outcome(conn).apart(conn, partial(self._each, conn, run, begun))
            if error is None:
                if len(run) == 1:
                    self._went_well(run[0])
                return
            place = max(0, len(begun) - 1)
            bad = run[place]
            failed[bad.id] = FailedProjection(bad, _why(error), UNTOLD)
            self._probation[bad.gateway, bad.kind] = PROBATION
            await self._run(conn, run[:place], failed)
            run = run[place + 1 :]

    async def _each(self, conn: AsyncConnection, run: Sequence[StoredEvent], begun: list[StoredEvent]) -> None:
        """One after the other; the last one begun is where it failed."""
        for event in run:
            begun.append(event)
            for projection in self._registry[event.kind]:
                await projection(conn, event)

    def _went_well(self, event: StoredEvent) -> None:
        left = self._probation.pop((event.gateway, event.kind), 0) - 1
        if left > 0:
            self._probation[event.gateway, event.kind] = left


def _misfit(event: StoredEvent) -> str | None:
    """Why the data does not fit its kind, None if it does."""
    try:
        event.typed()
    except RecursionError:
        return f"data of {event.kind}: nested too deeply"
    except ContractError as error:
        return str(error)[:300].replace("\x00", "")
    return None


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300].replace("\x00", "")


async def _mark(conn: AsyncConnection, failed: Sequence[FailedProjection]) -> None:
    await conn.execute(_MARK, {"ids": [one.event.id for one in failed], "whys": [one.why for one in failed]})
    facts = []
    for event, why, said in failed:
        log.warning("projection.failed", event_id=event.id, kind=event.kind, why=why)
        FAILED.labels(event.kind).inc()
        data = ProjectionFailed(event=event.id, kind=event.kind, why=said)
        facts.append(stream.Fact("projection.failed", event.source, data, event.site))
    await stream.record_all(conn, facts)
