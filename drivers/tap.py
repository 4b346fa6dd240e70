"""What is said on a wire, for whoever looks at it through its owner: only the owner has the bytes.

While nobody looks nothing is kept, and an owner asks no more than whether `on` is set. What is kept then is bounded: a
watcher that is too slow loses the oldest of it, and is told how much.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Literal, NamedTuple, Protocol, runtime_checkable

KEPT = 2000
KEPT_BYTES = 256_000
"""So much of a wire is kept for its watchers: minutes of a serial line."""

MOST = 4
"""Who may look at one wire at once."""


class Chunk(NamedTuple):
    """Bytes as they went or came, or what went wrong. `at`: Unix seconds; `about`: the device, or the topic, if known.

    `why`: of a fault, in the words of `drivers.reports.DeviceLost`.
    """

    at: float
    way: Literal["out", "in", "fault"]
    data: bytes
    about: str = ""
    why: str = ""


class Tap:
    """The tap of one wire; belongs to one event loop. An owner tells it something only while `on`."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.on = False
        self.about = ""
        """Whom the conversation that is going on is with, where the owner says so."""
        self._clock = clock
        self._kept: deque[Chunk] = deque()
        self._size = 0
        self._next = 0
        self._watchers: set[Watcher] = set()

    @property
    def crowded(self) -> bool:
        """Whether so many look at this wire that nobody else should."""
        return len(self._watchers) >= MOST

    def sent(self, data: bytes, about: str = "") -> None:
        """These bytes are going out."""
        self._keep(Chunk(self._clock(), "out", bytes(data), about or self.about))

    def came(self, data: bytes, about: str = "") -> None:
        """These bytes have come."""
        self._keep(Chunk(self._clock(), "in", bytes(data), about or self.about))

    def failed(self, about: str, why: str) -> None:
        """Nothing usable came of it."""
        self._keep(Chunk(self._clock(), "fault", b"", about, why))

    @contextmanager
    def watched(self) -> Iterator[Watcher]:
        """From now on, until the block ends. Ask whether it is `crowded` before."""
        watcher = Watcher(self, self._next)
        self._watchers.add(watcher)
        self.on = True
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                self.on = False
                self._kept.clear()
                self._size = 0

    def after(self, place: int, most: int) -> tuple[int, list[Chunk]]:
        """How many are lost since that place, and those that are kept, the oldest first."""
        first = self._next - len(self._kept)
        start = max(0, place - first)
        return max(0, first - place), list(islice(self._kept, start, start + most))

    def _keep(self, chunk: Chunk) -> None:
        self._kept.append(chunk)
        self._next += 1
        self._size += len(chunk.data)
        while len(self._kept) > KEPT or self._size > KEPT_BYTES:
            self._size -= len(self._kept.popleft().data)
        for watcher in self._watchers:
            watcher.news.set()


class Watcher:
    """Somebody who looks, and how far they have come."""

    def __init__(self, tap: Tap, place: int) -> None:
        self.news = asyncio.Event()
        self._tap = tap
        self._place = place

    async def next(self, within_s: float, most: int) -> tuple[int, list[Chunk]]:
        """How many were lost, and at most so many that have come since; none if none does within so many seconds."""
        try:
            async with asyncio.timeout(within_s):
                await self.news.wait()
        except TimeoutError:
            return 0, []
        lost, chunks = self._tap.after(self._place, most)
        self._place += lost + len(chunks)
        if len(chunks) < most:
            self.news.clear()
        return lost, chunks


@runtime_checkable
class Tapped(Protocol):
    """A wire that can be looked at."""

    tap: Tap
