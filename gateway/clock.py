"""The gateway's two clocks: a wall clock that never stands behind the journal, and a monotonic one for durations.

A machine without a battery starts in 1970, or at some older day. Then time goes on from the last instant that was
recorded, by the monotonic clock, and is in doubt until the machine's wall clock has overtaken it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from contract.events import Clock as ClockState

PLAUSIBLE_FROM_MS = 1_767_225_600_000
"""2026-01-01 UTC: this software is younger than any earlier moment."""

PLAUSIBLE_UNTIL_MS = 4_102_444_800_000
"""2100-01-01 UTC: a wall clock after this is broken."""

TOLERATED_STEP_MS = 2_000
"""A wall clock that a time server set back by less is followed as soon as it catches up, without a doubt."""


class Doubt(NamedTuple):
    """Why the wall clock is not believed: it said `wall_ms` when `last_known_ms` was already recorded."""

    last_known_ms: int
    wall_ms: int


Watcher = Callable[[Doubt | None], None]


def machine_wall_ms() -> int:
    """The machine's own wall clock: Unix milliseconds, whatever they are worth."""
    return time.time_ns() // 1_000_000


class Clock:
    """Wall time that never goes back, and monotonic seconds. Only for the event loop's thread.

    `machine` (Unix ms) and `steady` (seconds) are what it reads; tests give their own.
    """

    def __init__(
        self, machine: Callable[[], int] = machine_wall_ms, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._machine = machine
        self._steady = steady
        self._last_ms = 0
        self._anchor: tuple[int, float] = (0, 0.0)
        self._watchers: list[Watcher] = []
        self.doubt: Doubt | None = None

    @property
    def state(self) -> ClockState:
        """What every event says of the clock at its moment."""
        return "ok" if self.doubt is None else "doubtful"

    def start_after(self, last_known_ms: int) -> None:
        """Says which instant was recorded last; from now on no moment before it is told."""
        self._last_ms = max(self._last_ms, last_known_ms)
        self.wall_ms()

    def wall_ms(self) -> int:
        """Unix milliseconds, never less than told before or recorded last."""
        machine = self._machine()
        self._last_ms = self._believed(machine) if self.doubt is None else self._doubted(machine)
        return self._last_ms

    def machine_ms(self) -> int:
        """What the machine's wall clock says, believed or not: what a clock error is measured on."""
        return self._machine()

    def monotonic(self) -> float:
        """Seconds since some moment, for durations."""
        return self._steady()

    def watch(self, watcher: Watcher) -> None:
        """From now on `watcher` hears of each doubt that begins, and None when it ends."""
        self._watchers.append(watcher)

    def _believed(self, machine: int) -> int:
        if plausible(machine) and machine >= self._last_ms - TOLERATED_STEP_MS:
            return max(machine, self._last_ms)
        last_known = max(self._last_ms, PLAUSIBLE_FROM_MS)
        self._anchor = last_known, self._steady()
        self._turn(Doubt(last_known, machine))
        return last_known

    def _doubted(self, machine: int) -> int:
        since, at = self._anchor
        carried = max(self._last_ms, since + round((self._steady() - at) * 1000))
        if not plausible(machine) or machine < carried:
            return carried
        self._turn(None)
        return machine

    def _turn(self, doubt: Doubt | None) -> None:
        self.doubt = doubt
        for watcher in self._watchers:
            watcher(doubt)


def plausible(wall_ms: int) -> bool:
    """Whether a wall clock can say this and be right."""
    return PLAUSIBLE_FROM_MS <= wall_ms < PLAUSIBLE_UNTIL_MS
