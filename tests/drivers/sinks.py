"""A sink that keeps what drivers report, and a way to wait for it without guessing times."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from contract.readings import Reading, Value
from drivers.reports import PointsRead, Report

R = TypeVar("R")


@dataclass
class Heard:
    """Everything reported, in order."""

    reports: list[Report] = field(default_factory=list)
    _event: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, report: Report) -> None:
        self.reports.append(report)
        self._event.set()

    def of(self, kind: type[R]) -> list[R]:
        """The reports of one kind."""
        return [report for report in self.reports if isinstance(report, kind)]

    def readings(self, point: str) -> list[Reading]:
        """Every reading of a point (`device.point`)."""
        return [reading for report in self.of(PointsRead) for reading in report.readings if reading.point == point]

    def last(self, point: str) -> Reading | None:
        """The newest reading of a point."""
        return next(reversed(self.readings(point)), None)

    async def until(self, true: Callable[[], object], within_s: float = 30.0) -> None:
        """Waits until `true`, looking again after each report."""
        async with asyncio.timeout(within_s):
            while not true():
                self._event.clear()
                await self._event.wait()

    async def until_value(self, point: str, value: Value, within_s: float = 30.0) -> None:
        """Waits until the newest reading of a point has this value."""
        await self.until(lambda: (last := self.last(point)) is not None and last.value == value, within_s)
