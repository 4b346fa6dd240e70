"""Which values are worth a report: those that changed, and every point once in a while. Pure.

Quiet points cost little, and whoever listens can tell a quiet point from a dead one by the heartbeat.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from contract.readings import Quality, Reading, Value
from drivers.profiles.profile import Point

HEARTBEAT_S = 30.0


class Worth(NamedTuple):
    """What a point is worth: its value, or None with quality bad."""

    point: str
    value: Value
    quality: Quality


@dataclass(slots=True)
class _Told:
    value: Value
    quality: Quality
    at: float


class Changes:
    """What was last told about each point of one device. `now` is monotonic seconds."""

    def __init__(self, device: str, points: Mapping[str, Point], heartbeat_s: float = HEARTBEAT_S) -> None:
        self._names = {name: f"{device}.{name}" for name in points}
        self._deadbands = {name: point.deadband for name, point in points.items() if point.deadband}
        self._heartbeat_s = heartbeat_s
        self._told: dict[str, _Told] = {}

    def forget(self) -> None:
        """The device was away: everything it says is news."""
        self._told.clear()

    def news(self, seen: Iterable[Worth], now: float, at_ms: int) -> tuple[Reading, ...]:
        """The readings worth a report, stamped `at_ms` (Unix milliseconds)."""
        known, names, silent_until = self._told, self._names, now - self._heartbeat_s
        news: list[Reading] = []
        for name, value, quality in seen:
            told = known.get(name)
            if told is None:
                known[name] = _Told(value, quality, now)
            elif told.quality == quality and told.at > silent_until and self._same(name, told.value, value):
                continue
            else:
                told.value, told.quality, told.at = value, quality, now
            news.append(Reading(point=names[name], value=value, quality=quality, at=at_ms))
        return tuple(news)

    def _same(self, name: str, old: Value, new: Value) -> bool:
        if old == new:
            return True
        deadband = self._deadbands.get(name)
        if deadband is None or isinstance(old, str | None) or isinstance(new, str | None):
            return False
        return abs(new - old) < deadband
