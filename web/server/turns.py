"""Whose request begins next, where a process has more to do than to answer people.

Requests begin one after the other, those of many addresses by turns. After each the loop belongs to others for as long
as requests held it; once they have taken more than a page needs that opens, for many times as long: a flood, whatever
it sends, takes its share and no more. What a request does later, when its body or a disk has come, counts as well.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

REST_AT_MOST_S: Final = 0.5
"""However long one step of a request held the loop, others wait no longer for it."""

PAGE_S: Final = 0.2
"""Of the loop's time, what requests may take beyond their share: some pages that open at once."""

UNNOTICED_S: Final = 0.0003
"""What held the loop no longer needs no rest, but in a rush."""

Begin = Callable[[], object]


class Turns:
    """The turns of one event loop. `rests`: for how many times a request's time nobody else's begins, in a rush."""

    def __init__(self, rests: float) -> None:
        self._rests = rests
        self._loop = asyncio.get_running_loop()
        self._waiting: OrderedDict[str, deque[Begin]] = OrderedDict()
        self._begins = False
        self._taken = 0.0
        self._counted_at = 0.0
        self._free_at = 0.0

    def ask(self, who: str, begin: Begin) -> None:
        """Calls `begin` when it is the turn of one from this address: at once if nobody is before him."""
        if self._begins or time.monotonic() < self._free_at:
            self._waiting.setdefault(who, deque()).append(begin)
            if not self._begins:
                self._begins = True
                self._next()
        else:
            self._give(begin)

    def charge(self, seconds: float) -> None:
        """A request held the loop for so long."""
        now = time.monotonic()
        given_back = (now - self._counted_at) / (self._rests + 1)
        self._taken = max(0.0, self._taken - given_back) + seconds
        self._counted_at = now
        is_rush = self._taken > PAGE_S
        if is_rush or seconds > UNNOTICED_S:
            rest = min(seconds * (self._rests if is_rush else 1.0), REST_AT_MOST_S)
            self._free_at = max(self._free_at, now) + rest

    def metered(self, app: ASGIApp) -> ASGIApp:
        """The app, with all that its requests take of the loop's time charged."""

        def run(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
            work = app(scope, receive, send)
            assert isinstance(work, Coroutine)
            return _Metered(work, self.charge)

        return run

    def _give(self, begin: Begin) -> None:
        self._begins = True
        began = time.monotonic()
        # What `begin` starts takes its first step before what is called after it.
        try:
            begin()
        finally:
            self.charge(time.monotonic() - began)
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        if not self._waiting:
            self._begins = False
            return
        rest = self._free_at - time.monotonic()
        if rest > 0:
            self._loop.call_later(rest, self._next)
            return
        who, begins = self._waiting.popitem(last=False)
        begin = begins.popleft()
        if begins:
            self._waiting[who] = begins
        self._give(begin)


class _Metered:
    """Work whose every step is timed."""

    def __init__(self, work: Coroutine[Any, Any, None], charge: Callable[[float], None]) -> None:
        self._work = work
        self._charge = charge

    def __await__(self) -> Generator[Any, Any, None]:
        step: Callable[[], Any] = partial(self._work.send, None)
        while True:
            began = time.monotonic()
            try:
                waits_for = step()
            except StopIteration:
                return
            finally:
                self._charge(time.monotonic() - began)
            try:
                came = yield waits_for
            except GeneratorExit:
                self._work.close()
                raise
            except BaseException as thrown:  # whatever it is, a cancellation too, it is the work's to take
                step = partial(self._work.throw, thrown)
            else:
                step = partial(self._work.send, came)
