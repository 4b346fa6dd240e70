"""The gateway's clocks: a wall clock that no bad moment of the machine's leads astray, and a monotonic one.

Time is the machine's wall clock while that is believed. It is not believed when it stands before what was recorded
(no battery: 1970), further ahead of the record than a gateway is ever off, or leaps while the gateway runs. Then time
goes on from the last believed instant by the monotonic clock, and is in doubt until somebody vouches for one:

- the hub, whose answers tell its time: from then on that bounds every leap of the machine, both ways. A machine that
  differs is not followed, and this is no doubt: the time is known. What was told or recorded ahead of the hub's time
  (a day in 2099) is taken back;
- the machine itself, when it catches up with the record after a start, when it returns to where it was, or when after
  a leap of less than a day it runs on steadily for ten minutes: somebody set it.

Time never goes back except by such a correction, and each is told to the watchers, who record it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from contract.events import Clock as ClockState
from gateway.hubtime import HubWord

PLAUSIBLE_FROM_MS = 1_767_225_600_000
"""2026-01-01 UTC: this software is younger than any earlier moment."""

PLAUSIBLE_UNTIL_MS = 4_102_444_800_000
"""2100-01-01 UTC: a wall clock after this is broken."""

TOLERATED_STEP_MS = 2_000
"""A wall clock that a time server set back by less is followed as soon as it catches up, without a doubt."""

LEAP_MS = 5 * 60_000
"""A running machine's wall clock that gains more than this on the monotonic one at once is in doubt."""

OFF_MS = 400 * 86_400_000
"""No gateway is off for longer: a wall clock that starts further ahead of the record is in doubt."""

SET_MS = 86_400_000
SET_AFTER_S = 600.0
"""A leap of less than a day is somebody setting the clock, once the clock ran on steadily for so long after it."""

WRONG_MS = 5_000
RIGHT_MS = 2_000
"""A machine's clock is wrong from the first of these differences to the hub's on, and right again below the second."""

MEASURED = 3
"""Answers of the hub that it takes to say that the machine's clock is wrong, or to leave it after a start."""

SETTLED_S = 3_600.0
"""Nothing is forgotten for its age before time has gone on for so long without a doubt or a correction."""


class Doubted(NamedTuple):
    """The machine's wall clock is not believed: it said `wall_ms` when `last_known_ms` was told or recorded last."""

    last_known_ms: int
    wall_ms: int


class Trusted(NamedTuple):
    """The time is known again: it is `wall_ms`."""

    wall_ms: int


class Corrected(NamedTuple):
    """Time was `from_ms` and is `to_ms`: the one instant after which an earlier one may be told."""

    from_ms: int
    to_ms: int


class Measured(NamedTuple):
    """The machine's wall clock is `error_ms` ahead of the hub's; `wrong`: too far to be left so."""

    error_ms: int
    wrong: bool


Turn = Doubted | Trusted | Corrected | Measured
Watcher = Callable[[Turn], None]


def machine_wall_ms() -> int:
    """The machine's own wall clock: Unix milliseconds, whatever they are worth."""
    return time.time_ns() // 1_000_000


