"""The lines that readers send, as their profiles say, and read back by the drivers."""

from __future__ import annotations

import pytest

from drivers.lines.codec import as_installed, credential
from drivers.lines.product import line_of
from drivers.profiles.files import load
from drivers.profiles.words import CardFormat
from simulators.lines.text import CannotRead, card_line, garbled


@pytest.mark.parametrize(
    ("profile", "card", "line"),
    [
        ("line_reader", "04A1B2C3D4E5F6", b"04A1B2C3D4E5F6\r\n"),
        ("line_reader", "04deadbeef0001", b"04DEADBEEF0001\r\n"),
        ("line_reader", "QR:V-20261122-77", b"QR:V-20261122-77\r\n"),
        ("line_reader", "V-20261122-77", b"QR:V-20261122-77\r\n"),
        # 0013961168 = 00D507D0 (a printed card; protocols.md, Cards).
        ("line_reader_10d", "00D507D0", b"0013961168\r\n"),
    ],
)
def test_a_line_is_what_the_profile_says(profile: str, card: str, line: bytes) -> None:
    form = line_of(load(profile))
    assert form is not None
    assert card_line(card, form) == line


@pytest.mark.parametrize(
    ("declared", "card", "line"),
    [
        ({"format": "3+5"}, "D507D0", b"213,02000\r\n"),
        ({"format": "10d-26"}, "D507D0", b"0013961168\r\n"),
        ({"format": "8h", "byte_order": "reversed", "prefix": "#"}, "7186A61E", b"#1EA68671\r\n"),
        ({"format": "5+5"}, "00D507D0", b"00213,02000\r\n"),
    ],
)
def test_a_line_is_what_the_site_declares(declared: dict[str, str], card: str, line: bytes) -> None:
    product = line_of(load("line_reader"))
    assert product is not None
    form = as_installed(product, CardFormat.model_validate(declared))
    assert card_line(card, form) == line
    assert credential(line.strip(), form).value == card


UNREADABLE = [
    ("line_reader", ""),
    ("line_reader", "\x00"),
    ("line_reader_10d", "xyz"),
    ("line_reader_10d", "04A1B2C3D4E5F6"),
    ("line_reader", "x" * 300),
]


@pytest.mark.parametrize(("profile", "card"), UNREADABLE)
def test_what_a_reader_cannot_read_is_told(profile: str, card: str) -> None:
    form = line_of(load(profile))
    assert form is not None
    with pytest.raises(CannotRead):
        card_line(card, form)


def test_a_garbled_line_is_no_card_any_more() -> None:
    line = b"04A1B2C3D4E5F6\r\n"
    spoiled = garbled(line)
    assert spoiled.endswith(b"\r\n")
    assert spoiled != line
    with pytest.raises(UnicodeDecodeError):
        spoiled.decode()
