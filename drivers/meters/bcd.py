"""Decimal digits as meters send them, two in a byte, lowest byte first; and moments written in them. Pure.

Source: DL/T 645-2007, section 5.2.4 and annex A; CJ/T 188-2004, section 6.2.
"""

from __future__ import annotations

from datetime import datetime


def digits(data: bytes) -> str | None:
    """The digits, highest first; None if some half byte is none."""
    text = data[::-1].hex()
    return text if text.isdecimal() else None


def number(data: bytes, *, signed: bool) -> int | None:
    """The number; None if some half byte is no digit. `signed`: the highest bit means minus."""
    minus = signed and bool(data[-1] & 0x80)
    text = digits(data[:-1] + bytes((data[-1] & 0x7F,)) if signed else data)
    if text is None:
        return None
    return -int(text) if minus else int(text)


def from_digits(text: str, size: int) -> bytes:
    """`size` bytes of a row of digits, zeros in front. Raises `ValueError` if it does not fit or is none."""
    if not (text.isascii() and text.isdecimal()) or len(text) > 2 * size:
        raise ValueError(f"{text!r:.40} is no row of at most {2 * size} digits")
    return bytes.fromhex(text.zfill(2 * size))[::-1]


def from_number(value: int, size: int, *, signed: bool) -> bytes:
    """`size` bytes of a number. Raises `ValueError` if it does not fit."""
    data = bytearray(from_digits(str(abs(value)), size))
    if (value < 0 and not signed) or (signed and data[-1] & 0x80):
        raise ValueError(f"{value} does not fit into {size} bytes")
    if value < 0:
        data[-1] |= 0x80
    return bytes(data)


CLOCKS = ("YYMMDDWWhhmmss", "YYMMDDhhmmss", "YYYYMMDDhhmmss")
"""How clocks are written: year, month, day, weekday (0: Sunday), hour, minute, second."""


def moment(text: str, layout: str) -> datetime | None:
    """The moment that a row of digits names; None if it names none. A year of two digits is of this century."""
    if len(text) != len(layout):
        return None

    def part(letter: str) -> int:
        return int("".join(digit for digit, place in zip(text, layout, strict=True) if place == letter))

    try:
        return datetime(part("Y") % 100 + 2000, *(part(letter) for letter in "MDhms"))  # type: ignore[arg-type]
    except ValueError:
        return None


def from_moment(at: datetime, layout: str) -> str:
    """The digits of a moment."""
    year = f"{at.year:04}" if layout.startswith("YYYY") else f"{at.year % 100:02}"
    weekday = f"{at.isoweekday() % 7:02}" if "W" in layout else ""
    return f"{year}{at.month:02}{at.day:02}{weekday}{at.hour:02}{at.minute:02}{at.second:02}"
