"""From registers to values. Pure.

A value is trusted or it is not: an invalid marker, an unknown label, an infinite float, a value outside the point's
plausible range or a missing multiplier give quality `bad` and no value.
Source of the byte orders: the profile; of the bits' order: Modbus application protocol V1.1b3, sections 6.1 and 6.2.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import compress
from operator import ne

from contract.readings import Value
from drivers.changes import Worth
from drivers.factors import Factors
from drivers.modbus.plan import MULTIPLIER, Block, Span
from drivers.modbus.product import RegisterSource
from drivers.profiles.profile import Multiplier, Point, Profile
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


class _Part:
    """One span of a block, ready to be read. `point` None: it is a multiplier."""

    __slots__ = ("at", "key", "plain", "point", "source", "unpack")

    def __init__(self, span: Span, start: int, point: Point | None, source: RegisterSource) -> None:
        self.key = span.key
        self.at = span.address - start
        self.point = point
        self.source = source
        self.unpack = (
            struct.Struct(_FORMATS[source.type]).unpack_from if source.order == "ABCD" and span.fc > 2 else None
        )
        self.plain = point is not None and _says_itself(point, source)

    def number(self, data: bytes) -> int | float:
        """The raw value in a block's answer."""
        if self.unpack is not None:
            return self.unpack(data, 2 * self.at)[0]  # type: ignore[no-any-return]
        return bit_at(data, self.at) if self.source.type == "bit" else raw(self.source, data, self.at)


def _says_itself(point: Point, source: RegisterSource) -> bool:
    """Whether every raw value is a good value as it is."""
    return (
        source.type not in {"bit", "f32", "f64"}
        and (source.scale, source.offset, source.bit, source.mask) == (1.0, 0.0, None, None)
        and (point.low, point.high) == (None, None)
        and not (source.times or source.enum or source.invalid)
    )


class Reader:
    """One block of a product, made ready: what stands where, and what a change in a register (or bit) changes."""

    def __init__(self, block: Block, points: Mapping[str, Point], multipliers: Mapping[str, Multiplier]) -> None:
        self.spans = block.spans
        self.parts: list[_Part] = []
        self.multipliers: list[_Part] = []
        self._bits = block.fc <= 2
        self._places: list[list[_Part]] = [[] for _ in range(block.size)]
        for span in block.spans:
            point = points.get(span.key)
            if span.key.startswith(MULTIPLIER):
                source = multipliers[span.key[1:]].source
                assert isinstance(source, RegisterSource)
                part = _Part(span, block.start, None, source)
                self.multipliers.append(part)
            elif point is not None and isinstance(point.source, RegisterSource):
                part = _Part(span, block.start, point, point.source)
                self.parts.append(part)
            else:
                continue
            for place in self._places[part.at : part.at + span.width]:
                place.append(part)

    def changed(self, old: bytes, new: bytes) -> list[_Part]:
        """The parts whose registers (or bits) are not the same in two answers."""
        if self._bits:
            places = _bits_of(int.from_bytes(old, "little") ^ int.from_bytes(new, "little"), len(self._places))
        else:
            words = memoryview(old).cast("H"), memoryview(new).cast("H")
            places = compress(range(len(self._places)), map(ne, *words))
        return list(dict.fromkeys(part for place in places for part in self._places[place]))

    def multipliers_stand(self, changed: Iterable[_Part]) -> bool:
        """Whether no multiplier is among what changed."""
        return all(part.point is not None for part in changed)


def _bits_of(number: int, limit: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        number ^= lowest
        place = lowest.bit_length() - 1
        if place < limit:  # what fills the last byte means nothing
            yield place


class Decoder:
    """Reads a product's blocks. `fixed`: multipliers that the site file gives; they win over the device's own."""

    def __init__(self, profile: Profile, fixed: Mapping[str, float]) -> None:
        self._points = profile.points
        self._factors = Factors(profile.multipliers, fixed)
        self._readers: dict[tuple[int, int, int], Reader] = {}

    def forget(self) -> None:
        """The device was away: another one may come back."""
        self._factors.forget()

    def reader(self, block: Block) -> Reader:
        """The block, made ready once."""
        where = block.fc, block.start, block.size
        reader = self._readers.get(where)
        if reader is None or reader.spans is not block.spans:
            reader = self._readers[where] = Reader(block, self._points, self._factors.multipliers)
        return reader

    def read(self, block: Block, data: bytes) -> list[Worth]:
        """Every point in a block's answer. `data`: the registers, or the bits packed, as they came."""
        reader = self.reader(block)
        for part in reader.multipliers:
            self._factors.learn(part.key[1:], part.number(data))
        return self.worth(reader.parts, data)

    def worth(self, parts: Iterable[_Part], data: bytes) -> list[Worth]:
        """These points in their block's answer; its multipliers are known."""
        factors = self._factors.known
        return [
            Worth(part.key, part.number(data), "good") if part.plain else worth(part.point, part.number(data), factors)
            for part in parts
            if part.point is not None
        ]


def refused(block: Block) -> list[Worth]:
    """What a block's points are worth when the device refuses to give them."""
    return [Worth(span.key, None, "bad") for span in block.spans if not span.key.startswith(MULTIPLIER)]
