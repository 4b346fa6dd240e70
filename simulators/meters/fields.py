"""Values as a meter's items hold them: the way back from what the driver decodes. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

from contract.readings import Value
from drivers.meters import bcd
from drivers.meters.coded import UNITS
from drivers.meters.items import Field, Item, width
from drivers.meters.product import FieldSource

ValueOf = Callable[[str], Value]


def item_bytes(item: Item, value: ValueOf, clock: datetime) -> bytes:
    """The data of an item; bytes that no point reads are 0."""
    data = bytearray(item.size)
    for field in item.fields:
        piece = field_bytes(field, value(field.point.id), clock)
        if field.source.form == "binary":
            # Several points may be bits of one word.
            piece = bytes(a | b for a, b in zip(piece, data[field.at :], strict=False))
        data[field.at : field.at + len(piece)] = piece
    return bytes(data)


def time_bytes(field: Field, value: Value, clock: datetime) -> bytes:
    """The time of day that belongs to a clock's date."""
    return bcd.from_digits(bcd.from_moment(_moment(value) or clock, field.source.layout)[-6:], 3)


def field_bytes(field: Field, value: Value, clock: datetime) -> bytes:
    """One value, and its unit's code where there is one."""
    source = field.source
    match source.form:
        case "bcd":
            piece = _number(source, value)
        case "binary":
            piece = _binary(source, value).to_bytes(source.size, "little")
        case "digits":
            piece = bcd.from_digits(_digits(value, 2 * source.size), source.size)
        case "ascii":
            piece = str(value).encode("ascii", "replace")[: source.size].ljust(source.size)[::-1]
        case "clock":
            text = bcd.from_moment(_moment(value) or clock, source.layout)
            piece = bcd.from_digits(text[: 2 * source.size], source.size)
    return piece + bytes((UNITS[field.point.unit],)) if width(source) > source.size else piece


def _number(source: FieldSource, value: Value) -> bytes:
    """Registers roll over as they do in a meter."""
    if isinstance(value, str) or value is None or not math.isfinite(value):
        return b"\xff" * source.size
    raw = round(float(value) * 10**source.decimals)
    end = 10 ** (2 * source.size) * (8 if source.signed else 10) // 10
    if raw < 0 and not source.signed:
        raw = 0
    return bcd.from_number(int(math.copysign(abs(raw) % end, raw)), source.size, signed=source.signed)


def _binary(source: FieldSource, value: Value) -> int:
    if source.bit is not None:
        return (bool(value) == bool(source.on)) << source.bit
    raw = next((raw for raw, label in source.enum.items() if label == value), None)
    if raw is None:
        raw = int(value) if isinstance(value, int | float) else next(iter(source.enum), 0)
    return raw if source.mask is None else raw * (source.mask & -source.mask) & source.mask


def _digits(value: Value, count: int) -> str:
    return "".join(letter for letter in str(value) if letter.isdecimal() and letter.isascii())[-count:] or "0"


def _moment(value: Value) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
