"""Those who wait until something is on the disk."""

from __future__ import annotations

import asyncio

from gateway.journal.records import Place

Reached = tuple[int, int, int]
"""The last append, the stream's number and the last sequence in it."""


def holds(place: Place | None, wanted: Reached) -> bool:
    """Whether all that was wanted is at or before a place."""
    append, number, seq = wanted
    return place is not None and place.append >= append and (place.number, place.seq) >= (number, seq)


class DiskWaiters:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Reached, asyncio.Future[bool]]] = []

    async def wait(self, wanted: Reached, within_s: float) -> bool:
        """Whether it is on the disk; waits at most `within_s` seconds."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiter = (wanted, future)
        self._waiting.append(waiter)
        try:
            await asyncio.wait((future,), timeout=within_s)
        finally:
            self._waiting.remove(waiter)
        return future.done()

    def reached(self, place: Place) -> None:
        """The disk holds everything up to a place."""
        for wanted, future in self._waiting:
            if holds(place, wanted) and not future.done():
                future.set_result(True)
