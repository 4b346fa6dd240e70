"""Values as they are compared: marks and widths are nothing, every character is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.desired import CredentialKind
from rules.access.values import normal_plate, normal_value

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
