"""What a few registers may mean: every type in every order, with the likeliest marked and why. Pure.

What counts for a reading: it is near what the meter's own display shows (`expect`), it stands still or moves a little
from one read to the next, it is a number that people measure, and it is written with few digits. A wrong order gives
itself away: it jumps, it is far too large or too small, or it needs every digit that the type has.
Source of the orders: `drivers.profiles.words.Order`; of the float's layout: IEEE 754.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import NamedTuple

from contract.texts import Text
from drivers.modbus.decode import in_order
from drivers.profiles.words import Order

ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")

TYPES: dict[int, tuple[str, ...]] = {
    1: ("u16", "i16"),
    2: ("u32", "i32", "f32"),
    4: ("u64", "i64", "f64"),
}
"""By registers: the types that a profile can name."""

_FORMATS = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q", "f32": ">f", "f64": ">d"}

SENSIBLE = 1e-3, 1e7
"""What people measure, without sign and zero."""

SWAPPED: frozenset[Order] = frozenset({"BADC", "DCBA"})
"""Orders that few devices have: the bytes of each register change places."""

NEAR = 0.1
"""How far from the expected value a reading may be, as a share of it."""

MARKERS = frozenset({0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF})
"""What devices put where they know no value."""


class Cell(NamedTuple):
    """One reading of the registers. `values`: one a read; `points`: how likely, only to be compared."""

    type: str
    order: Order
    values: tuple[int | float, ...]
    points: float
    why: tuple[Text, ...]
    scale: float = 1.0

    @property
    def value(self) -> int | float:
        """The latest."""
        return self.values[-1]


class Guess(NamedTuple):
    """Registers `first` to `first + width - 1` read as one value: every cell, and the likeliest (None: nothing is)."""

    first: int
    width: int
    cells: tuple[Cell, ...]
    best: Cell | None


def guesses(reads: Sequence[Sequence[int]], expect: float | None = None) -> list[Guess]:
    """Every way to cut 1 to 4 registers. `reads`: the same registers at different times, oldest first."""
    count = len(reads[0])
    cuts = [(0, width) for width in (count,) if width in TYPES]
    if count in {3, 4}:
        cuts += [(first, 2) for first in ((0, 1) if count == 3 else (0, 2))]
    if count == 3:
        cuts += [(first, 1) for first in range(3)]
    return [_guess([read[first : first + width] for read in reads], first, width, expect) for first, width in cuts]


def _guess(reads: Sequence[Sequence[int]], first: int, width: int, expect: float | None) -> Guess:
    pieces = [struct.pack(f">{width}H", *read) for read in reads]
    orders: tuple[Order, ...] = ("ABCD", "BADC") if width == 1 else ORDERS
    cells = tuple(_cell(type, order, pieces, expect) for type in TYPES[width] for order in orders)
    ranked = sorted(cells, key=lambda cell: -cell.points)
    # Of equals the plainer one: unsigned, highest byte first. Zeros and markers mean nothing in any order.
    telling = ranked[0].points > 0 and not _empty(reads[-1])
    return Guess(first, width, cells, ranked[0] if telling else None)


def _empty(words: Sequence[int]) -> bool:
    number = 0
    for word in words:
        number = number << 16 | word
    return number == 0 or number in MARKERS


def _cell(type: str, order: Order, pieces: Sequence[bytes], expect: float | None) -> Cell:
    values = tuple(struct.unpack(_FORMATS[type], in_order(piece, order))[0] for piece in pieces)
    judged = _float(type, order, values[-1]) if type in {"f32", "f64"} else _integer(type, order, values[-1])
    points, why = judged
    moved = _moved(type, values)
    points += moved[0]
    why += moved[1]
    scale = 1.0
    if expect is not None:
        near, scale, words = _expected(type, values[-1], expect)
        points += near
        why += words
    return Cell(type, order, values, points, tuple(why), scale)


def _float(type: str, order: Order, value: float) -> tuple[float, list[Text]]:
    if not math.isfinite(value):
        return -8.0, [Text("不是数", "not a number")]
    if value == 0:
        return 0.0, [Text("为零", "zero")]
    low, high = SENSIBLE
    if not low <= abs(value) <= high:
        return -6.0, [Text("数量级不合理", "no sensible magnitude")]
    points, why = 3.0, [Text("浮点数，数量级合理", "a float of sensible magnitude")]
    digits = significant(type, value)
    if digits <= 6:
        points += 0.5 * (7 - digits)
        why.append(Text(f"只有 {digits} 位有效数字", f"only {digits} significant digit{'s' * (digits > 1)}"))
    zeros = trailing_zeros(type, value)
    if zeros >= 8:
        points += 1.0
        why.append(Text(f"尾部 {zeros} 个零位", f"{zeros} trailing zero bits"))
    if value < 0:
        points -= 0.5
    if order in SWAPPED:
        points -= 0.25
    return points, why


def significant(type: str, value: float) -> int:
    """The decimal digits that are needed to write a finite float so that it reads back the same."""
    most = 9 if type == "f32" else 17
    for digits in range(1, most):
        text = f"{value:.{digits}g}"
        same = struct.pack(_FORMATS[type], float(text)) == struct.pack(_FORMATS[type], value)
        if same:
            return digits
    return most


def trailing_zeros(type: str, value: float) -> int:
    """Zero bits at the end of a float's mantissa."""
    bits = int.from_bytes(struct.pack(_FORMATS[type], value), "big")
    length = 23 if type == "f32" else 52
    mantissa = bits & ((1 << length) - 1)
    return length if mantissa == 0 else (mantissa & -mantissa).bit_length() - 1


