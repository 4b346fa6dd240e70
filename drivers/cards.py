"""A card's number as its reader sends it, text or bits, to the value in which cards are compared, and back. Pure.

The form is declared for each reader (`CardFormat`) and nothing else is tried. A value is what `contract.cards` says:
upper-case hex, highest byte first. Of Wiegand bits the payload without the two parity bits counts: 26 bits → 3 bytes,
34 → 4, 37 → its 35 bits as a number in 5 bytes, so that the five highest bits are zero; H10302 (no facility) and
H10304 (facility 16, card 19) are the same bits and the same value.
Sources: HID formats H10301, H10302, H10304, H10306 (first bit even over the first half, last bit odd over the last;
in 37 bits the halves share the middle bit); OSDP 2.2 section 7.10, raw card data: bits fill bytes from the left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contract import cards
from drivers.errors import FrameError
from drivers.profiles.cardforms import AS_BITS, AS_TEXT, BY_FORMAT, CUT, WIEGAND, fault_of, size_of, sizes_of, text_form
from drivers.profiles.words import CardFormat

__all__ = [
    "AS_BITS",
    "AS_TEXT",
    "WrongForm",
    "describe",
    "fault_of",
    "from_bits",
    "from_text",
    "sizes_of",
    "sound",
    "to_bits",
    "to_text",
]

_HALVES: Final[Mapping[int, int]] = {26: 13, 34: 17, 37: 19}
"""How many bits, its own among them, each parity bit covers."""


class WrongForm(ValueError):
    """A declared form that contradicts itself, or that this way of reading does not have."""


def from_text(text: str, form: CardFormat) -> str:
    """The value of a card that a reader wrote, its prefix cut off. Raises `FrameError` if that is not the form."""
    if form.format not in AS_TEXT:
        raise WrongForm(f"{form.format} is bits, not text")
    value = cards.value_of(text, text_form(form), size_of(form))
    if value is None:
        raise FrameError(f"not a card number in the form {form.format}", text.encode()[:64])
    data = _turned_bytes(bytes.fromhex(value), form)
    # The lowest three bytes are those of the card's number, whichever byte the reader sends first.
    return data[-3:].hex().upper() if form.format in CUT else data.hex().upper()


def to_text(value: str, form: CardFormat) -> str:
    """What a reader of this form writes for a card's value. Raises `WrongForm` if it cannot read such a card."""
    if form.format not in AS_TEXT:
        raise WrongForm(f"{form.format} is bits, not text")
    data = bytes.fromhex(value)
    whole = bytes(4 - len(data)) + data if form.format in CUT and len(data) == 3 else data
    text = None
    if len(data) in (sizes_of(form) or {len(data)}) and int.from_bytes(whole, "big") < 1 << _width(whole, form):
        text = cards.text_of(_turned_bytes(whole, form).hex(), text_form(form), size_of(form))
    if text is None:
        lengths = " or ".join(str(size) for size in sorted(sizes_of(form)))
        raise WrongForm(f"a card of {len(data)} bytes cannot be written as {form.format}, which takes {lengths}")
    return text


def from_bits(bits: bytes, length: int, form: CardFormat) -> str:
    """The value of a card that came as `length` bits, filled into bytes from the left (what pads the last is ignored).

    Raises `FrameError` for a length that the form does not have, and for wrong parity.
    """
    if length < 1 or len(bits) != (length + 7) // 8:
        raise FrameError(f"{length} bits do not take {len(bits)} bytes", bits)
    number = _turned(int.from_bytes(bits, "big") >> -length % 8, length, form)
    if form.format in BY_FORMAT:
        if length not in BY_FORMAT[form.format]:
            wanted = ", ".join(str(each) for each in BY_FORMAT[form.format])
            raise FrameError(f"a card of {length} bits at a reader declared {form.format} ({wanted} bits)", bits)
        if not sound(number, length):
            raise FrameError(f"a card of {length} bits with wrong parity", bits)
        payload = number >> 1 & (1 << length - 2) - 1
        value = _ordered(payload.to_bytes(WIEGAND[length], "big"), form)
        return value[-6:] if form.format in CUT else value
    if form.format not in AS_BITS:
        raise WrongForm(f"{form.format} is text, not bits")
    if length % 8 or length // 8 not in sizes_of(form):
        raise FrameError(f"a card of {length} bits at a reader declared {form.format}", bits)
    return _ordered(number.to_bytes(length // 8, "big"), form)


def to_bits(value: str, form: CardFormat) -> tuple[bytes, int]:
    """The bits, from the left, and their number, as a reader of this form sends a card's value. Raises `WrongForm`."""
    cut = form.format in CUT and len(value) == 6
    data = bytes.fromhex(_ordered(bytes.fromhex("00" + value if cut else value), form))
    if len(data) not in (sizes_of(form) if not cut else {4}):
        raise WrongForm(f"a card of {len(value) // 2} bytes cannot be sent as {form.format}")
    payload, length = int.from_bytes(data, "big"), 8 * len(data)
    if form.format in BY_FORMAT:
        found = [each for each in BY_FORMAT[form.format] if WIEGAND[each] == len(data) and payload < 1 << each - 2]
        if not found:
            raise WrongForm(f"a card of {len(data)} bytes cannot be sent as {form.format}")
        length = found[0]
        payload = _with_parity(payload, length)
    elif form.format not in AS_BITS:
        raise WrongForm(f"a card of {len(data)} bytes cannot be sent as {form.format}")
    number = _turned(payload, length, form)
    return (number << -length % 8).to_bytes((length + 7) // 8, "big"), length


def describe(value: str) -> dict[str, str]:
    """Every way in which a card's value may be printed (10D, 8H, facility and number): for people at enrolment."""
    return cards.describe(value)


def sound(number: int, length: int) -> bool:
    """Whether both parity bits of a Wiegand frame are right."""
    half = _HALVES[length]
    return (number >> length - half).bit_count() % 2 == 0 and (number & (1 << half) - 1).bit_count() % 2 == 1


def _with_parity(payload: int, length: int) -> int:
    half = _HALVES[length]
    number = payload << 1
    number |= ((number >> length - half).bit_count() % 2) << length - 1
    return number | 1 - (number & (1 << half) - 1).bit_count() % 2


def _turned_bytes(data: bytes, form: CardFormat) -> bytes:
    """Bits, then bytes, as they are turned on the way from the reader; the other way round it is the same."""
    turned = _turned(int.from_bytes(data, "big"), _width(data, form), form).to_bytes(len(data), "big")
    return turned if form.byte_order == "iso" else turned[::-1]


def _width(data: bytes, form: CardFormat) -> int:
    """Bits of a number in these bytes: the numbers of 37-bit cards have 35."""
    return 35 if form.format in {"h10302", "h10304"} else 8 * len(data)


def _ordered(data: bytes, form: CardFormat) -> str:
    return (data if form.byte_order == "iso" else data[::-1]).hex().upper()


def _turned(number: int, length: int, form: CardFormat) -> int:
    """Bits swapped or mirrored as declared; each of these undoes itself."""
    if form.bits == "plain":
        return number
    if form.bits != "mirrored":
        number ^= (1 << length) - 1
    if form.bits != "inverted":
        number = int(f"{number:0{length}b}"[::-1], 2)
    return number
