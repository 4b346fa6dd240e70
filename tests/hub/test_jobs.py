"""Work that is done later: with the fact that needs it or not at all, once, and never lost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from contract.texts import Text
from hub.database.hearing import Hearing
from hub.database.transactions import Database
from hub.domains import JOBS
from hub.jobs import queue
from hub.jobs.job import Again, Done, Job, Result, Retry, Work
from hub.jobs.worker import Worker
from tests.hub.office import office
from tests.hub.rig import ROOT
from tests.hub.senders import rows

WITHIN_S = 30.0
AT_ONCE_S = 10.0
"""Sooner than a worker looks by itself (`LOOK_S`), and later than a busy machine answers."""


def job(name: str, work: Callable[[Work], Awaitable[Result]], **more: Any) -> Job:
    """A job that is put by key."""
    return Job(name=name, text=Text(name, name), work=work, **({"standing": False} | more))


@asynccontextmanager
async def working(database: Database, jobs: Sequence[Job], *parts: object) -> AsyncIterator[Worker]:
    """A process that takes its share of the jobs, and hears when one is put."""
    worker, hearing = Worker(database, jobs, parts), Hearing(database)
    hearing.subscribe(queue.CHANNEL, lambda _, __: worker.wake())
    heard = asyncio.Event()
    hearing.on_change(lambda up: heard.set() if up else None)
    tasks = [asyncio.create_task(hearing.run()), asyncio.create_task(worker.run())]
    await heard.wait()
    try:
        yield worker
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def put(database: Database, name: str, in_s: float = 0, **more: Any) -> None:
    async with database.transaction() as conn:
        await queue.put(conn, name, datetime.now(UTC) + timedelta(seconds=in_s) if in_s else None, **more)


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(WITHIN_S):
        while not (found := await holds()):  # noqa: ASYNC110 - the database has no event for it
            await asyncio.sleep(0.02)
    return found


class Log:
    """A job's function that tells what it did."""

    def __init__(self, *results: Result | Exception) -> None:
        self.results = list(results)
        self.done: list[tuple[str, Any]] = []
        self.began = asyncio.Event()

    async def __call__(self, work: Work) -> Result:
        self.done.append((work.key, work.data))
        self.began.set()
        result = self.results.pop(0) if self.results else Done()
        if isinstance(result, Exception):
            raise result
        return result


async def test_what_is_rolled_back_is_never_done_and_what_is_committed_at_once(database: Database) -> None:
    log = Log()
    async with working(database, [job("a.job", log)]):
        with suppress(ZeroDivisionError):
            async with database.transaction() as conn:
                await queue.put(conn, "a.job", key="never")
                raise ZeroDivisionError
        async with database.transaction() as conn:
            await queue.put(conn, "a.job", key="once", data={"n": 1})
            await queue.put(conn, "a.job", key="once")
            await asyncio.sleep(0.2)
            assert log.done == []
        async with asyncio.timeout(AT_ONCE_S):
            await log.began.wait()
        await until(lambda: _none_left(database))
        assert log.done == [("once", {"n": 1})]


async def _none_left(database: Database) -> bool:
    return await rows(database, "SELECT count(*) FROM jobs") == [(0,)]


async def test_it_comes_when_it_is_due_and_sooner_when_it_is_wanted_sooner(database: Database) -> None:
    log = Log()
    async with working(database, [job("a.job", log)]):
        await put(database, "a.job", 60)
        await put(database, "a.job", 2)
        await put(database, "a.job", 30)
        await asyncio.sleep(0.2)
        assert log.done == []
        async with asyncio.timeout(AT_ONCE_S):
            await log.began.wait()


async def test_two_processes_do_two_hundred_jobs_once_each(database: Database, database_url: str) -> None:
    other = Database(database_url, pool_size=5)
    ones, others = Log(), Log()
    async with working(database, [job("a.job", ones)]), working(other, [job("a.job", others)]):
        async with database.transaction() as conn:
            for number in range(200):
                await queue.put(conn, "a.job", key=str(number))
        await until(lambda: _none_left(database))
    await other.close()
    assert sorted(int(key) for key, _ in ones.done + others.done) == list(range(200))
    assert ones.done
    assert others.done


DYING = """
import asyncio, sys
from contract.texts import Text
from hub.database.transactions import Database
from hub.jobs.job import Job
from hub.jobs.worker import Worker

async def stuck(work):
    print(work.key, flush=True)
    await asyncio.Event().wait()

job = Job(name="a.job", text=Text("a", "a"), work=stuck, standing=False, lease_s=2.0)
asyncio.run(Worker(Database(sys.argv[1], pool_size=2), [job]).run())
"""


async def test_the_job_of_a_killed_process_is_taken_by_another_after_its_lease(
    database: Database, database_url: str
) -> None:
    await put(database, "a.job", key="k")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DYING, database_url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"k\n"
    log = Log()
    async with working(database, [job("a.job", log, lease_s=2.0)]):
        # Longer than the lease: who lives keeps it.
        await asyncio.sleep(3)
        assert log.done == []
        process.kill()
        await process.wait()
        async with asyncio.timeout(AT_ONCE_S):
            await log.began.wait()
        await until(lambda: _none_left(database))
    assert log.done == [("k", None)]


