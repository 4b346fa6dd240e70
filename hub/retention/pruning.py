"""Every night what is kept no longer goes: in slices, so that nobody waits for it, and with an event that counts it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.facts.hub import DataPruned
from contract.texts import Text
from hub.changes import service as changes
from hub.commands import forgetting as commands
from hub.database import once
from hub.database.event import to_instant
from hub.database.failures import passes
from hub.database.transactions import Database
from hub.entries import keeping as entries
from hub.events import stream
from hub.events.redacting import redact
from hub.jobs.job import Done, Job, Retry, Work
from hub.pictures import service as pictures
from hub.retention.terms import Terms, next_time

log = structlog.get_logger(__name__)

SLICE = 200
"""Rows of one transaction."""

PAUSE_S = 0.05
"""Between two slices: others have their turn."""

NUMBERS_SLICE = 2_000
"""Events of one transaction, which the history tells in one event: few, as they are there for ever."""

Slice = Callable[[AsyncConnection], Awaitable[Counter[str]]]
"""Drops one slice: site ("" for the whole company) → how many."""


async def prune(database: Database, terms: Terms, now: datetime) -> dict[str, Counter[str]]:
    """Drop everything whose time is over at `now`: what → site → how many. Each is recorded before the next begins.

    What fails keeps nothing else from going; raises `ExceptionGroup` of what failed when all others are done.
    """

    def since(days: int) -> datetime:
        return now - timedelta(days=days)

    kinds: list[tuple[str, int, Callable[[datetime], Awaitable[Counter[str]]]]] = [
        ("answers", 1, lambda _: _all(database, _answers, Counter())),
        ("pictures", terms.pictures, lambda before: _told(database, "pictures", before, _pictures(before))),
        ("changes", terms.changes, lambda before: _told(database, "changes", before, _changes(before))),
        ("numbers", terms.numbers, lambda before: _numbers(database, before)),
    ]
    found: dict[str, Counter[str]] = {}
    failed: list[Exception] = []
    for what, days, work in kinds:
        if not days:
            continue
        # One kind of data that cannot go must not keep all others for ever; who waits is told below.
        [dropped] = await asyncio.gather(work(since(days)), return_exceptions=True)
        if isinstance(dropped, Exception):
            if not passes(dropped):
                log.error("retention.not_applied", what=what, exc_info=dropped)
            failed.append(dropped)
        elif isinstance(dropped, BaseException):
            raise dropped
        else:
            found[what] = dropped
    if failed:
        raise ExceptionGroup("what is kept no longer could not all go", failed)
    return found


async def _numbers(database: Database, before: datetime) -> Counter[str]:
    """Plates and card numbers: each slice is told in its own transaction, as `hub verify` goes by what was told."""
    count = 0
    while True:
        async with database.transaction(writes=True) as conn:
            done = await redact(conn, before, NUMBERS_SLICE)
            await entries.blank(conn, done)
            await commands.forget_answers(conn, done)
            if count == 0:
                await commands.forget_typed(conn, before)
        count += len(done)
        if len(done) < NUMBERS_SLICE:
            return Counter({"": count})
        await asyncio.sleep(PAUSE_S)


async def _answers(conn: AsyncConnection) -> Counter[str]:
    return Counter({"": await once.prune(conn, SLICE)})


def _pictures(before: datetime) -> Slice:
    async def one(conn: AsyncConnection) -> Counter[str]:
        return await pictures.forget(conn, before, SLICE)

    return one


def _changes(before: datetime) -> Slice:
    async def one(conn: AsyncConnection) -> Counter[str]:
        return Counter({"": await changes.forget(conn, before, SLICE)})

    return one


async def _all(database: Database, one: Slice, dropped: Counter[str]) -> Counter[str]:
    """Slice after slice until one is not full; what is gone is counted in `dropped`."""
    while True:
        async with database.transaction() as conn:
            done = await one(conn)
        dropped += done
        if done.total() < SLICE:
            return dropped
        await asyncio.sleep(PAUSE_S)


async def _told(database: Database, what: str, before: datetime, one: Slice) -> Counter[str]:
    dropped: Counter[str] = Counter()
    try:
        return await _all(database, one, dropped)
    finally:
        # What went before a slice failed, or the hub stopped, is gone, and is told.
        await _record(database, what, before, dropped)


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


async def _prune(work: Work) -> Done:
    await prune(work.database, work.part(Terms), work.now)
    return Done()


PRUNING = Job(
    name="retention.prune",
    text=Text("删除保存到期的数据", "Drop what is kept no longer"),
    work=_prune,
    schedule=next_time,
    lease_s=60,
    retry=Retry(first_s=600, most_s=3600, times=12),
)
"""When a hub starts, as its terms may be others now, and every night."""
