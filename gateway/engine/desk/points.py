"""The latest value of every point, how far to trust it, and which readings are worth keeping.

Pure: readings in, readings out; the caller stores and evaluates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contract.readings import Quality, Reading, Value
from rules.alarms.conditions import Observed

KEEP_EVERY_MS = 60_000
"""A flag or label that stays the same is stored again after this long, so that a chart shows it was alive."""


class Latest(NamedTuple):
    """What a point was worth last. `at`: Unix ms, 0 if it was never read."""

    value: Value
    quality: Quality
    at: int


class Applied(NamedTuple):
    """`changed`: points whose value or quality is another; `keep`: readings to store."""

    changed: list[str]
    keep: list[Reading]


UNREAD = Latest(None, "stale", 0)


class Points:
    """All points of the site by `device.point`. Those of a lost device keep their value and are stale."""

    def __init__(self, known: Iterable[str]) -> None:
        self.latest: dict[str, Latest] = dict.fromkeys(known, UNREAD)
        self.observed: dict[str, Observed] = {}
        """The same as conditions look at it."""
        self._kept: dict[str, int] = {}
        self._of: dict[str, list[str]] = {}
        for point in self.latest:
            self._of.setdefault(point.partition(".")[0], []).append(point)

    def recall(self, readings: Iterable[Reading]) -> None:
        """Shows the values of before a restart, as stale, until their devices are read."""
        for reading in readings:
            if reading.point in self.latest and self.latest[reading.point].at == 0:
                self.latest[reading.point] = Latest(reading.value, "stale", reading.at)

    def value(self, point: str) -> Latest:
        """The latest value of a point; `UNREAD` if nobody knows it."""
        return self.latest.get(point, UNREAD)

    def of_device(self, device: str) -> list[str]:
        """The points of a device."""
        return self._of.get(device, [])

    def gives_nothing(self, device: str) -> bool:
        """Whether every point of the device is bad: it answers, and nothing that it says is valid."""
        points = self._of.get(device)
        return points is not None and all(self.latest[point].quality == "bad" for point in points)

    def apply(self, readings: Sequence[Reading]) -> Applied:
        """Takes readings in; a bad one keeps nothing of the value before."""
        changed: list[str] = []
        keep: list[Reading] = []
        latest, observed, kept = self.latest, self.observed, self._kept
        for reading in readings:
            point, value, quality, at = reading.point, reading.value, reading.quality, reading.at
            before = latest.get(point, UNREAD)
            latest[point] = Latest(value, quality, at)
            observed[point] = Observed(value, quality)
            if before.at == 0 or before.value != value or before.quality != quality:
                changed.append(point)
            elif not self._worth_keeping(reading):
                continue
            kept[point] = at
            keep.append(reading)
        return Applied(changed, keep)

    def lose(self, device: str, at: int) -> Applied:
        """The device fell silent: its points are stale from `at` on (Unix ms)."""
        stale = [
            Reading(point=point, value=self.latest[point].value, quality="stale", at=at)
            for point in self.of_device(device)
            if self.latest[point].quality != "stale"
        ]
        return self.apply(stale)

    def _worth_keeping(self, reading: Reading) -> bool:
        # Every sample of a number counts for averages; a flag that stays the same says nothing new.
        if isinstance(reading.value, int | float) and not isinstance(reading.value, bool):
            return True
        return not 0 <= reading.at - self._kept.get(reading.point, 0) < KEEP_EVERY_MS
