"""Card numbers as text and as bits: what is accepted says exactly the same when it is written again."""

from __future__ import annotations

from random import Random

from drivers.cards import AS_BITS, AS_TEXT, WrongForm, fault_of, from_bits, from_text, sizes_of, to_bits, to_text
from drivers.errors import FrameError
from drivers.profiles.words import CardFormat
from tests.torture.frames import mutated, noise

_FORMS = [
    form
    for format in sorted(AS_TEXT | AS_BITS)
    for order in ("iso", "reversed")
    for bits in ("plain", "inverted", "mirrored", "inverted-mirrored")
    for size in ((None, 3, 7) if format in {"hex", "decimal"} else (None,))
    if fault_of(form := CardFormat.model_validate({"format": format, "byte_order": order, "bits": bits, "size": size}))
    is None
]


def one(rng: Random) -> None:
    """One card, spoilt, at a reader of any form."""
    form = rng.choice(_FORMS)
    value = rng.randbytes(rng.choice(sorted(sizes_of(form)))).hex().upper()
    if form.format in AS_TEXT:
        _text(rng, value, form)
    if form.format in AS_BITS:
        _bits(rng, value, form)


def _text(rng: Random, value: str, form: CardFormat) -> None:
    try:
        text = to_text(value, form)
    except WrongForm:
        text = "00000000000"  # more than 35 bits
    spoilt = (noise(rng, 24) if rng.random() < 0.1 else mutated(rng, text.encode())).decode("latin-1")
    try:
        found = from_text(spoilt, form)
    except FrameError:
        return
    assert len(found) // 2 in sizes_of(form), (spoilt, found)
    if form.format.endswith("-26"):
        # The top byte is lost: the rest must come again.
        assert from_text(to_text(found, form), form) == found
    else:
        assert to_text(found, form).lstrip("0") == spoilt.upper().lstrip("0"), (spoilt, found)


def _bits(rng: Random, value: str, form: CardFormat) -> None:
    try:
        bits, length = to_bits(value, form)
    except WrongForm:
        bits, length = rng.randbytes(5), 37
    if rng.random() < 0.3:
        length += rng.randint(-9, 9)
    spoilt = mutated(rng, bits) if rng.random() < 0.8 else bits
    try:
        found = from_bits(spoilt, length, form)
    except FrameError:
        return
    again, same = to_bits(found, form)
    assert same == length
    if form.format.endswith("-26"):
        assert from_bits(again, same, form) == found
        return
    assert int.from_bytes(again, "big") >> -length % 8 == int.from_bytes(spoilt, "big") >> -length % 8, spoilt.hex()
