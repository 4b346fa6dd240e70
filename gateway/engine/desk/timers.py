"""Waiting without polling: one call at one moment, counted by the monotonic clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

Cancel = Callable[[], None]


class Timers(Protocol):
    """Calls back once, `seconds` from now, on the event loop's thread."""

    def after(self, seconds: float, call: Callable[[], None]) -> Cancel:
        """Arms one call; what is returned disarms it (harmless when it has already happened)."""


class LoopTimers:
    """Timers of the running asyncio loop."""

    def after(self, seconds: float, call: Callable[[], None]) -> Cancel:
        return asyncio.get_running_loop().call_later(max(0.0, seconds), call).cancel


class Alarmclock:
    """One pending moment that can be moved: arming it again forgets the earlier one."""

    def __init__(self, timers: Timers, call: Callable[[], None]) -> None:
        self._timers = timers
        self._call = call
        self._cancel: Cancel | None = None

    def arm(self, seconds: float | None) -> None:
        """Calls in `seconds`, or, with None, not at all."""
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        if seconds is not None:
            self._cancel = self._timers.after(seconds, self._ring)

    def _ring(self) -> None:
        self._cancel = None
        self._call()