class Clock:
    """Wall time and monotonic seconds. Only for the event loop's thread.

    `machine` (Unix ms) and `steady` (seconds) are what it reads; tests give their own.
    """

    def __init__(
        self, machine: Callable[[], int] = machine_wall_ms, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._machine = machine
        self._steady = steady
        self._watchers: list[Watcher] = []
        self._last_ms = 0
        self._last_at = steady()
        self._lead_ms: int | None = None
        """How far ahead of the time that is expected the machine is believed; None: nothing is known to be ahead of."""
        self._ran = False
        """Whether the machine has been believed since the start, so that what it gains since then is a leap."""
        self._leapt: tuple[int, float] | None = None
        """Since when (machine's ms, steady s) a doubted machine runs on steadily."""
        self._told: HubWord | None = None
        """The hub's time as it said last: its commands are stamped with it."""
        self._hub: HubWord | None = None
        """The same as long as it can be right: what time goes by."""
        self._apart = False
        """Whether the machine is not followed because it differs from the hub."""
        self._wrong: bool | None = None
        self._settling_since = steady()
        self.doubt: Doubted | None = None

    # --- What time it is

    @property
    def state(self) -> ClockState:
        """What every event says of the clock at its moment."""
        return "ok" if self.doubt is None else "doubtful"

    def wall_ms(self) -> int:
        """Unix milliseconds, never less than told before or recorded last, unless a correction was told."""
        machine, now = self._machine(), self._steady()
        if self._hub is not None:
            self._tell(self._by_hub(self._hub, machine, now), now)
        else:
            self._by_machine(machine, now)
        return self._last_ms

    def hub_ms(self) -> int | None:
        """The hub's time, which its commands are stamped with; None before it answered for the first time."""
        return None if self._told is None else self._told.now_ms(self._steady())

    def machine_ms(self) -> int:
        """What the machine's wall clock says, believed or not."""
        return self._machine()

    def error_ms(self) -> int | None:
        """How far the machine's wall clock is ahead of the hub's; None before the hub answered for the first time."""
        hub_ms = self.hub_ms()
        return None if hub_ms is None else self._machine() - hub_ms

    def monotonic(self) -> float:
        """Seconds since some moment, for durations."""
        return self._steady()

    def forget_before(self, age_ms: int) -> int:
        """The instant before which things are older than `age_ms` and may go.

        0 (nothing may) until time has been settled for an hour: a wrong moment must not end what is kept for months.
        """
        now_ms = self.wall_ms()
        settled = self.doubt is None and self._steady() - self._settling_since >= SETTLED_S
        return now_ms - age_ms if settled else 0

    def watch(self, watcher: Watcher) -> None:
        """From now on `watcher` hears of each doubt that begins or ends, each correction, and how wrong the machine is.

        It is called in the middle of a reading of the clock, and must not read it itself.
        """
        self._watchers.append(watcher)

    # --- What it is told

    def start_after(self, last_known_ms: int) -> None:
        """Says which instant was recorded last; from now on no moment before it is told."""
        if last_known_ms > self._last_ms:
            self._last_ms, self._last_at = last_known_ms, self._steady()
            self._ran, self._lead_ms = False, OFF_MS
            self.wall_ms()

    def heard_hub(self, word: HubWord) -> None:
        """The hub's time, after an answer of the hub."""
        now = self._steady()
        self._told = word
        if plausible(word.now_ms(now)) and self._believes(word, now):
            self._hub = word
        self.wall_ms()
        if word.answers >= MEASURED:
            error_ms = self._machine() - word.now_ms(now)
            wrong = abs(error_ms) - word.within(now) > (RIGHT_MS if self._wrong else WRONG_MS)
            if wrong != self._wrong:
                self._wrong = wrong
                self._turn(Measured(error_ms, wrong))

    # --- By the hub

    def _believes(self, word: HubWord, now: float) -> bool:
        """One answer alone does not lead away from a machine that goes on from the record: several must agree."""
        if self._hub is not None or word.answers >= MEASURED or self.doubt is not None or not self._ran:
            return True
        return abs(self._machine() - word.now_ms(now)) - word.within(now) <= WRONG_MS

    def _by_hub(self, hub: HubWord, machine: int, now: float) -> int:
        differs = abs(machine - hub.now_ms(now)) - hub.within(now)
        self._apart = differs > (RIGHT_MS if self._apart else WRONG_MS)
        if self._apart:
            return hub.now_ms(now)
        self._ran, self._lead_ms = True, LEAP_MS
        return machine

    # --- By the machine alone

    def _by_machine(self, machine: int, now: float) -> None:
        expected = self._expected(now)
        if self.doubt is None:
            if plausible(machine) and machine >= self._last_ms - TOLERATED_STEP_MS and self._leads_little(machine, now):
                self._follow(max(machine, self._last_ms), now)
                return
            last_known = self._last_ms or PLAUSIBLE_FROM_MS
            self._go_on(max(expected, PLAUSIBLE_FROM_MS), now)
            self._leapt = machine, now
            self._turn(Doubted(last_known, machine))
        elif self._caught_up(machine, now):
            self._follow(max(machine, self._last_ms), now)
            self._turn(Trusted(self._last_ms))
        elif self._was_set(machine, now):
            self._ran, self._lead_ms = True, LEAP_MS
            self._tell(machine, now)
        else:
            self._go_on(max(expected, self._last_ms), now)

    def _expected(self, now: float) -> int:
        """What time it is by the monotonic clock."""
        return self._last_ms + round((now - self._last_at) * 1000) if self._last_ms else 0

    def _leads_little(self, machine: int, now: float) -> bool:
        return self._lead_ms is None or machine - self._expected(now) <= self._lead_ms

    def _caught_up(self, machine: int, now: float) -> bool:
        behind_ms = TOLERATED_STEP_MS if self._ran else 0
        expected = self._expected(now)
        return plausible(machine) and machine >= expected - behind_ms and self._leads_little(machine, now)

    def _was_set(self, machine: int, now: float) -> bool:
        since_ms, since = self._leapt or (machine, now)
        if abs(machine - since_ms - round((now - since) * 1000)) > TOLERATED_STEP_MS:
            self._leapt = machine, now
            return False
        leap_ms = abs(machine - self._expected(now))
        return self._ran and plausible(machine) and leap_ms < SET_MS and now - since >= SET_AFTER_S

    # --- What is told

    def _follow(self, wall_ms: int, now: float) -> None:
        self._ran, self._lead_ms = True, LEAP_MS
        self.doubt = None
        self._go_on(wall_ms, now)

    def _go_on(self, wall_ms: int, now: float) -> None:
        self._last_ms, self._last_at = wall_ms, now

    def _tell(self, wall_ms: int, now: float) -> None:
        """Time is `wall_ms`, by somebody who can be believed: also if that takes back what was told before."""
        expected = max(self._expected(now), self._last_ms)
        doubted = self.doubt is not None
        back, ahead = expected - wall_ms > TOLERATED_STEP_MS, wall_ms - expected > TOLERATED_STEP_MS
        self.doubt = None
        if back or ahead:
            self._go_on(wall_ms, now)
        else:
            self._go_on(max(wall_ms, self._last_ms), now)
        if back or (ahead and expected and not doubted):
            self._turn(Corrected(expected, wall_ms))
        if doubted:
            self._turn(Trusted(self._last_ms))

    def _turn(self, turn: Turn) -> None:
        if isinstance(turn, Doubted):
            self.doubt = turn
        if not isinstance(turn, Measured):
            self._settling_since = self._last_at
        for watcher in self._watchers:
            watcher(turn)


def plausible(wall_ms: int) -> bool:
    """Whether a wall clock can say this and be right."""
    return PLAUSIBLE_FROM_MS <= wall_ms < PLAUSIBLE_UNTIL_MS
