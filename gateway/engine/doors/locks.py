"""A door's lock on its board: pulsed, held open or locked, and put right when it differs from what its door wants.

Whoever stands before a lock that did not act cannot wait until somebody looks: the alarm `lock.failed` rises at once
and ends when the lock acts or its board is found again.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from config.site import Door
from drivers.bus import CommandFailed
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.desk.timers import Alarmclock
from rules.passage.doors import DoorMemory, lock_of

log = structlog.get_logger(__name__)

LOCK_WITHIN_S = 1.5
"""A lock that was not let go by then stays shut: the person presents the card again."""

SETTLE_S = 2.0
"""How long a lock may differ from what its door wants, beyond a pulse, before it is put right."""

AGAIN_S = 15.0
"""When a lock that did not follow its door is driven again."""


class DoorLock:
    """One door's lock. `memory`: the door as it is now. `failures`: how often the board did not do what was asked."""

    def __init__(self, id: str, door: Door, memory: Callable[[], DoorMemory], desk: Desk, alarms: Alarms) -> None:
        self.failures = 0
        self._following = False
        self._again = False
        self._id = id
        self._device = door.lock.device
        self._output = door.lock.output
        self._release_s = door.release_s
        self._memory = memory
        self._points = desk.points
        self._names = desk.names
        self._buses = desk.buses
        self._alarms = alarms
        self._record = desk.record
        self._errands = desk.errands
        self._settling = Alarmclock(desk.timers, self._settle)

    @property
    def device(self) -> str:
        """The board that it hangs on."""
        return self._device

    @property
    def point(self) -> str:
        """The `device.point` that says whether it is let go."""
        return f"{self._device}.{self._output}"

    async def pulse(self, within_s: float, facts: Facts) -> None:
        """Lets it go for the door's time; `CommandFailed` if the board did not."""
        try:
            await self._buses.pulse(self._device, self._output, self._release_s, within_s=within_s)
        except CommandFailed as failure:
            self._failed(failure, facts)
            raise
        self._acted(facts)

    async def set(self, *, released: bool, within_s: float) -> None:
        """Sets it for good, until it is set otherwise; `CommandFailed` if the board did not, and tries again later."""
        facts = Facts()
        try:
            await self._buses.write(self._device, self._output, released, within_s=within_s)
            self._acted(facts)
        except CommandFailed as failure:
            self._failed(failure, facts)
            self._settling.arm(AGAIN_S)
            raise
        finally:
            if facts:
                self._record.append(facts)

    def found(self, facts: Facts) -> None:
        """Its board answers (again): a door that stands unlocked is let go, any other must be locked."""
        self._acted(facts)
        self.follow()

    def follow(self) -> None:
        """Is driven as its door wants it, if its board answers at all."""
        if self._memory().mode == "unlocked":
            self._begin_hold(released=True)
        else:
            # A pulse from before a restart runs out by itself; only what stays on after that is put right.
            self.seen()

    def seen(self) -> None:
        """Its board says something else about it than before."""
        pulse_s = 0.0 if self._memory().mode == "unlocked" else self._release_s
        self._settling.arm(pulse_s + SETTLE_S)

    def _begin_hold(self, *, released: bool) -> None:
        if self._following:
            self._again = True
            return
        self._following = True
        self._errands.begin(self._hold(released=released))

    async def _hold(self, *, released: bool) -> None:
        """Sets it as its door wants it, for nobody who could be told that it failed."""
        try:
            await self.set(released=released, within_s=LOCK_WITHIN_S)
        except CommandFailed as failure:
            log.warning("lock does not follow its door", door=self._id, released=released, why=str(failure))
        finally:
            self._following = False
            if self._again:
                # Asked for meanwhile: its board was found again, or its door has another mode.
                self._again = False
                self.follow()

    def _settle(self) -> None:
        """The board was restarted, its timer failed, or somebody else drove it: the lock follows its door."""
        memory, seen = self._memory(), self._points.value(self.point)
        if seen.quality != "good":
            return  # its board is silent, and is looked after when it is found
        if memory.mode == "unlocked":
            if seen.value is False:
                self._begin_hold(released=True)
        elif seen.value is True:
            if lock_of(memory) == "locked":
                self._begin_hold(released=False)
            else:
                self.seen()

    def _failed(self, failure: CommandFailed, facts: Facts) -> None:
        self.failures += 1
        # A board that is silent, or gives nothing but errors, has an alarm and a ticket of its own.
        ticketed = self._buses.online(self._device) and not self._points.gives_nothing(self._device)
        cause = built_in("lock.failed", self._id, self._names, self._device, why=failure.why, ticketed=ticketed)
        self._alarms.raise_cause(cause, facts)

    def _acted(self, facts: Facts) -> None:
        self._alarms.clear_cause(built_in_key("lock.failed", self._id), facts)
