"""Readings on their way into the tables, as parallel arrays. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from contract.readings import Column, Quality, Value
from hub.telemetry.months import LATEST_MS

QUALITIES: tuple[Quality, ...] = ("good", "stale", "bad")
"""A quality's number in the tables is its place here."""

_NUMBERS: dict[str, int] = {quality: number for number, quality in enumerate(QUALITIES)}


@dataclass
class Latest:
    """The newest reading of one point. `value`: JSON text, None for a bad one."""

    at: datetime
    value: str | None
    quality: int


@dataclass
class Arrays:
    """Rows of readings, column by column."""

    points: list[int] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)
    qualities: list[int] = field(default_factory=list)
    latest: dict[int, Latest] = field(default_factory=dict)
    until_ms: int = LATEST_MS
    """From this moment on (Unix ms) no reading can be."""
    refused: int = 0
    """Readings with a time that cannot be."""

    def add(self, point: int, column: Column) -> None:
        """Add the readings of one point."""
        newest = -1
        for place, at_ms in enumerate(column.at):
            if not 0 <= at_ms < self.until_ms:
                self.refused += 1
                continue
            number, label, quality = stored(column.values[place], column.quality[place])
            self.points.append(point)
            self.at.append(datetime.fromtimestamp(at_ms / 1000, UTC))
            self.values.append(number)
            self.labels.append(label)
            self.qualities.append(quality)
            if newest < 0 or at_ms >= column.at[newest]:
                newest = place
        if newest >= 0:
            self._newest(point, column, newest)

    def _newest(self, point: int, column: Column, place: int) -> None:
        at = datetime.fromtimestamp(column.at[place] / 1000, UTC)
        held = self.latest.get(point)
        if held is not None and held.at > at:
            return
        number, label, quality = stored(column.values[place], column.quality[place])
        known = number is not None or label is not None
        text = msgspec.json.encode(column.values[place]).decode().replace("\\u0000", "") if known else None
        self.latest[point] = Latest(at, text, quality)


def stored(value: Value, quality: str) -> tuple[float | None, str | None, int]:
    """(number, label, quality) as the table holds them. A number that no float can hold is a bad reading."""
    number = _NUMBERS[quality]
    if value is None:
        return None, None, number
    if isinstance(value, str):
        return None, value.replace("\x00", "")[:200], number
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        return None, None, _NUMBERS["bad"]
    return found, None, number


def type_of(values: Iterable[Value]) -> str:
    """number, flag or label: what the first value that is one says."""
    for value in values:
        if isinstance(value, bool):
            return "flag"
        if isinstance(value, str):
            return "label"
        if value is not None:
            return "number"
    return "number"


def shown(number: float | None, label: str | None, kind: str) -> Value:
    """A stored reading's value as it was, given its point's type."""
    if number is None:
        return label
    return bool(number) if kind == "flag" else number
