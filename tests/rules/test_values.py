"""Values as they are compared: marks and widths are nothing, every character is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.desired import CredentialKind
from rules.access.values import is_plate, normal_plate, normal_value, plate_key

PLATES = [
    ("沪A12345", "沪A12345"),
    ("沪A·12345", "沪A12345"),
    ("沪A•12345", "沪A12345"),
    (" 沪a 12345 ", "沪A12345"),
    ("沪A-12345", "沪A12345"),
    ("沪Ａ１２３４５", "沪A12345"),
    ("沪A.12345", "沪A12345"),
    ("粤Z9065澳", "粤Z9065澳"),
    ("沪AD12345", "沪AD12345"),
    ("", ""),
    ("_无_", ""),
    ("无牌车", ""),
    ("   ", ""),
]


@pytest.mark.parametrize(("written", "compared"), PLATES)
def test_a_plate(written: str, compared: str) -> None:
    assert normal_plate(written) == compared


@pytest.mark.parametrize(
    ("kind", "written", "compared"),
    [
        ("card", "04:a1:b2:c3:d4:e5:f6", "04A1B2C3D4E5F6"),
        ("card", "04 a1 b2-c3", "04A1B2C3"),
        ("qr", "  Sc-7f3K ", "Sc-7f3K"),
        ("pin", "0042", "0042"),
        ("plate", "沪a·12345", "沪A12345"),
    ],
)
def test_a_value(kind: CredentialKind, written: str, compared: str) -> None:
    assert normal_value(kind, written) == compared


WRITTEN = st.text("沪粤学挂澳ABab019ＡＢａ０９ ·•・.．-－—_?无牌\u3000\t", max_size=12)


@given(WRITTEN)
def test_normal_is_normal(text: str) -> None:
    once = normal_plate(text)
    assert normal_plate(once) == once


def test_a_sign_that_a_camera_could_not_read_is_kept() -> None:
    assert normal_plate("沪A1234?") != normal_plate("沪A1234")


LETTERS = st.text("ABCDEFGH012345678", min_size=5, max_size=5)


@given(LETTERS, LETTERS)
def test_never_fuzzy(one: str, other: str) -> None:
    """0 and O, 8 and B: one character away is another car."""
    assert (normal_plate("沪A" + one) == normal_plate("沪A" + other)) == (one == other)


WHOLE = ["沪A12345", "沪AD12345", "粤Z9065澳", "京A1234警", "使123456", "军V12345", "WJ沪1234X", "AB1234"]
PARTS = ["沪A123", "沪A 123", "沪A1234", "沪12345", "A123", "", "沪A12345678901", "沪A12_45"]


@pytest.mark.parametrize(("plate", "whole"), [(one, True) for one in WHOLE] + [(one, False) for one in PARTS])
def test_what_can_be_a_plate(plate: str, whole: bool) -> None:
    assert is_plate(normal_plate(plate)) is whole


SIGNS = st.sampled_from("沪京粤ABCDEFGHJKLMNPQRSTUVWXYZ0123456789")
MARKS = st.sampled_from(["", " ", ".", "·", "-", "•", "　"])


@given(st.lists(st.tuples(SIGNS, MARKS, st.sampled_from(["", "lower", "wide"])), min_size=1, max_size=9))
def test_a_plate_is_found_however_it_is_written(signs: list[tuple[str, str, str]]) -> None:
    plain = "".join(sign for sign, _, _ in signs)
    written = "".join(_way(sign, how) + mark for sign, mark, how in signs)
    assert plate_key(written) == plate_key(plain) == plain == plate_key(normal_plate(written))


def _way(sign: str, how: str) -> str:
    if how == "wide" and sign.isascii():
        return chr(ord(sign) + 0xFEE0)
    return sign.lower() if how == "lower" else sign
