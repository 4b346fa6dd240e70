"""Work that is done later, and its leases: what is put in a long transaction, and what a process gave back itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.database.transactions import Database
from hub.jobs import queue
from hub.jobs.job import Done, Result, Work
from hub.jobs.worker import Worker
from tests.hub.senders import rows
from tests.hub.test_jobs import Log, _none_left, job, put, until, working


class Slow:
    """A job's function that takes its time, and tells how often it began and ended."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.begun = asyncio.Event()
        self.begins = self.ends = 0

    async def __call__(self, _: Work) -> Result:
        self.begins += 1
        self.begun.set()
        await asyncio.sleep(self.takes_s)
        self.ends += 1
        return Done()


async def test_what_is_put_again_and_again_takes_no_lease_from_who_runs_it(database: Database) -> None:
    slow = Slow(3.5)
    async with working(database, [job("a.job", slow, lease_s=2.0)]):
        await put(database, "a.job")
        await slow.begun.wait()
        # It will come again anyway: this changes nothing.
        await put(database, "a.job", 0.1)
        async with database.transaction() as conn:
            await queue.put(conn, "a.job", datetime.now(UTC) + timedelta(seconds=60))
            await asyncio.sleep(3)
        await until(lambda: _none_left(database))
    assert (slow.begins, slow.ends) == (2, 2)


async def test_what_is_due_anyway_is_not_begun_before_what_it_is_put_for_is_there(database: Database) -> None:
    log = Log()
    async with working(database, [job("a.job", log)]) as worker:
        await put(database, "a.job", 2)
        async with database.transaction() as conn:
            await queue.put(conn, "a.job", datetime.now(UTC) + timedelta(seconds=60))
            await asyncio.sleep(2.5)
            worker.wake()
            await asyncio.sleep(0.2)
            assert log.done == []
        await until(lambda: _none_left(database))
    assert len(log.done) == 1


async def test_a_lease_that_its_own_process_gave_up_is_no_death(database: Database) -> None:
    slow = Slow(3.5)
    async with working(database, [job("a.job", slow, lease_s=1.5)]):
        await put(database, "a.job")
        await slow.begun.wait()
        async with database.transaction() as conn:
            await queue.put(conn, "a.job", datetime.now(UTC) + timedelta(seconds=0.1))
            await asyncio.sleep(4)
            # Whoever cannot say that it lives does not go on.
            assert slow.ends == 0
        await until(lambda: _running_again(database, slow))
        assert await rows(database, "SELECT failures, error FROM jobs") == [(0, "")]
        await until(lambda: _none_left(database))
    assert slow.ends >= 1


async def _running_again(database: Database, slow: Slow) -> bool:
    return slow.begins == 2


async def test_what_was_taken_and_had_not_begun_is_left_to_others_as_well(database: Database) -> None:
    """The process is stopped between the commit that takes a job and its first step."""

    class Stopped(Database):
        @asynccontextmanager
        async def transaction(self, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
            async with database.transaction(writes=writes) as conn:
                yield conn
            if await rows(database, "SELECT 1 FROM jobs WHERE held_by IS NOT NULL") and not stopping:
                stopping.append(True)
                raise asyncio.CancelledError

    stopping: list[bool] = []
    log = Log()
    await put(database, "a.job", key="k")
    stopped = Stopped("postgresql://nobody@127.0.0.1:1/none")
    with suppress(asyncio.CancelledError):
        await Worker(stopped, [job("a.job", log)]).run()
    assert stopping
    assert await rows(database, "SELECT held_by, failures FROM jobs") == [(None, 0)]
    assert log.done == []
