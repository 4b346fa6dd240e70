"""From registers to values. Pure.

A value is trusted or it is not: an invalid marker, an unknown label, an infinite float, a value outside the point's
plausible range or a missing multiplier give quality `bad` and no value.
Source of the byte orders: the profile; of the bits' order: Modbus application protocol V1.1b3, sections 6.1 and 6.2.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

from contract.readings import Value
from drivers.changes import Worth
from drivers.modbus.plan import MULTIPLIER, Block
from drivers.profiles.profile import Multiplier, Point, Profile, RegisterSource
from drivers.profiles.words import Order

_FORMATS = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q", "f32": ">f", "f64": ">d"}


def raw(source: RegisterSource, data: bytes, at: int) -> int | float:
    """The raw value at register `at` of an answer's bytes."""
    piece = data[2 * at : 2 * (at + source.width)]
    return struct.unpack(_FORMATS[source.type], in_order(piece, source.order))[0]  # type: ignore[no-any-return]


def bit_at(data: bytes, at: int) -> int:
    """Bit `at` of an answer's bytes, lowest bit of the first byte first."""
    return data[at >> 3] >> (at & 7) & 1


def in_order(piece: bytes, order: Order) -> bytes:
    """Highest byte first, from (or to) the order on the wire: each of the four orders undoes itself."""
    if order == "ABCD":
        return piece
    if order == "DCBA":
        return piece[::-1]
    words = [piece[at : at + 2] for at in range(0, len(piece), 2)]
    if order == "CDAB":
        return b"".join(reversed(words))
    return b"".join(word[::-1] for word in words)


def worth(point: Point, number: int | float, factors: Mapping[str, float]) -> Worth:
    """What a raw value means for a point. `factors`: the multipliers that are known."""
    source = point.source
    assert isinstance(source, RegisterSource)
    value = _value(source, number, factors)
    if value is None or isinstance(value, str | bool):
        return Worth(point.id, value, "bad" if value is None else "good")
    if (point.low is not None and value < point.low) or (point.high is not None and value > point.high):
        return Worth(point.id, None, "bad")
    return Worth(point.id, value, "good")


def _value(source: RegisterSource, number: int | float, factors: Mapping[str, float]) -> Value:
    if isinstance(number, float):
        return _scaled(source, number, factors) if math.isfinite(number) else None
    if number in source.invalid:
        return None
    if source.bit is not None:
        return (number >> source.bit & 1) == source.on
    if source.mask is not None:
        number = (number & source.mask) // (source.mask & -source.mask)
    if source.enum:
        return source.enum.get(number)
    return _scaled(source, number, factors)


def _scaled(source: RegisterSource, number: int | float, factors: Mapping[str, float]) -> float | int | None:
    if source.scale == 1.0 and source.offset == 0.0 and not source.times:
        # A 32-bit float carries seven digits: 230.1, not 230.10000610351562.
        return float(f"{number:.7g}") if source.type == "f32" else number
    value = float(number) * source.scale + source.offset
    for name in source.times:
        factor = factors.get(name)
        if factor is None:
            return None
        value *= factor
    return float(f"{value:.{7 if source.type == 'f32' else 12}g}")


def factor(multiplier: Multiplier, number: int | float) -> float | None:
    """What a multiplier's raw value stands for; None where it stands for nothing (0, or not in its list)."""
    if multiplier.values:
        return multiplier.values.get(int(number))
    return float(number) if math.isfinite(number) and number > 0 else None


class Decoder:
    """Reads a product's blocks. `fixed`: multipliers that the site file gives; they win over the device's own."""

    def __init__(self, profile: Profile, fixed: Mapping[str, float]) -> None:
        self._points = profile.points
        self._multipliers = {name: part for name, part in profile.multipliers.items() if name not in fixed}
        self._fixed = dict(fixed)
        self._read: dict[str, float] = {}

    def forget(self) -> None:
        """The device was away: another one may come back."""
        self._read.clear()

    def read(self, block: Block, data: bytes) -> list[Worth]:
        """Every point in a block's answer. `data`: the registers, or the bits packed, as they came."""
        if block.fc <= 2:
            return [
                worth(self._points[span.key], bit_at(data, span.address - block.start), self._fixed)
                for span in block.spans
            ]
        for span in block.spans:
            if span.key.startswith(MULTIPLIER):
                self._learn(span.key[1:], data, span.address - block.start)
        factors = self._read | self._fixed
        return [
            worth(point, raw(point.source, data, span.address - block.start), factors)
            for span in block.spans
            if (point := self._points.get(span.key)) is not None and isinstance(point.source, RegisterSource)
        ]

    def _learn(self, name: str, data: bytes, at: int) -> None:
        multiplier = self._multipliers.get(name)
        if multiplier is None:
            return
        value = factor(multiplier, raw(multiplier.source, data, at))
        if value is None:
            self._read.pop(name, None)
        else:
            self._read[name] = value


def refused(block: Block) -> list[Worth]:
    """What a block's points are worth when the device refuses to give them."""
    return [Worth(span.key, None, "bad") for span in block.spans if not span.key.startswith(MULTIPLIER)]
