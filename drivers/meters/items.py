"""Which items are read of a meter, and what their bytes mean. Pure.

A value is trusted or it is not: a half byte that is no digit, an unknown label or unit, a field of FF only (no value)
and a value outside the point's plausible range give quality `bad` and no value; an answer of another length than the
profile says is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from contract.readings import Value
from drivers.changes import Worth
from drivers.errors import FrameError
from drivers.meters import bcd
from drivers.meters.coded import conversion
from drivers.meters.product import FieldSource, MeterFormat, meter_of
from drivers.profiles.profile import Point, Profile
from drivers.profiles.words import Group

_URGENCY: tuple[Group, ...] = ("alarm", "normal", "meter")


class Field(NamedTuple):
    """A point and where it is in an item's data."""

    point: Point
    source: FieldSource
    at: int


class Item(NamedTuple):
    """What one conversation reads: an item of `size` bytes and the points in it (`drivers.schedule.Readable`).

    `first`: it tells a multiplier, without which others are not understood. `parts`: items to read instead where the
    meter does not have this one. `time`: item and size of the time of day that belongs to this date.
    """

    item: int
    size: int
    fields: tuple[Field, ...]
    group: Group
    first: bool = False
    parts: tuple[Item, ...] = ()
    time: tuple[int, int] | None = None


def plan(profile: Profile) -> list[Item]:
    """The items of a product, blocks first, each point once."""
    form = meter_of(profile)
    assert form is not None
    points = {name: field for name, point in profile.points.items() if (field := _own(point)) is not None}
    blocks = [_block(item, parts, points, form) for item, parts in form.blocks.items()]
    in_blocks = {field.point.id for block in blocks for field in block.fields}
    rest = [field for name, field in points.items() if name not in in_blocks]
    return [
        item._replace(first=any(field.point.id in profile.multipliers for field in item.fields))
        for item in (*blocks, *_singles(rest, form))
    ]


def _own(point: Point) -> Field | None:
    source = point.source
    if not isinstance(source, FieldSource) or source.item is None:
        return None
    return Field(point, source, source.at)


def _block(item: int, parts: Iterable[str | int], points: dict[str, Field], form: MeterFormat) -> Item:
    at = 0
    fields: list[Field] = []
    for part in parts:
        if isinstance(part, int):
            at += part
        else:
            field = points[part]
            fields.append(field._replace(at=at))
            at += width(field.source)
    singles = [points[field.point.id] for field in fields if field.source.item != item]
    return Item(item, at, tuple(fields), _most_urgent(fields), parts=tuple(_singles(singles, form)))


def _singles(fields: Iterable[Field], form: MeterFormat) -> Iterator[Item]:
    by_item: dict[tuple[int, int | None], list[Field]] = {}
    for field in fields:
        assert field.source.item is not None
        by_item.setdefault((field.source.item, field.source.time_item), []).append(field)
    for (item, time_item), together in by_item.items():
        size = form.lengths.get(item, max(field.at + width(field.source) for field in together))
        time = None if time_item is None else (time_item, 3)
        yield Item(item, size, tuple(together), _most_urgent(together), time=time)


def _most_urgent(fields: Iterable[Field]) -> Group:
    return min((field.point.group for field in fields), key=_URGENCY.index)


def width(source: FieldSource) -> int:
    """Bytes that a value takes, its unit's code included."""
    return source.size + source.unit_code


def worths(item: Item, data: bytes, time: bytes = b"") -> list[Worth]:
    """Every point of an answer. `time`: the answer to the item's `time`.

    Raises `FrameError` where the length is not what the product sends.
    """
    if len(data) != item.size:
        raise FrameError(f"item {item.item:X}: {item.size} bytes are expected, {len(data)} came", data)
    return [_worth(field, data[field.at :], time) for field in item.fields]


def absent(item: Item, address: str | None) -> list[Worth]:
    """What the points are worth where the meter does not have the item."""
    return [
        Worth(field.point.id, address, "good")
        if field.source.address and address is not None
        else Worth(field.point.id, None, "bad")
        for field in item.fields
    ]


def _worth(field: Field, data: bytes, time: bytes) -> Worth:
    point, source = field.point, field.source
    value = _value(source, data[: source.size], data[source.size : width(source)], point.unit, time)
    if value is None:
        return Worth(point.id, None, "bad")
    if not isinstance(value, str | bool) and not _plausible(point, value):
        return Worth(point.id, None, "bad")
    return Worth(point.id, value, "good")


def _plausible(point: Point, value: float) -> bool:
    return (point.low is None or value >= point.low) and (point.high is None or value <= point.high)


def _value(source: FieldSource, data: bytes, code: bytes, unit: str, time: bytes) -> Value:
    if data == b"\xff" * len(data):
        return None
    match source.form:
        case "bcd":
            return _number(source, data, code, unit)
        case "binary":
            return _binary(source, int.from_bytes(data, "little"))
        case "digits":
            return bcd.digits(data)
        case "ascii":
            return _ascii(data)
        case "clock":
            return _clock(source, data, time)


def _number(source: FieldSource, data: bytes, code: bytes, unit: str) -> float | int | None:
    number = bcd.number(data, signed=source.signed)
    if number is None:
        return None
    value = number / 10**source.decimals if source.decimals else number
    if not source.unit_code:
        return value
    factor = conversion(code[0], unit)
    if factor is None:
        return None
    return value if factor == 1 else float(f"{value * factor:.12g}")


def _binary(source: FieldSource, number: int) -> Value:
    if source.bit is not None:
        return (number >> source.bit & 1) == source.on
    if source.mask is not None:
        number = (number & source.mask) // (source.mask & -source.mask)
    return source.enum.get(number) if source.enum else number


def _ascii(data: bytes) -> str | None:
    text = data[::-1].strip(b"\0 ")
    return text.decode("ascii") if text and all(0x20 <= byte < 0x7F for byte in text) else None


MIDNIGHT = 100
"""Until 00:01:00 nobody knows whether a date that was read before is still that day's (hhmmss as a number)."""


def _clock(source: FieldSource, data: bytes, time: bytes) -> str | None:
    text, rest = bcd.digits(data), bcd.digits(time) if time else ""
    if text is None or rest is None:
        return None
    moment = bcd.moment(text + rest, source.layout)
    return None if moment is None else moment.isoformat()


def near_midnight(time: bytes) -> bool:
    """Whether a time of day is so early that the date read before it may be yesterday's."""
    text = bcd.digits(time)
    return text is not None and int(text) < MIDNIGHT
