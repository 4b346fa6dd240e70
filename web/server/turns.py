"""Whose request begins next, where a process has more to do than to answer people.

Requests begin one after the other, those of many addresses by turns. After each the loop belongs to others for as long
as the request held it; once requests have taken more than a page needs that opens, for many times as long: a flood,
whatever it sends, takes its share and no more.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

REST_AT_MOST_S: Final = 0.1
"""However long a request held the loop, others wait no longer for theirs."""

PAGE_S: Final = 0.2
"""Of the loop's time, what requests may take beyond their share: some pages that open at once."""

UNNOTICED_S: Final = 0.0003
"""What held the loop no longer needs no rest while nobody waits for a turn."""

Begin = Callable[[], object]


class Turns:
    """The turns of one event loop. `rests`: for how many times a request's time nobody else's begins, in a rush."""

    def __init__(self, rests: float) -> None:
        self._rests = rests
        self._loop = asyncio.get_running_loop()
        self._waiting: OrderedDict[str, deque[Begin]] = OrderedDict()
        self._is_free = True
        self._began = 0.0
        self._taken = 0.0
        self._counted_at = 0.0

    def ask(self, address: str, begin: Begin) -> None:
        """Calls `begin` when it is the turn of one from this address: at once if nobody is before him."""
        if self._is_free:
            self._give(begin)
        else:
            self._waiting.setdefault(address, deque()).append(begin)

    def _give(self, begin: Begin) -> None:
        self._is_free = False
        self._began = time.monotonic()
        # What `begin` starts runs before what is called after it.
        try:
            begin()
        finally:
            self._loop.call_soon(self._rest)

    def _rest(self) -> None:
        now = time.monotonic()
        held_s = now - self._began
        given_back = (now - self._counted_at) / (self._rests + 1)
        self._taken = max(0.0, self._taken - given_back) + held_s
        self._counted_at = now
        is_rush = self._taken > PAGE_S
        if held_s <= UNNOTICED_S and not is_rush and not self._waiting:
            self._is_free = True
        else:
            self._loop.call_later(min(held_s * (self._rests if is_rush else 1.0), REST_AT_MOST_S), self._next)

    def _next(self) -> None:
        if not self._waiting:
            self._is_free = True
            return
        address, begins = self._waiting.popitem(last=False)
        begin = begins.popleft()
        if begins:
            self._waiting[address] = begins
        self._give(begin)