def _integer(type: str, order: Order, value: int) -> tuple[float, list[Text]]:
    size = {"16": 16, "32": 32, "64": 64}[type[1:]]
    swapped = order in SWAPPED
    if value in MARKERS:
        return -1.0, [Text("像“无效值”标记", "looks like a marker for “no value”")]
    if value == 0:
        return 0.0, [Text("为零", "zero")]
    needed = abs(value).bit_length()
    signed = value < 0
    if size == 16:
        # One register is as it is: almost every device sends its high byte first.
        points = 1.5 if needed <= 14 else 0.5
        why = [Text("单个寄存器，高字节在前最常见", "one register: the high byte first is usual")]
        if swapped:
            points, why = points - 2.0, [Text("字节对调，少见", "swapped bytes are rare")]
        if signed and needed <= 10:
            points, why = points - 0.5, [Text("小负数", "a small negative number")]
        elif type == "i16":
            points -= 1.5 if signed else 0.25
        elif value >= 0xFC00:
            points -= 1.0
        return points, why
    if needed <= size - 12:
        points, why = (2.5 if needed <= 16 else 1.0), [Text(f"数值不大（{needed} 位）", f"not large ({needed} bits)")]
        if swapped:
            points -= 1.0
    else:
        points, why = -3.0, [Text("数值过大", "far too large")]
    return points - (1.0 if signed else 0.0) - (0.25 if type[0] == "i" and not signed else 0.0), why


def _moved(type: str, values: Sequence[int | float]) -> tuple[float, list[Text]]:
    """What several reads say: a measured value moves a little, a wrong order jumps."""
    if len(values) < 2:
        return 0.0, []
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        return -3.0, []
    low, high = min(values), max(values)
    largest = max(abs(low), abs(high))
    if low == high or largest == 0:
        return 0.0, []
    share = (high - low) / largest
    if share <= 0.05:
        shown = f"{100 * share:.2g}"
        return 2.0, [Text(f"多次读取变化 {shown} %", f"moves by {shown} % between reads")]
    if share >= 0.5 and not (type[0] != "f" and largest < 256):
        return -3.0, [Text("多次读取跳动很大", "jumps between reads")]
    return 0.0, []


def _expected(type: str, value: int | float, expect: float) -> tuple[float, float, list[Text]]:
    """Points, the scale that makes the value the expected one, and why."""
    scales = (1.0,) if type in {"f32", "f64"} else (1.0, 0.1, 0.01, 0.001, 10.0)
    for scale in scales:
        scaled = value * scale
        if math.isfinite(scaled) and abs(scaled - expect) <= NEAR * max(abs(expect), 1e-9):
            shown = f"{scaled:.6g}"
            if scale == 1.0:
                return 8.0, scale, [Text(f"接近期望值 {expect:g}", f"near the expected {expect:g}")]
            words = Text(
                f"乘以 {scale:g} 得 {shown}，接近期望值 {expect:g}",
                f"× {scale:g} = {shown}, near the expected {expect:g}",
            )
            return 6.0, scale, [words]
    return -4.0, 1.0, [Text(f"与期望值 {expect:g} 不符", f"not the expected {expect:g}")]
