"""Values as the registers of a product hold them: the way back from what a driver decodes. Pure."""

from __future__ import annotations

import math
import struct

from drivers.profiles.words import WIDTHS, Order

_FLOATS = {"f32": ">f", "f64": ">d"}


def raw_of(value: float, scale: float, offset: float, factor: float = 1.0) -> float:
    """The raw number behind a value: value = (raw × scale + offset) × factor."""
    if factor == 0 or scale == 0:
        return 0.0
    return (value / factor - offset) / scale


def words_of(raw: float, kind: str, order: Order) -> list[int]:
    """`raw` in registers; whole numbers that do not fit are held at the nearest that does, as a product would."""
    width = WIDTHS[kind]
    if kind in _FLOATS:
        data = struct.pack(_FLOATS[kind], raw)
    else:
        bits = width * 16
        signed = kind.startswith("i")
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        whole = round(raw) if math.isfinite(raw) else 0
        data = min(high, max(low, whole)).to_bytes(width * 2, "big", signed=signed)
    return _ordered([int.from_bytes(data[at : at + 2], "big") for at in range(0, width * 2, 2)], order)


def number_of(words: list[int], kind: str, order: Order) -> float:
    """The raw number that `words` say; the other direction of `words_of`."""
    data = b"".join(word.to_bytes(2, "big") for word in _ordered(words, order))
    if kind in _FLOATS:
        return float(struct.unpack(_FLOATS[kind], data)[0])
    return int.from_bytes(data, "big", signed=kind.startswith("i"))


def _ordered(words: list[int], order: Order) -> list[int]:
    """Both directions are the same: each order is its own inverse."""
    if order in ("BADC", "DCBA"):
        words = [(word & 0xFF) << 8 | word >> 8 for word in words]
    return words[::-1] if order in ("CDAB", "DCBA") else words
