"""Work that is done later, and clocks: what a schedule goes by, and what becomes of jobs when a clock is put back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from hub.database.transactions import Database
from hub.jobs.job import Done, Result, Retry, Work
from hub.retention.terms import next_time
from hub.telemetry.rollup import SUMS
from tests.hub.senders import rows
from tests.hub.test_jobs import AT_ONCE_S, Log, _none_left, job, put, until, working


@pytest.fixture
def in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The hub's own clock is half an hour beside the hours of UTC."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_india")
@pytest.mark.parametrize(("minute", "wait_min"), [(0, 2), (1, 1), (31, 31), (59, 3)])
def test_hours_are_summed_after_those_of_utc_wherever_the_hub_is(minute: int, wait_min: int) -> None:
    assert SUMS.next_s(datetime(2026, 11, 30, 10, minute, tzinfo=UTC)) == wait_min * 60


@pytest.mark.usefixtures("in_india")
def test_a_schedule_goes_by_the_hubs_own_clock_where_it_names_none() -> None:
    async def never(_: Work) -> Result:
        return Done()

    nightly = job("a.job", never, standing=True, schedule=next_time)
    # Half past one at night: half past three is next.
    assert nightly.next_s(datetime(2026, 11, 30, 20, 0, tzinfo=UTC)) == 7200


async def test_a_clock_that_was_put_back_keeps_no_job_for_the_dead(database: Database) -> None:
    log = Log()
    await put(database, "a.job", key="k")
    async with database.transaction() as conn:
        await conn.execute(
            text(
                "UPDATE jobs SET held_by = 'dead', held_until = now() + interval '1 day', due_at = NULL,"
                " began_at = now() + interval '1 day'"
            )
        )
    async with working(database, [job("a.job", log, lease_s=0.5)]):
        async with asyncio.timeout(AT_ONCE_S):
            await log.began.wait()
        await until(lambda: _none_left(database))


async def test_a_clock_that_was_put_back_takes_no_job_from_the_living(database: Database, database_url: str) -> None:
    async def slow(_: Work) -> Result:
        done.append(1)
        if len(done) == 1:
            async with database.transaction() as conn:
                await conn.execute(text("UPDATE jobs SET held_until = held_until + interval '1 day'"))
        await asyncio.sleep(3)
        return Done()

    done: list[int] = []
    other = Database(database_url, pool_size=5)
    one = [job("a.job", slow, lease_s=2.0)]
    async with working(database, one), working(other, one) as waiting:
        await put(database, "a.job")
        for _ in range(10):
            await asyncio.sleep(0.1)
            waiting.wake()
        await until(lambda: _none_left(database))
    await other.close()
    assert done == [1]


async def test_a_failing_job_is_tried_again_after_the_clock_was_put_back(database: Database) -> None:
    log = Log(ValueError("no"))
    await put(database, "a.job", key="k")
    async with working(database, [job("a.job", log, retry=Retry(first_s=60))]) as worker:
        await until(lambda: rows(database, "SELECT 1 FROM jobs WHERE failures = 1 AND held_by IS NULL"))
        async with database.transaction() as conn:
            await conn.execute(
                text("UPDATE jobs SET due_at = due_at + interval '1 day', ended_at = ended_at + interval '1 day'")
            )
        worker.wake()
        await until(lambda: _none_left(database))
    assert len(log.done) == 2
