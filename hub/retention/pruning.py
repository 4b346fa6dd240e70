"""Every night what is kept no longer goes: in slices, so that nobody waits for it, and with an event that counts it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.kinds import DataPruned
from hub import stream
from hub.changes import service as changes
from hub.db import Database
from hub.events.redacting import redact
from hub.events.stored import to_instant
from hub.failures import passes
from hub.once import service as once
from hub.pictures import service as pictures
from hub.retention.terms import Terms, next_time

log = structlog.get_logger(__name__)

SLICE = 200
"""Rows of one transaction."""

PAUSE_S = 0.05
"""Between two slices: others have their turn."""

RETRY_S = 600.0

Slice = Callable[[AsyncConnection], Awaitable[Counter[str]]]
"""Drops one slice: site ("" for the whole company) → how many."""


async def run(database: Database, terms: Terms) -> None:
    """Until cancelled: at the start, then every night."""
    while True:
        try:
            await prune(database, terms, datetime.now(UTC))
            now = datetime.now()
            wait_s = max((next_time(now) - now).total_seconds(), 60.0)
        except Exception as error:
            if not passes(error):
                log.exception("retention.not_applied")
            wait_s = RETRY_S
        await asyncio.sleep(wait_s)


async def prune(database: Database, terms: Terms, now: datetime) -> dict[str, Counter[str]]:
    """Drop everything whose time is over at `now`: what → site → how many. Each is recorded before the next begins."""

    async def old_answers(conn: AsyncConnection) -> Counter[str]:
        return Counter({"": await once.prune(conn, SLICE)})

    found = {}
    for what, days, slice_of in (
        ("pictures", terms.pictures, _pictures),
        ("changes", terms.changes, _changes),
    ):
        if days:
            before = now - timedelta(days=days)
            found[what] = await _all(database, slice_of(before))
            await _record(database, what, before, found[what])
    if terms.numbers:
        found["numbers"] = Counter({"": await _numbers(database, now - timedelta(days=terms.numbers))})
    found["answers"] = await _all(database, old_answers)
    return found


async def _numbers(database: Database, before: datetime) -> int:
    """Plates and card numbers: each slice is told in its own transaction, as `hub verify` goes by what was told."""
    count = 0
    while True:
        async with database.transaction(writes=True) as conn:
            done = await redact(conn, before, SLICE)
        count += done
        if done < SLICE:
            return count
        await asyncio.sleep(PAUSE_S)


def _pictures(before: datetime) -> Slice:
    async def one(conn: AsyncConnection) -> Counter[str]:
        return await pictures.forget(conn, before, SLICE)

    return one


def _changes(before: datetime) -> Slice:
    async def one(conn: AsyncConnection) -> Counter[str]:
        return Counter({"": await changes.forget(conn, before, SLICE)})

    return one


async def _all(database: Database, one: Slice) -> Counter[str]:
    """Slice after slice until one is not full."""
    dropped: Counter[str] = Counter()
    while True:
        async with database.transaction() as conn:
            done = await one(conn)
        dropped += done
        if done.total() < SLICE:
            return dropped
        await asyncio.sleep(PAUSE_S)


async def _record(database: Database, what: str, before: datetime, dropped: Counter[str]) -> None:
    facts = [
        stream.Fact("data.pruned", "hub", DataPruned(what=what, before=to_instant(before), count=count), site or None)
        for site, count in sorted(dropped.items())
        if count
    ]
    if facts:
        async with database.transaction(writes=True) as conn:
            await stream.record_all(conn, facts)
        log.info("retention.applied", what=what, count=dropped.total())
