"""Readings: what a point was worth, how far to trust it, and when. Columnar on the wire.

A batch has its own store and sequence, apart from events. `oldest` is the oldest sequence that the gateway still
holds: when the disk quota made it drop, the hub skips ahead to it. Rows are idempotent by (point, at).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract import VERSION
from contract.events import StreamId
from contract.limits import COLUMN_LIMIT, READINGS_LIMIT, Id, Words

Quality = Literal["good", "stale", "bad"]
Value = float | int | bool | Words | None

PointId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_-]{1,64}\.[a-z0-9_-]{1,64}\Z")]
"""`device.point`, for example `pump-1.flow`."""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one point. `at`: Unix milliseconds. A bad reading has the value None."""

    point: Id
    value: Value
    quality: Quality
    at: int


_Length = msgspec.Meta(max_length=COLUMN_LIMIT)


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """The readings of one point, oldest first; the three lists have one length. `at`: Unix milliseconds."""

    point: PointId
    at: Annotated[list[int], _Length]
    values: Annotated[list[Value], _Length]
    quality: Annotated[list[Quality], _Length]


class ReadingsBatch(msgspec.Struct, frozen=True, kw_only=True):
    """One blob of the gateway's readings store: `seq` is its place, `oldest` the first one still held."""

    store: StreamId
    seq: Annotated[int, msgspec.Meta(ge=1)]
    oldest: Annotated[int, msgspec.Meta(ge=1)]
    columns: Annotated[list[Column], msgspec.Meta(max_length=READINGS_LIMIT)]
    v: int = VERSION


def columns_of(readings: list[Reading]) -> list[Column]:
    """Readings by point, in the order in which they came."""
    by_point: dict[str, Column] = {}
    for reading in readings:
        column = by_point.get(reading.point)
        if column is None:
            column = by_point[reading.point] = Column(point=reading.point, at=[], values=[], quality=[])
        column.at.append(reading.at)
        column.values.append(reading.value)
        column.quality.append(reading.quality)
    return list(by_point.values())


def readings_fault(batch: ReadingsBatch) -> str | None:
    """What contradicts itself inside a batch of readings, or None."""
    for column in batch.columns:
        lengths = len(column.at), len(column.values), len(column.quality)
        if len(set(lengths)) != 1:
            return f"the column of {column.point} has {lengths} times, values and qualities"
    count = sum(len(column.at) for column in batch.columns)
    if count > READINGS_LIMIT:
        return f"{count} readings, at most {READINGS_LIMIT} travel together"
    if batch.oldest > batch.seq:
        return f"oldest {batch.oldest} is after seq {batch.seq}"
    return None
