"""What the uplink wants of this machine's own disk: waited for some seconds only, so that signs of life go on.

Work that takes longer goes on by itself, and whoever asks for the same again gets it. So a disk that hangs holds one
thread for each kind of work, however often it is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")

DISK_S = 5.0
"""How long to wait when this machine's own disk does not give what the hub asks for."""


class DiskHangs(OSError):
    """What is wanted is still being waited for."""


class DiskWork:
    """`answered` is called when a disk that hung has answered after all. Belongs to one event loop."""

    def __init__(self, answered: Callable[[], None]) -> None:
        self._answered = answered
        self._under_way: dict[str, tuple[object, asyncio.Task[Any]]] = {}
        self._late: set[asyncio.Task[Any]] = set()

    async def wait(self, kind: str, asked: object, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """What `work` gives or raises, or an earlier one of this `kind` that was `asked` the same; `DiskHangs`."""
        before = self._under_way.get(kind)
        if before is None or (before[0] != asked and before[1].done()):
            task = asyncio.get_running_loop().create_task(work(), name=f"disk {kind}")
            task.add_done_callback(self._came)
            before = self._under_way[kind] = asked, task
        of, task = before
        if task not in self._late:
            done = of == asked and bool((await asyncio.wait({task}, timeout=DISK_S))[0])
            if done:
                del self._under_way[kind]
                result: T = task.result()
                return result
            log.warning("uplink.disk_hangs", work=kind)
            self._late.add(task)
        raise DiskHangs(f"the disk does not answer ({kind})")

    def _came(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled():
            task.exception()  # told to whoever asks again; if nobody does, it is nobody's
        if task in self._late:
            self._late.discard(task)
            self._answered()
