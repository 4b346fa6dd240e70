"""What the declared form of a reader's cards means: which bits or texts, how many bytes, and what contradicts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from contract import cards
from contract.cards import CardForm
from contract.texts import Text
from drivers.profiles.words import CardFormat

WIEGAND: Final[Mapping[int, int]] = {26: 3, 34: 4, 37: 5}
"""Bits of a frame → bytes of its value."""

BY_FORMAT: Final[Mapping[str, tuple[int, ...]]] = {
    "w26": (26,),
    "w34": (34,),
    "w37": (37,),
    "wiegand": (26, 34, 37),
    "w34-26": (34,),
}
"""Frames that a declared format of bits takes."""

AS_BITS: Final = frozenset({*BY_FORMAT, "hex", "8h"})
"""Formats that a reader of bits can have; the others are text."""

AS_TEXT: Final = frozenset({"hex", "8h", "10d", "8h-26", "10d-26", "3+5", "5+5", "h10302", "h10304", "decimal"})
"""Formats that a reader of text lines can have."""

CUT: Final = frozenset({"8h-26", "10d-26", "w34-26"})
"""Formats of which the lowest three bytes count."""


def sizes_of(form: CardFormat) -> frozenset[int]:
    """The lengths in bytes that values from a reader with this form can have."""
    if form.format in CUT:
        return frozenset({3})
    if form.format in BY_FORMAT:
        return frozenset(WIEGAND[length] for length in BY_FORMAT[form.format])
    return frozenset(cards.sizes_of(text_form(form), size_of(form)))


Way = Literal["text", "bits"]
"""How a reader tells a card: a line of text, or bits of Wiegand."""


def fault_of(form: CardFormat, way: Way | None = None) -> Text | None:
    """What is contradictory in a declared form (for a reader that tells cards this way); None if nothing is."""
    name = form.format
    if way == "text" and name not in AS_TEXT:
        return Text(f"{name} 是韦根位流，文本读头发不出来", f"{name} is bits; this reader sends text")
    if way == "bits" and name not in AS_BITS:
        return Text(f"{name} 是文本格式，此读头发的是位流", f"{name} is text; this reader sends bits")
    if form.size is not None and name not in {"hex", "decimal"}:
        return Text(
            f"size 只用于 hex 和 decimal，{name} 长度固定", f"`size` is for hex and decimal; {name} has its own length"
        )
    if form.byte_order == "reversed" and (37 in BY_FORMAT.get(name, ()) or name in {"h10302", "h10304"}):
        return Text("37 位韦根不是整字节，byte_order 只能为 iso", "37 bits are no whole bytes: byte_order must be iso")
    return None


def text_form(form: CardFormat) -> CardForm:
    """The printed form behind a text format; how much of its number counts is another matter."""
    return form.format.removesuffix("-26")  # type: ignore[return-value]


def size_of(form: CardFormat) -> int | None:
    """The declared length in bytes, where the form has none of its own."""
    return 4 if form.format == "decimal" and form.size is None else form.size
