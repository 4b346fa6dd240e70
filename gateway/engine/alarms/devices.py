"""Devices that fall silent and come back: events at once, stale points, and the alarm `device.lost`.

The alarm waits for a moment: when a whole wire falls silent (its converter, its broker), that is one cause and one
alarm of the wire, not one of every device on it. A device that answers, but with errors only, is `device.failing`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from contract.facts.machines import DeviceFound, DeviceLost
from contract.fitting import fitted
from drivers.reports import UNKEYED
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.desk.timers import Alarmclock
from rules.alarms.causes import BuiltInCause
from rules.alarms.episode import Cause

GATHER_S = 3.0
"""How long losses are gathered before they are alarmed: a wire's devices are noticed one after the other."""


FAILING_S = 10.0
"""How long a device that answers may give nothing but errors before it is alarmed."""


class Loss(NamedTuple):
    """A device that does not answer: since when (Unix ms, and monotonic seconds), and why, as the event says it."""

    since_ms: int
    since_s: float
    why: str


class Devices:
    """Which devices answer."""

    def __init__(self, bus_of: Mapping[str, str], desk: Desk, alarms: Alarms, *, vital: Collection[str]) -> None:
        self._bus_of = dict(bus_of)
        self._vital = frozenset(vital)
        self._points = desk.points
        self._alarms = alarms
        self._names = desk.names
        self._record = desk.record
        self._clock = desk.clock
        self._gathering = Alarmclock(desk.timers, self._gathered)
        self._on_bus: dict[str, list[str]] = {}
        for device, bus in self._bus_of.items():
            self._on_bus.setdefault(bus, []).append(device)
        self._lost: dict[str, Loss] = {}
        self._found: set[str] = set()
        self._unsaid: set[str] = set()
        self._failing: dict[str, float] = {}
        self._doubting = Alarmclock(desk.timers, self._doubted)

    def lost(self, device: str, why: str, facts: Facts) -> bool:
        """The device stopped answering; False if that was known."""
        if device in self._lost or device not in self._bus_of:
            return False
        said = fitted(DeviceLost(device=device, bus=self._bus_of[device], why=why))
        self._lost[device] = loss = Loss(self._clock.wall_ms(), self._clock.monotonic(), said.why)
        self._found.discard(device)
        facts.say("device.lost", device, said, at_ms=loss.since_ms)
        self._gather(device)
        return True

    def found(self, device: str, facts: Facts) -> bool:
        """The device answers (again); False if that was known."""
        if device in self._found or device not in self._bus_of:
            return False
        bus = self._bus_of[device]
        self._found.add(device)
        self._unsaid.discard(device)
        loss = self._lost.pop(device, None)
        after_s = None if loss is None else round(self._clock.monotonic() - loss.since_s, 3)
        facts.say("device.found", device, DeviceFound(device=device, bus=bus, after_s=after_s))
        self._alarms.clear_cause(built_in_key("device.lost", device), facts)
        self._alarms.clear_cause(built_in_key("reader.unkeyed", device), facts)
        whole_wire = self._alarms.present(built_in_key("device.lost", bus))
        self._alarms.clear_cause(built_in_key("device.lost", bus), facts)
        if whole_wire:
            # The wire works: what is still silent on it is silent by itself.
            for other in self._on_bus[bus]:
                if other in self._lost:
                    self._gather(other)
        return True

    def points_changed(self, points: Sequence[str], facts: Facts) -> list[str]:
        """Of the devices whose points have another quality or value: which ones give something valid again."""
        again: list[str] = []
        for device in dict.fromkeys(point.partition(".")[0] for point in points):
            if not self._points.gives_nothing(device):
                if self._failing.pop(device, None) is not None and device not in self._lost:
                    again.append(device)
                self._alarms.clear_cause(built_in_key("device.failing", device), facts)
            elif device not in self._failing:
                self._failing[device] = self._clock.monotonic()
                self._doubt_later()
        return again

    def online(self, device: str) -> bool | None:
        """Whether the device answers; None while nobody knows."""
        return True if device in self._found else False if device in self._lost else None

    def loss(self, device: str) -> Loss | None:
        """Since when the device does not answer, and why; None of one that does, or of which nobody knows.

        What was before a start is not asked for: whoever is silent then is said to be lost anew.
        """
        return self._lost.get(device)

    def _doubted(self) -> None:
        facts = Facts()
        ripe = self._clock.monotonic() - FAILING_S
        for device, since in sorted(self._failing.items()):
            if since <= ripe:
                self._alarms.raise_cause(self._cause("device.failing", device), facts)
        self._doubt_later()
        if facts:
            self._record.append(facts)

    def _doubt_later(self) -> None:
        ripe = self._clock.monotonic() - FAILING_S
        waiting = [since - ripe for since in self._failing.values() if since > ripe]
        self._doubting.arm(min(waiting, default=None))

    def _cause(self, cause: BuiltInCause, source: str) -> Cause:
        """What doors and lanes hang on is no minor matter."""
        hit = {source, *self._on_bus.get(source, ())} & self._vital
        return built_in(cause, source, self._names, severity="major" if hit else None)

    def _gather(self, device: str) -> None:
        if not self._unsaid:
            self._gathering.arm(GATHER_S)
        self._unsaid.add(device)

    def _gathered(self) -> None:
        facts = Facts()
        for bus in dict.fromkeys(self._bus_of[device] for device in sorted(self._unsaid)):
            silent = [device for device in self._on_bus[bus] if device in self._unsaid]
            wholly = len(silent) > 1 and all(device in self._lost for device in self._on_bus[bus])
            wholly = wholly and any(self._lost[device].why != UNKEYED for device in silent)
            for source in [bus] if wholly else silent:
                if not self._alarms.present(built_in_key("device.lost", bus)):
                    # A reader that waits for its key answers: no restart helps it, and somebody else is called.
                    unkeyed = source in self._lost and self._lost[source].why == UNKEYED
                    cause = self._cause("reader.unkeyed" if unkeyed else "device.lost", source)
                    self._alarms.raise_cause(cause, facts)
        self._unsaid.clear()
        if facts:
            self._record.append(facts)