async def test_a_long_job_keeps_its_lease(database: Database, database_url: str) -> None:
    async def slow(_: Work) -> Result:
        done.append(1)
        await asyncio.sleep(3)
        return Done()

    done: list[int] = []
    other = Database(database_url, pool_size=5)
    one = [job("a.job", slow, lease_s=2.0)]
    async with working(database, one), working(other, one):
        await put(database, "a.job")
        await until(lambda: _none_left(database))
    await other.close()
    assert done == [1]


async def test_a_failing_job_waits_ever_longer_ends_as_failed_and_is_tried_again_by_hand(database: Database) -> None:
    log = Log(*(ValueError(f"no {n}") for n in range(1, 4)))
    async with working(database, [job("a.job", log, retry=Retry(first_s=0.1, most_s=0.2, times=3))]):
        await put(database, "a.job", key="k")
        query = "SELECT failures, error, due_at FROM jobs WHERE failed_at IS NOT NULL"
        assert await until(lambda: rows(database, query)) == [(3, "ValueError: no 3", None)]
        await asyncio.sleep(0.3)
        assert len(log.done) == 3
        [(row,)] = await rows(database, "SELECT id FROM jobs")
        async with database.transaction() as conn:
            assert await queue.again(conn, int(str(row)))
            assert not await queue.again(conn, 0)
        await until(lambda: _none_left(database))
    assert len(log.done) == 4


@pytest.mark.parametrize(("failures", "wait_s"), [(1, 1.0), (2, 2.0), (4, 8.0), (9, 60.0), (10, None), (11, None)])
def test_waits_double_up_to_the_most_and_end(failures: int, wait_s: float | None) -> None:
    assert Retry(first_s=1, most_s=60, times=10).wait_s(failures) == wait_s


def test_what_nobody_may_be_left_without_is_tried_for_ever() -> None:
    assert Retry(first_s=1, most_s=60, times=None).wait_s(100_000) == 60


async def test_a_standing_job_comes_at_the_start_then_when_it_says_and_stays(database: Database) -> None:
    log = Log(Again(0.1, "more to come"), Done())
    async with working(database, [job("a.job", log, standing=True)]):
        await until(lambda: _ended(database, 2, log))
        await asyncio.sleep(0.2)
    assert len(log.done) == 2
    [(due, said, failures)] = await rows(database, "SELECT due_at, said, failures FROM jobs")
    assert (due, said, failures) == (None, "", 0)


async def _ended(database: Database, times: int, log: Log) -> bool:
    return len(log.done) >= times and await rows(database, "SELECT 1 FROM jobs WHERE held_by IS NULL") == [(1,)]


async def test_after_a_long_night_a_schedule_comes_once(database: Database) -> None:
    log = Log()
    daily = job("a.job", log, standing=True, schedule=lambda now: now + timedelta(days=1))
    async with working(database, [daily]):
        await until(lambda: _ended(database, 1, log))
    await rows(database, "SELECT 1")
    async with database.transaction() as conn:
        await conn.execute(text("UPDATE jobs SET due_at = now() - interval '9 days'"))
    async with working(database, [daily]):
        await until(lambda: _ended(database, 2, log))
        await asyncio.sleep(0.3)
    assert len(log.done) == 2
    [(days,)] = await rows(database, "SELECT extract(epoch FROM due_at - now())::float8 / 86400 FROM jobs")
    assert 0.99 < float(str(days)) < 1.01


async def test_one_that_failed_too_often_still_comes_by_its_schedule(database: Database) -> None:
    log = Log(*[ValueError("no")] * 2)
    retry = Retry(first_s=0.05, times=2)
    hourly = job("a.job", log, standing=True, retry=retry, schedule=lambda now: now + timedelta(hours=1))
    async with working(database, [hourly]):
        query = "SELECT extract(epoch FROM due_at - now())::float8 FROM jobs WHERE failed_at IS NOT NULL"
        [(wait_s,)] = await until(lambda: rows(database, query))
    assert 3500 < float(str(wait_s)) <= 3600


async def test_what_is_put_while_it_runs_is_done_afterwards(database: Database) -> None:
    async def slow(work: Work) -> Result:
        done.append(work.data)
        if len(done) == 1:
            async with work.database.transaction() as conn:
                await queue.put(conn, "a.job", data=2)
            await asyncio.sleep(0.1)
        return Done()

    done: list[Any] = []
    async with working(database, [job("a.job", slow)]):
        await put(database, "a.job", data=1)
        await until(lambda: _none_left(database))
    assert done == [1, 2]


async def test_one_that_kills_its_process_is_not_begun_for_ever(database: Database) -> None:
    log = Log()
    await put(database, "a.job", key="k")
    async with database.transaction() as conn:
        await conn.execute(text("UPDATE jobs SET held_by = 'x', held_until = now(), due_at = NULL, failures = 2"))
    async with working(database, [job("a.job", log, retry=Retry(times=3))]):
        query = "SELECT failures, error FROM jobs WHERE failed_at IS NOT NULL AND held_by IS NULL"
        assert await until(lambda: rows(database, query)) == [(3, queue.LAPSED)]
    assert log.done == []


