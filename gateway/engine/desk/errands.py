"""Pieces of work that a report set off: recorded and acted on after the sink has returned.

They are bounded, each lives for at most the bus's and the journal's own time-outs, and stopping waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)

ERRANDS_LIMIT = 1000
"""Errands under way at the most: what comes on top is refused, so that a babbling wire cannot fill the memory."""


class Errands:
    """The errands under way. A failing one is logged and counted and hurts no other."""

    def __init__(self, limit: int = ERRANDS_LIMIT) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()
        self.failed = 0
        self.refused = 0

    def start(self, errand: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
        """Begins `errand` in the order of the calls; None (and never begun) if too many are under way."""
        if len(self._tasks) >= self._limit:
            errand.close()
            self.refused += 1
            return None
        task = asyncio.get_running_loop().create_task(errand)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def finished(self) -> None:
        """Returns when nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self.failed += 1
            log.error("errand failed", exc_info=error)
