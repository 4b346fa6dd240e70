"""Pieces of work that a report set off: recorded and acted on after the sink has returned.

Each lives for at most the bus's and the journal's own time-outs, and stopping waits for them. What comes from outside
without a bound of its own shares a limit. A door, a lock, a lane or an alarm bounds what it begins itself, and never
waits behind others: nobody is locked in because too much else is under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

log = structlog.get_logger(__name__)

ERRANDS_LIMIT = 1000
"""Errands that share the limit: what comes on top is refused, so that a babbling wire cannot fill the memory."""


class Errands:
    """The errands under way. A failing one is logged and counted and hurts no other."""

    def __init__(self, limit: int = ERRANDS_LIMIT) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()
        self._limited = 0
        self.failed = 0
        self.refused = 0

    def start(self, errand: Coroutine[object, object, None]) -> asyncio.Task[None] | None:
        """Begins `errand` in the order of the calls; None (and never begun) if too many are under way."""
        if self._limited >= self._limit:
            errand.close()
            self.refused += 1
            return None
        self._limited += 1
        task = self.begin(errand)
        task.add_done_callback(self._one_less)
        return task

    def begin(self, errand: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begins `errand` in the order of the calls, however many are under way: who asks for it bounds them."""
        task = asyncio.get_running_loop().create_task(errand)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def finished(self) -> None:
        """Returns when nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _one_less(self, _: asyncio.Task[None]) -> None:
        self._limited -= 1

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self.failed += 1
            log.error("errand failed", exc_info=error)
