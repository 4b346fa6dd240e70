"""What several screens are sent, deflated once: kept for those that send it next, and large pieces off the loop."""

from __future__ import annotations

import asyncio
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field

LEAST = 1400
"""Bytes from which on it is worth it: what fits one packet takes its time in any case."""

LARGE = 32_000
"""Bytes from which on another thread deflates: below that the way there and back costs more."""

KEPT = 8_000_000
"""Bytes that are kept, packed and not: what one tick, or a herd that comes back, has in common."""

LEVEL = 4

_POLYNOMIAL = 0xEDB88320
_ONE = 1 << 31
_BYTE = 1 << 23


@dataclass(frozen=True, slots=True)
class PackedPiece:
    """A piece deflated by itself: it stands in any gzip file, readable as soon as it is there.

    `joins`: its own CRC-32 and, to carry that of all before it over to its end, x to the power of its bits; None where
    reading it again is as quick.
    """

    data: bytes = field(repr=False)
    packed: bytes = field(repr=False)
    joins: tuple[int, int] | None

    @classmethod
    def of(cls, data: bytes) -> PackedPiece:
        """Deflates it."""
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
        joins = (zlib.crc32(data), _power(_BYTE, len(data))) if len(data) >= LARGE else None
        return cls(data, packed, joins)

    def sum_after(self, before: int) -> int:
        """The CRC-32 of what had the CRC-32 `before`, followed by this piece."""
        if self.joins is None:
            return zlib.crc32(self.data, before)
        own, bits = self.joins
        return _times(bits, before) ^ own


class PackedPieces:
    """The pieces that screens are sent, each packed once, whoever asks first. The last ones are kept."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._held = 0
        self._kept: OrderedDict[bytes, PackedPiece] = OrderedDict()
        self._making: dict[bytes, asyncio.Task[PackedPiece]] = {}

    async def of(self, data: bytes) -> PackedPiece | None:
        """The piece, packed; None of one that is too small for it."""
        if len(data) < LEAST:
            return None
        found = self._kept.get(data)
        if found is not None:
            self._kept.move_to_end(data)
            return found
        if len(data) < LARGE:
            return self._keep(PackedPiece.of(data))
        task = self._making.get(data)
        if task is None:
            task = self._making[data] = asyncio.create_task(self._make(data))
        # Who goes away does not take it from those who wait for the same.
        return await asyncio.shield(task)

    async def _make(self, data: bytes) -> PackedPiece:
        try:
            return self._keep(await asyncio.to_thread(PackedPiece.of, data))
        finally:
            del self._making[data]

    def _keep(self, made: PackedPiece) -> PackedPiece:
        self._kept[made.data] = made
        self._held += _size(made)
        while self._held > self._most:
            self._held -= _size(self._kept.popitem(last=False)[1])
        return made


def _size(piece: PackedPiece) -> int:
    return len(piece.data) + len(piece.packed)


def _times(one: int, other: int) -> int:
    """The product of two polynomials over two, modulo that of CRC-32 (RFC 1952, section 8): x⁰ is the highest bit."""
    product = 0
    while one:
        if one & _ONE:
            product ^= other
        one = one << 1 & 0xFFFFFFFF
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return product


def _power(base: int, exponent: int) -> int:
    result = _ONE
    while exponent:
        if exponent & 1:
            result = _times(result, base)
        base = _times(base, base)
        exponent >>= 1
    return result
