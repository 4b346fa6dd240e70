"""Card numbers: printed forms, bits of Wiegand with their parity, and every declared twist, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import cards as written
from drivers.cards import (
    AS_TEXT,
    WrongForm,
    describe,
    fault_of,
    from_bits,
    from_text,
    sizes_of,
    sound,
    to_bits,
    to_text,
)
from drivers.errors import FrameError
from drivers.profiles.words import CardFormat

TURNS = ("plain", "inverted", "mirrored", "inverted-mirrored")


def form(format: str, **rest: object) -> CardFormat:
    return CardFormat.model_validate({"format": format, **rest})


# A card with several printed forms on it: 10D 0013961168 = 8H 00D507D0 = 3+5 213,02000 (top byte lost).
# One MIFARE card at two readers: W34 7186A61E = 1904649758, UID low byte first 1EA68671 = 514229873.
TEXTS: list[tuple[str, CardFormat, str | None]] = [
    ("0013961168", form("10d"), "00D507D0"),
    ("00D507D0", form("8h"), "00D507D0"),
    ("213,02000", form("3+5"), "D507D0"),
    ("0013961168", form("10d-26"), "D507D0"),
    ("00D507D0", form("8h-26"), "D507D0"),
    ("D007D500", form("8h-26", byte_order="reversed"), "D507D0"),
    ("00213,02000", form("5+5"), "00D507D0"),
    ("00013961168", form("h10302"), "0000D507D0"),
    ("00026,330704", form("h10304"), "0000D50BD0"),
    ("34359738367", form("h10302"), "07FFFFFFFF"),
    ("34359738368", form("h10302"), None),
    ("65535,524287", form("h10304"), "07FFFFFFFF"),
    ("65536,000000", form("h10304"), None),
    ("1904649758", form("10d"), "7186A61E"),
    ("514229873", form("decimal", byte_order="reversed"), "7186A61E"),
    ("0514229873", form("10d", byte_order="reversed"), "7186A61E"),
    ("1302130211190262", form("decimal", size=7), "04A047D0B075F6"),
    ("04A047D0B075F6", form("hex"), "04A047D0B075F6"),
    ("04a047d0b075f6", form("hex"), "04A047D0B075F6"),
    ("F675B0D047A004", form("hex", byte_order="reversed"), "04A047D0B075F6"),
    ("D507D0", form("hex", size=3), "D507D0"),
    ("D507D0", form("hex"), None),
    ("04A047D0B075F6", form("hex", size=4), None),
    ("FF2AF82F", form("8h", bits="inverted"), "00D507D0"),
    ("0BE0AB00", form("8h", bits="mirrored"), "00D507D0"),
    ("13961168", form("10d"), None),
    ("4294967296", form("10d"), None),
    ("256,02000", form("3+5"), None),
    ("213,65536", form("3+5"), None),
    ("213,2000", form("3+5"), None),
    ("213.02000", form("3+5"), None),
    ("٠٠١٣٩٦١١٦٨", form("10d"), None),
    ("", form("hex"), None),
    ("-1", form("decimal"), None),
    ("1" * 5000, form("decimal", size=10), None),
]


@pytest.mark.parametrize(("text", "declared", "value"), TEXTS)
def test_texts(text: str, declared: CardFormat, value: str | None) -> None:
    if value is None:
        with pytest.raises(FrameError):
            from_text(text, declared)
        return
    assert from_text(text, declared) == value
    # What a 26-bit form loses is lost, and decimal numbers may come with zeros before them.
    assert to_text(value, declared).lstrip("0") == text.upper().lstrip("0")


def bits_of(number: int, length: int) -> bytes:
    return (number << -length % 8).to_bytes((length + 7) // 8, "big")


def test_a_known_card_of_26_bits() -> None:
    # HID's forum: 0x21A6616 is facility 13, card 13067.
    raw = bits_of(0x21A6616, 26)
    assert from_bits(raw, 26, form("w26")) == from_bits(raw, 26, form("wiegand")) == "0D330B"
    assert describe("0D330B")["3+5"] == "013,13067"
    assert to_bits("0D330B", form("w26")) == (raw, 26)


def test_a_card_whose_parity_is_wrong_is_no_card() -> None:
    # Published as an OSDP example, 26 bits from the left; both of its parity bits are wrong.
    with pytest.raises(FrameError, match="parity"):
        from_bits(bytes.fromhex("80003440"), 26, form("w26"))
    assert from_bits(bytes.fromhex("00003400"), 26, form("w26")) == "000068"


# Sums by hand: the 35 bits of 37 are 1; the middle bit belongs to both halves.
FRAMES: list[tuple[int, int, str]] = [
    (0b0_00000000_0000000000000000_1, 26, "000000"),
    (0b0_00000000_0000000000000001_0, 26, "000001"),
    (0b1_00000001_0000000000000000_1, 26, "010000"),
    (0x2_E30D4C3D, 34, "7186A61E"),
    (0b10, 37, "0000000001"),
    (1 << 36 | 1 << 18, 37, "0000020000"),
    (1 << 36 | 1 << 35 | 1, 37, "0400000000"),
]


@pytest.mark.parametrize(("number", "length", "value"), FRAMES)
def test_frames(number: int, length: int, value: str) -> None:
    assert from_bits(bits_of(number, length), length, form("wiegand")) == value
    assert to_bits(value, form("wiegand")) == (bits_of(number, length), length)
    for bit in range(length):
        with pytest.raises(FrameError, match="parity"):
            from_bits(bits_of(number ^ 1 << bit, length), length, form("wiegand"))


@pytest.mark.parametrize(
    ("bits", "length", "declared"),
    [
        ("80003440", 26, form("w34")),
        ("80003440", 32, form("w26")),
        ("80003440", 25, form("wiegand")),
        ("80003440", 33, form("hex")),
        ("800034", 26, form("w26")),
        ("", 0, form("w26")),
        ("04A1B2C3D4E5F6", 56, form("8h")),
    ],
)
def test_other_lengths_are_refused(bits: str, length: int, declared: CardFormat) -> None:
    with pytest.raises(FrameError):
        from_bits(bytes.fromhex(bits), length, declared)


def test_what_a_26_bit_reader_would_give_of_a_card_of_34() -> None:
    bits = to_bits("7186A61E", form("w34"))
    assert from_bits(*bits, form("w34-26")) == "86A61E"
    assert from_bits(*to_bits("1EA68671", form("w34")), form("w34-26", byte_order="reversed")) == "86A61E"


def test_uids_as_bits() -> None:
    assert from_bits(bytes.fromhex("04A1B2C3D4E5F6"), 56, form("hex")) == "04A1B2C3D4E5F6"
    assert from_bits(bytes.fromhex("1EA68671"), 32, form("8h", byte_order="reversed")) == "7186A61E"
    assert to_bits("7186A61E", form("hex", byte_order="reversed")) == (bytes.fromhex("1EA68671"), 32)


@pytest.mark.parametrize("bits", TURNS)
def test_a_number_of_36_bits_is_none_of_35(bits: str) -> None:
    with pytest.raises(WrongForm):
        to_text("0800000000", form("h10302", bits=bits))


VALUES = st.sampled_from([3, 4, 5, 7, 10]).flatmap(lambda size: st.binary(min_size=size, max_size=size))


@given(
    VALUES,
    st.sampled_from(
        ["w26", "w34", "w37", "wiegand", "w34-26", "hex", "8h", "10d", "8h-26", "3+5", "5+5", "h10302", "h10304"]
    ),
    st.sampled_from(TURNS),
    st.sampled_from(["iso", "reversed"]),
)
def test_what_a_reader_sends_of_a_card_is_that_card(data: bytes, format: str, bits: str, order: str) -> None:
    value, declared = data.hex().upper(), form(format, bits=bits, byte_order=order)
    if fault_of(declared):
        return
    if format in AS_TEXT:
        try:
            text = to_text(value, declared)
        except WrongForm:
            assert len(data) not in sizes_of(declared) or len(data) == 5
        else:
            assert from_text(text, declared) == value
    if format not in AS_TEXT or format in {"hex", "8h"}:
        try:
            raw, length = to_bits(value, declared)
        except WrongForm:
            assert len(data) not in sizes_of(declared) or len(data) == 5
        else:
            assert from_bits(raw, length, declared) == value


@given(st.integers(0, 2**37 - 1), st.sampled_from([26, 34, 37]), st.integers(0, 36))
def test_one_wrong_bit_is_always_seen(number: int, length: int, bit: int) -> None:
    number %= 1 << length
    # 37 bits share their middle bit: there it changes both parities.
    assert not (sound(number, length) and sound(number ^ 1 << bit % length, length))


def test_forms_that_contradict_themselves() -> None:
    assert fault_of(form("w37", byte_order="reversed")) is not None
    assert fault_of(form("wiegand", byte_order="reversed")) is not None
    assert fault_of(form("w26", size=3)) is not None
    assert fault_of(form("w34", byte_order="reversed")) is None
    with pytest.raises(WrongForm):
        from_text("0013961168", form("w26"))
    with pytest.raises(WrongForm):
        from_bits(b"\0" * 4, 32, form("10d"))


def test_what_is_printed_on_a_card() -> None:
    assert describe("00D507D0") == {
        "hex": "00D507D0",
        "8h": "00D507D0",
        "10d": "0013961168",
        "5+5": "00213,02000",
        "3+5": "213,02000",
        "decimal": "13961168",
    }
    assert describe("0000D507D0") == {"hex": "0000D507D0", "h10302": "00013961168", "h10304": "00026,329680"}
    assert describe("FF00D507D0") == {"hex": "FF00D507D0"}
    assert describe("04A047D0B075F6") == {"hex": "04A047D0B075F6", "decimal": "1302130211190262"}


@pytest.mark.parametrize(
    ("text", "typed_as", "value"),
    [
        ("13961168", "10d", "00D507D0"),
        (" 0013 961168 ", "10d", "00D507D0"),
        ("13,13067", "3+5", "0D330B"),
        ("213 2000", "3+5", "D507D0"),
        ("213-02000", "3+5", "D507D0"),
        ("04:a1-b2 c3 d4e5f6", "hex", "04A1B2C3D4E5F6"),
        ("26/330704", "h10304", "0000D50BD0"),
        ("300,1", "3+5", None),
        ("1,2,3", "3+5", None),
        ("²,1", "3+5", None),
        ("00D507D", "8h", None),
    ],
)
def test_what_people_type(text: str, typed_as: written.CardForm, value: str | None) -> None:
    assert written.typed(text, typed_as) == value


def test_ten_digits_may_be_two_things() -> None:
    assert written.doubtful("0013961168")
    assert not written.doubtful("00D507D0")
    assert not written.doubtful("04A1B2C3D4")
