"""Keys become PINs: # ends one, * begins anew, a pause forgets, what is too long is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import FrameError
from drivers.osdp.keypad import Keypad

CASES: dict[str, tuple[list[tuple[float, bytes]], list[str]]] = {
    "all at once, as characters": ([(0, b"1234#")], ["1234"]),
    "as the standard has it": ([(0, b"1234\r")], ["1234"]),
    "key by key": ([(0, b"1"), (1, b"2"), (2, b"3"), (3, b"\r")], ["123"]),
    "two in one go": ([(0, b"12#34#")], ["12", "34"]),
    "begun anew": ([(0, b"99*1234#")], ["1234"]),
    "begun anew, as the standard has it": ([(0, b"99\x7f1234\r")], ["1234"]),
    "a pause": ([(0, b"12"), (6, b"34#")], ["34"]),
    "only enter": ([(0, b"#")], []),
    "enter twice": ([(0, b"12##")], ["12"]),
    "the longest": ([(0, b"12345678#")], ["12345678"]),
}


@pytest.mark.parametrize("name", CASES)
def test_pins(name: str) -> None:
    keypad = Keypad(longest=8, forget_s=5.0)
    presses, pins = CASES[name]
    assert [pin for at, keys in presses for pin in keypad.press(keys, at)] == pins


def test_too_long_is_no_pin_and_none_of_its_parts_is() -> None:
    keypad = Keypad(longest=4, forget_s=5.0)
    (wrong,) = keypad.press(b"123456#", 0.0)
    assert isinstance(wrong, FrameError)
    assert not any(digit in str(wrong).replace("4 digits", "") for digit in "123456")
    assert list(keypad.press(b"1234#", 1.0)) == ["1234"]


def test_a_key_that_is_none_spoils_what_was_typed() -> None:
    keypad = Keypad(longest=8, forget_s=5.0)
    (wrong,) = keypad.press(b"12A", 0.0)
    assert isinstance(wrong, FrameError)
    assert list(keypad.press(b"34#", 0.1)) == ["34"]


@given(st.binary(max_size=40))
def test_whatever_is_pressed_only_digits_within_the_length_come_out(keys: bytes) -> None:
    for pin in Keypad(longest=8, forget_s=5.0).press(keys, 0.0):
        assert isinstance(pin, FrameError) or (pin.isdecimal() and 1 <= len(pin) <= 8)
