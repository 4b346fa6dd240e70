"""Runs what is due: a few jobs at a time, each under a lease that a sign of life prolongs while it runs.

It sleeps until the next job is due, and is woken when one is put (`queue.CHANNEL`) or ends. Several processes on one
database share the work: what one has taken, no other sees until its lease has run out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import count

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.database.failures import passes
from hub.database.transactions import Database
from hub.jobs import queue
from hub.jobs.figures import LONG, RUNS, JobFigures
from hub.jobs.job import Again, Done, Job, Result, Work
from hub.jobs.queue import HeldJob

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Jobs of one process at a time: people's requests need the database's connections too."""

LOOK_S = 30.0
"""However long nothing is due, it looks again: a wake-up call may be lost with its connection."""

RETRY_S = 1.0
LOCKED_S = 0.1
"""Something is due, and somebody is just about to put, take or end it."""


class Worker:
    """One process's share of the jobs. `parts`: what the jobs may need of this process, by class."""

    def __init__(
        self, database: Database, jobs: Sequence[Job], parts: Sequence[object] = (), *, at_once: int = AT_ONCE
    ) -> None:
        assert len({job.name for job in jobs}) == len(jobs)
        self.jobs = tuple(jobs)
        self.figures = JobFigures([job.name for job in jobs])
        self._database = database
        self._parts: Mapping[type[object], object] = {type(part): part for part in parts}
        self._at_once = at_once
        self._wake = asyncio.Event()
        self._name = secrets.token_hex(8)
        self._takings = count(1)
        self._running: dict[asyncio.Task[None], HeldJob] = {}

    def wake(self) -> None:
        """Something may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Take and run what is due, until cancelled; what runs then is left to others."""
        standing, told = False, ""
        try:
            while True:
                self._wake.clear()
                try:
                    if not standing:
                        async with self._database.transaction() as conn:
                            await queue.stand(conn, self.jobs)
                        standing = True
                    wait_s, told = await self._turn(), ""
                except Exception as error:
                    # A database that is not migrated yet has no such table: the hub waits for it, and says so, once.
                    if (words := repr(error)[:300]) != told:
                        log.warning("jobs.turn", error=words)
                    wait_s, told = RETRY_S, words
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._wake.wait()
        finally:
            await self._leave()

    async def _turn(self) -> float:
        """Begin what is due; seconds until it is worth looking again."""
        room = self._at_once - len(self._running)
        # Before it is asked: the lease runs from then on at the latest.
        began, holder = asyncio.get_running_loop().time(), f"{self._name}-{next(self._takings)}"
        async with self._database.transaction() as conn:
            taken = await queue.take(conn, self.jobs, room, holder) if room else []
            # Whoever is full looks when one ends.
            wait_s = None if len(taken) == room else await queue.next_in(conn, self.jobs)
            await self.figures.read(conn)
        for held in taken:
            task = asyncio.create_task(self._do(held, began), name=f"job {held.job.name}")
            self._running[task] = held
            task.add_done_callback(self._ended)
        return LOOK_S if wait_s is None else min(max(wait_s, LOCKED_S), LOOK_S)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("jobs.not_ended", job=task.get_name(), error=repr(error)[:300])

    async def _do(self, held: HeldJob, began: float) -> None:
        """One job, from its taking to its end."""
        job, loop = held.job, asyncio.get_running_loop()
        if held.lapsed:
            RUNS.labels(job.name, "lapsed").inc()
            log.warning("jobs.lapsed", job=job.name, key=held.key, failures=held.failures)
            if job.retry.wait_s(held.failures) is None:
                # Whoever runs it dies of it.
                await self._settled(held, partial(_give_up, held))
                return
        work = Work(database=self._database, now=datetime.now(UTC), key=held.key, data=held.data, parts=self._parts)
        doing = asyncio.ensure_future(job.work(work))
        keeping = asyncio.create_task(self._keep(held, doing, began))
        ended: Callable[[AsyncConnection], Awaitable[None]] | None = None
        try:
            result = await doing
        except asyncio.CancelledError:
            if not keeping.done():
                raise
            result_word = "lost"
            log.warning("jobs.lost", job=job.name, key=held.key)
            if not keeping.result():
                # Whoever holds its row up keeps it from being kept and from being taken: that is no death.
                ended = partial(_give_back, held)
        except Exception as error:  # a job's own fault is how it ended
            if not passes(error):
                log.exception("jobs.failed", job=job.name, key=held.key)
            result_word = "failed"
            ended = partial(_fail, held, loop.time() - began, error)
        else:
            result_word = "again" if isinstance(result, Again) else "done"
            ended = partial(_end, held, loop.time() - began, result)
        finally:
            keeping.cancel()
        LONG.labels(job.name).observe(loop.time() - began)
        RUNS.labels(job.name, result_word).inc()
        if ended is not None:
            await self._settled(held, ended)

    async def _settled(self, held: HeldJob, ended: Callable[[AsyncConnection], Awaitable[None]]) -> None:
        """Write down how it ended; while the database is away, as long as nobody else may have taken it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + held.job.lease_s
        while True:
            try:
                async with self._database.transaction() as conn:
                    await ended(conn)
            except Exception as error:  # what the database says of itself may pass
                if not passes(error) or loop.time() > until:
                    raise
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _keep(self, held: HeldJob, doing: asyncio.Future[Done | Again], began: float) -> bool:
        """Give signs of life; end the work when it is another's (True), or when that cannot be ruled out any more."""
        loop, lease_s = asyncio.get_running_loop(), held.job.lease_s
        until, others = began + lease_s, False
        while True:
            await asyncio.sleep(lease_s / 3)
            asked = loop.time()
            try:
                async with asyncio.timeout(max(until - asked, 0)), self._database.transaction() as conn:
                    mine = await queue.keep(conn, held)
            except Exception as error:  # no sign of life was given: what counts is for how long
                if not passes(error):
                    log.exception("jobs.keep", job=held.job.name)
                mine = loop.time() + lease_s / 3 < until
            else:
                until, others = asked + lease_s, not mine
            if not mine:
                doing.cancel()
                return others

    async def _leave(self) -> None:
        """What runs is interrupted, and put back at once."""
        running = dict(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        # Also what was taken, and had not begun.
        with suppress(Exception):
            # Otherwise its lease runs out.
            async with asyncio.timeout(2), self._database.transaction() as conn:
                await queue.release(conn, f"{self._name}-")


async def _end(held: HeldJob, took_s: float, result: Result, conn: AsyncConnection) -> None:
    if isinstance(result, Again):
        await queue.end(conn, held, took_s, max(result.in_s, 0.0), result.why)
    else:
        await queue.end(conn, held, took_s, held.job.next_s(datetime.now(UTC)))


async def _fail(held: HeldJob, took_s: float, error: Exception, conn: AsyncConnection) -> None:
    wait_s = held.job.retry.wait_s(held.failures + 1)
    # What has a schedule comes again by it, whatever happened before, and no later for being tried again.
    in_s = min((one for one in (wait_s, held.job.next_s(datetime.now(UTC))) if one is not None), default=None)
    said = f"{type(error).__name__}: {error}"
    await queue.fail(conn, held, took_s, in_s, said, given_up=wait_s is None)


async def _give_back(held: HeldJob, conn: AsyncConnection) -> None:
    await queue.release(conn, held.holder, held.id)


async def _give_up(held: HeldJob, conn: AsyncConnection) -> None:
    in_s = held.job.next_s(datetime.now(UTC))
    await queue.fail(conn, held, 0.0, in_s, queue.LAPSED, counts=False, given_up=True)
