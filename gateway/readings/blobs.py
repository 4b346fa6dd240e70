"""Readings as bytes: a blob is what all points said in about a second, a chunk is one point over some minutes. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Container, Iterable, Iterator, Sequence

import msgspec

from contract.readings import Column, Quality, Reading, Value

_encoder = msgspec.json.Encoder()
_columns = msgspec.json.Decoder(list[Column])
_latest = msgspec.json.Decoder(Reading)


class _Sealed(msgspec.Struct, frozen=True):
    """A column whose lists are still bytes."""

    point: str
    at: msgspec.Raw
    values: msgspec.Raw
    quality: msgspec.Raw


_sealed = msgspec.json.Decoder(list[_Sealed])
_times = msgspec.json.Decoder(list[int])
_values = msgspec.json.Decoder(list[Value])
_qualities = msgspec.json.Decoder(list[Quality])

BLOB_READINGS = 20_000
"""Readings in one blob at the most: it must fit one message."""


def pack(columns: Sequence[Column]) -> bytes:
    """The bytes of columns: JSON, deflated (zlib, RFC 1950)."""
    return zlib.compress(_encoder.encode(columns), 3)


def unpack(data: bytes) -> list[Column]:
    """The columns in the bytes; `ValueError` if they are none."""
    try:
        return _columns.decode(zlib.decompress(data))
    except (zlib.error, msgspec.DecodeError) as error:
        raise ValueError(f"not a blob of readings: {error}") from error


def pack_one(reading: Reading) -> bytes:
    """The bytes of a single reading."""
    return _encoder.encode(reading)


def unpack_one(data: bytes) -> Reading:
    """The reading in the bytes."""
    return _latest.decode(data)


def chunks(blobs: Iterable[Sequence[Column]]) -> list[Column]:
    """One column for each point in `blobs`, in the order of the blobs."""
    merged: dict[str, Column] = {}
    for blob in blobs:
        for column in blob:
            into = merged.get(column.point)
            if into is None:
                into = merged[column.point] = Column(point=column.point, at=[], values=[], quality=[])
            into.at.extend(column.at)
            into.values.extend(column.values)
            into.quality.extend(column.quality)
    return list(merged.values())


def span(columns: Iterable[Column]) -> tuple[int, int]:
    """First and last moment (Unix ms) in columns that are not empty."""
    times = [at for column in columns for at in column.at]
    return min(times), max(times)


def count(columns: Iterable[Column]) -> int:
    """How many readings there are."""
    return sum(len(column.at) for column in columns)


def pick(data: bytes, points: Container[str]) -> list[Column]:
    """The columns of these points in the bytes: the others are not taken apart. `ValueError` if they are no columns."""
    try:
        sealed = _sealed.decode(zlib.decompress(data))
        return [
            Column(
                point=column.point,
                at=_times.decode(column.at),
                values=_values.decode(column.values),
                quality=_qualities.decode(column.quality),
            )
            for column in sealed
            if column.point in points
        ]
    except (zlib.error, msgspec.DecodeError) as error:
        raise ValueError(f"not a blob of readings: {error}") from error


def readings_of(columns: Iterable[Column], from_ms: int, to_ms: int) -> Iterator[Reading]:
    """The readings between two moments, both included, in the order of the columns."""
    for column in columns:
        for at, value, quality in zip(column.at, column.values, column.quality, strict=True):
            if from_ms <= at <= to_ms:
                yield Reading(point=column.point, value=value, quality=quality, at=at)


def in_order(readings: Iterable[Reading]) -> list[Reading]:
    """By time; of several at one moment the last one counts, as at the hub."""
    by_time: dict[int, Reading] = {reading.at: reading for reading in readings}
    return [by_time[at] for at in sorted(by_time)]
