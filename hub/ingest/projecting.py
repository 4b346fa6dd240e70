"""Projections of what was just stored: all at once, and one by one only if that fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.kinds import ProjectionFailed
from hub import stream
from hub.db import outcome
from hub.events.stored import Projection, StoredEvent
from hub.failures import passes

log = structlog.get_logger(__name__)

FAILED = Counter("gatehouse_projections_failed", "Events that were stored but could not be projected", ["kind"])

Registry = Mapping[str, Sequence[Projection]]
"""Event kind → what is to be done with it, in order."""

_MARK = text("UPDATE events SET failed = :why WHERE id = :id")


async def project(conn: AsyncConnection, events: Sequence[StoredEvent], registry: Registry) -> None:
    """Bring every domain up to `events`. One that fails is marked and recorded; the others stand."""
    wanted = [event for event in events if event.kind in registry]
    if not wanted:
        return
    told = outcome(conn)
    mark = told.mark()
    try:
        async with conn.begin_nested():
            for event in wanted:
                await _project_one(conn, event, registry)
    except Exception as error:
        if passes(error):
            raise
        told.forget_since(mark)
        for event in wanted:
            await _project_apart(conn, event, registry)


async def _project_one(conn: AsyncConnection, event: StoredEvent, registry: Registry) -> None:
    for projection in registry[event.kind]:
        await projection(conn, event)


async def _project_apart(conn: AsyncConnection, event: StoredEvent, registry: Registry) -> None:
    told = outcome(conn)
    mark = told.mark()
    try:
        async with conn.begin_nested():
            await _project_one(conn, event, registry)
    except Exception as error:
        if passes(error):
            raise
        told.forget_since(mark)
        why = f"{type(error).__name__}: {error}"[:300]
        log.warning("projection.failed", event_id=event.id, kind=event.kind, why=why)
        FAILED.labels(event.kind).inc()
        await conn.execute(_MARK, {"id": event.id, "why": why.replace("\x00", "")})
        failed = ProjectionFailed(event=event.id, kind=event.kind, why=why)
        await stream.record(conn, "projection.failed", event.source, failed, site=event.site)