async def test_who_stops_leaves_its_jobs_to_others_at_once(database: Database) -> None:
    async def stuck(_: Work) -> Result:
        began.set()
        await asyncio.Event().wait()
        return Done()

    began, log = asyncio.Event(), Log()
    await put(database, "a.job", key="k")
    async with working(database, [job("a.job", stuck)]):
        await began.wait()
    async with working(database, [job("a.job", log)]), asyncio.timeout(AT_ONCE_S):
        await log.began.wait()


async def test_a_clock_that_was_put_back_keeps_nobody_waiting(database: Database) -> None:
    log = Log()
    standing = job("a.job", log, standing=True, schedule=lambda now: now + timedelta(hours=1))
    async with working(database, [standing]) as worker:
        await until(lambda: _ended(database, 1, log))
        async with database.transaction() as conn:
            await conn.execute(
                text("UPDATE jobs SET due_at = due_at + interval '1 day', ended_at = ended_at + interval '1 day'")
            )
        worker.wake()
        await until(lambda: _ended(database, 2, log))
        await asyncio.sleep(0.3)
    assert len(log.done) == 2


async def test_a_job_gets_what_it_needs_of_its_process(database: Database) -> None:
    class Thing:
        pass

    async def needs(work: Work) -> Result:
        found.append(work.part(Thing))
        return Done()

    found: list[Thing] = []
    thing = Thing()
    await put(database, "a.job")
    async with working(database, [job("a.job", needs)], thing):
        await until(lambda: _none_left(database))
    assert found == [thing]


async def test_figures_tell_what_waits_and_what_failed(database: Database) -> None:
    async def never(_: Work) -> Result:
        raise ValueError("no")

    await put(database, "a.job")
    async with working(database, [job("a.job", never, retry=Retry(times=1)), job("b.job", never)]) as worker:
        await until(lambda: rows(database, "SELECT 1 FROM jobs WHERE failed_at IS NOT NULL"))
        worker.figures._read_at = float("-inf")
        worker.wake()

        async def told() -> bool:
            number, oldest = worker.figures.collect()
            found = {(sample.labels["job"], sample.labels["state"]): sample.value for sample in number.samples}
            assert [sample.value for sample in oldest.samples] == [0, 0]
            return found[("a.job", "failed")] == 1 and found[("b.job", "failed")] == 0

        await until(told)


async def test_administrators_see_the_jobs_and_have_them_done(database: Database) -> None:
    log = Log(ValueError("no"), Done(), Done())
    jobs = [
        job("a.job", log, standing=True, retry=Retry(times=1)),
        job("b.job", Log(Again(3600, "later")), standing=True),
        job("c.job", Log()),
    ]
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        hub.app.state.jobs = jobs
        await put(database, "c.job", 60, key="nobody's business")
        async with working(database, jobs):
            await until(lambda: rows(database, "SELECT 1 FROM jobs WHERE name = 'b.job' AND said <> ''"))
            await until(lambda: rows(database, "SELECT 1 FROM jobs WHERE failed_at IS NOT NULL"))
            failed, later = (await admin.get("/api/jobs")).json()["items"]
            assert (failed["name"], failed["state"], failed["error"]) == ("a.job", "failed", "ValueError: no")
            assert (failed["text"], failed["next_at"], failed["failures"]) == ({"zh": "a.job", "en": "a.job"}, None, 1)
            assert (later["name"], later["state"], later["why"]) == ("b.job", "waiting", "later")
            answer = await admin.post(f"/api/jobs/{failed['id']}/run")
            assert (answer.status_code, answer.json()["id"]) == (202, failed["id"])
            await until(lambda: rows(database, "SELECT 1 FROM jobs WHERE name = 'a.job' AND error = ''"))
        (item, _) = (await admin.get("/api/jobs")).json()["items"]
        assert (item["state"], item["error"], item["failures"], item["next_at"]) == ("waiting", "", 0, None)
        [change] = (await admin.get("/api/changes", params={"kind": "job"})).json()["items"]
        assert (change["id"], change["by"]["name"], change["fields"][0]["before"]) == ("a.job", "Root", None)
        assert (await admin.post("/api/jobs/999/run")).status_code == 404


@pytest.mark.parametrize(("role", "sites"), [("manager", ["*"]), ("admin", ["demo"]), ("guard", ["demo"])])
async def test_nobody_else_does(database: Database, role: str, sites: list[str]) -> None:
    async with office(database) as hub, hub.signed_in("wang", role, *sites) as client:
        assert (await client.get("/api/jobs")).status_code == 403
        assert (await client.post("/api/jobs/1/run")).status_code == 403
        assert "jobs.run" not in (await client.get("/api/session")).json()["can"]


def test_every_job_of_the_hub_has_a_name_of_its_own_and_says_what_it_is() -> None:
    names = [one.name for one in JOBS]
    assert len(set(names)) == len(names) >= 6
    assert all(one.text.zh and one.text.en and one.lease_s >= 5 for one in JOBS)
