"""Card numbers as cards, readers and people write them; the one form in which they are compared. Pure.

A card's value is upper-case hex of whole bytes, the highest first, a UID in ISO order: 4, 7 or 10 bytes (ISO/IEC
14443-3), 4 bytes for a number printed as 8H or 10D, 3 for 26 bits of Wiegand, 5 for 37.

| form | written | value |
|---|---|---|
| `hex` | `04A1B2C3D4E5F6` | the bytes as they stand |
| `8h` | `00D507D0` | 4 bytes |
| `10d` | `0013961168` | 4 bytes in decimal |
| `8h-26`, `10d-26` | the same | their lowest 3 bytes: what a 26-bit reader sends of that card |
| `3+5` | `213,02000` | facility and number of 26 bits (H10301): 3 bytes |
| `5+5` | `00213,02000` | facility and number of 34 bits (H10306): 4 bytes |
| `h10302` | `00013961168` | the number of 37 bits: 35 bits with five zero bits before them: 5 bytes |
| `h10304` | `00026,330704` | the same 35 bits as facility (16) and number (19) |
| `decimal` | `1302130211190262` | the whole UID in decimal; its length is not in it and must be said |

Sources: the printed forms of 125 kHz cards; HID's formats H10301, H10302, H10304, H10306.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

PrintedForm = Literal["hex", "8h", "10d", "8h-26", "10d-26", "3+5", "5+5", "h10302", "h10304"]
"""Forms in which people type a number that stands on a card."""

CardForm = PrintedForm | Literal["decimal"]

UID_BYTES = (4, 7, 10)
"""Lengths of a UID (ISO/IEC 14443-3, section 6.5.4)."""

VALUE_BYTES = (3, 4, 5, 7, 10)
"""Lengths of a card's value: a UID's, and those of 26, 34 and 37 bits of Wiegand."""

W37_LIMIT = 1 << 35
"""37 bits of Wiegand carry numbers below this."""

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_MARKS = re.compile(r"[\s:\-]+")
_SEPARATORS = re.compile(r"\s*[,;/:\-]\s*|\s+")


class _Pair(NamedTuple):
    """Facility and number: their digits, and the bits that each takes."""

    digits: tuple[int, int]
    bits: tuple[int, int]


_PAIRS: Mapping[str, _Pair] = {
    "3+5": _Pair((3, 5), (8, 16)),
    "5+5": _Pair((5, 5), (16, 16)),
    "h10304": _Pair((5, 6), (16, 19)),
}
_NUMBERS: Mapping[str, tuple[int, int]] = {"10d": (10, 32), "10d-26": (10, 32), "h10302": (11, 35)}
_SIZES: Mapping[str, int] = {
    "8h": 4, "10d": 4, "8h-26": 3, "10d-26": 3, "3+5": 3, "5+5": 4, "h10302": 5, "h10304": 5,
}  # fmt: skip


def sizes_of(form: CardForm, size: int | None = None) -> tuple[int, ...]:
    """The lengths in bytes that values of a form have. `size`: the declared one, of `hex` and `decimal`."""
    if form in _SIZES:
        return (_SIZES[form],)
    return (size,) if size is not None else UID_BYTES if form == "hex" else ()


def value_of(text: str, form: CardForm, size: int | None = None) -> str | None:
    """The value of a card written exactly so, every leading zero in its place; None if that is not the form.

    `size`: bytes of a number in `decimal`; of `hex` too, where only that length is meant.
    """
    if not text.isascii():
        return None
    if form in {"hex", "8h", "8h-26"}:
        lengths = (4,) if form != "hex" else sizes_of(form, size)
        if len(text) not in {2 * length for length in lengths} or not _HEX.fullmatch(text):
            return None
        data = bytes.fromhex(text)
        return (data[1:] if form == "8h-26" else data).hex().upper()
    number = _number(text, form, size)
    if number is None:
        return None
    if form == "decimal":
        return number.to_bytes(size or 0, "big").hex().upper()
    return (number % (1 << 8 * _SIZES[form])).to_bytes(_SIZES[form], "big").hex().upper()


def typed(text: str, form: CardForm, size: int | None = None) -> str | None:
    """The value of a card as a person types it: leading zeros, other separators and blanks do not matter."""
    text = text.strip()
    if form in _PAIRS:
        parts = _SEPARATORS.split(text)
        if len(parts) != 2 or not all(part.isdecimal() for part in parts):
            return None
        text = ",".join(part.zfill(width) for part, width in zip(parts, _PAIRS[form].digits, strict=True))
    elif form in _NUMBERS:
        text = "".join(text.split()).zfill(_NUMBERS[form][0])
    else:
        text = _MARKS.sub("", text)
    return value_of(text, form, size)


def text_of(value: str, form: CardForm, size: int | None = None) -> str | None:
    """A card's value as it is written in a form; None if it cannot be. The other direction of `value_of`."""
    data = bytes.fromhex(value)
    allowed = sizes_of(form, size)
    if allowed and len(data) not in allowed:
        return None
    number = int.from_bytes(data, "big")
    if form in _PAIRS:
        pair = _PAIRS[form]
        first, second = number >> pair.bits[1], number & (1 << pair.bits[1]) - 1
        return None if first >> pair.bits[0] else f"{first:0{pair.digits[0]}d},{second:0{pair.digits[1]}d}"
    if form in _NUMBERS:
        digits, bits = _NUMBERS[form]
        return None if number >> bits else f"{number:0{digits}d}"
    if form == "decimal":
        return str(number)
    return f"{number:08X}" if form == "8h-26" else data.hex().upper()


def describe(value: str) -> dict[str, str]:
    """Every way in which a card's value may stand on the card or in a list. Raises `ValueError` if it is no value.

    A 4-byte number also tells its `3+5`: that is what the same card gives at a 26-bit reader, the top byte lost.
    """
    data = bytes.fromhex(value)
    found: dict[str, str] = {"hex": data.hex().upper()}
    for form, size in _SIZES.items():
        if size == len(data) and not form.endswith("-26"):
            text = text_of(value, form)  # type: ignore[arg-type]
            found |= {} if text is None else {form: text}
    if len(data) == 4:
        found["3+5"] = text_of(data[1:].hex(), "3+5") or ""
    if len(data) in UID_BYTES:
        found["decimal"] = str(int.from_bytes(data, "big"))
    return found


def doubtful(text: str) -> bool:
    """Whether a typed card number may be ten decimal digits as well as five bytes in hex: the form must be said."""
    return len(text) == 10 and text.isascii() and text.isdigit()


def _number(text: str, form: CardForm, size: int | None) -> int | None:
    """What digits say; None if there are too few or too many of them, or they say too much."""
    pair = _PAIRS.get(form)
    if pair is not None:
        parts = text.split(",")
        if len(parts) != 2 or tuple(map(len, parts)) != pair.digits or not all(part.isdigit() for part in parts):
            return None
        first, second = int(parts[0]), int(parts[1])
        if first >> pair.bits[0] or second >> pair.bits[1]:
            return None
        return first << pair.bits[1] | second
    digits, bits = _NUMBERS.get(form, (0, 8 * (size or 0)))
    if not text.isdigit() or len(text) > 25 or (digits and len(text) != digits) or int(text) >> bits:
        return None
    return int(text)
