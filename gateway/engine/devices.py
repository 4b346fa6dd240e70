"""Devices that fall silent and come back: events, stale points, and the alarm `device.lost`."""

from __future__ import annotations

from contract.kinds import DeviceFound, DeviceLost
from gateway.clock import Clock
from gateway.engine.alarms import Alarms
from gateway.engine.causes import built_in, built_in_key
from gateway.engine.layout import Names
from gateway.engine.record import Facts


class Devices:
    """Which devices answer. Those of a crowded wire are lost and found one by one."""

    def __init__(self, bus_of: dict[str, str], alarms: Alarms, names: Names, clock: Clock) -> None:
        self._bus_of = bus_of
        self._alarms = alarms
        self._names = names
        self._clock = clock
        self._lost: dict[str, float] = {}
        self._found: set[str] = set()

    def lost(self, device: str, why: str, facts: Facts) -> bool:
        """The device stopped answering; False if that was known."""
        if device in self._lost or device not in self._bus_of:
            return False
        self._lost[device] = self._clock.monotonic()
        self._found.discard(device)
        facts.say("device.lost", device, DeviceLost(device=device, bus=self._bus_of[device], why=why))
        self._alarms.raise_cause(built_in("device.lost", device, self._names), facts)
        return True

    def found(self, device: str, facts: Facts) -> bool:
        """The device answers (again); False if that was known."""
        if device in self._found or device not in self._bus_of:
            return False
        self._found.add(device)
        since = self._lost.pop(device, None)
        after_s = None if since is None else round(self._clock.monotonic() - since, 3)
        facts.say("device.found", device, DeviceFound(device=device, bus=self._bus_of[device], after_s=after_s))
        self._alarms.clear_cause(built_in_key("device.lost", device), facts)
        return True

    def online(self, device: str) -> bool | None:
        """Whether the device answers; None while nobody knows."""
        return True if device in self._found else False if device in self._lost else None
