"""What registers may mean: known values are marked in every order, and nothing is marked where nothing can be told."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.decode import in_order
from drivers.profiles.words import Order
from gateway.installer.values.likely import ORDERS, guesses, significant, trailing_zeros
from tests.gateway.installer.tool import as_json, tool


def words_of(piece: bytes, order: Order) -> list[int]:
    return list(struct.unpack(f">{len(piece) // 2}H", in_order(piece, order)))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("value", [230.1, 0.95, 49.98, 15322.1, 1234.5, 1.0, -12.5])
def test_a_float_is_marked_in_its_order(order: Order, value: float) -> None:
    (guess,) = guesses([words_of(struct.pack(">f", value), order)])
    assert guess.best is not None
    assert (guess.best.type, guess.best.order) == ("f32", order)
    assert guess.best.value == pytest.approx(value)
    assert guess.best.why


@pytest.mark.parametrize(
    ("words", "expect", "type", "order", "scale"),
    [
        ([0x4366, 0xE666], None, "f32", "ABCD", 1.0),
        ([0xE666, 0x4366], None, "f32", "CDAB", 1.0),
        ([0, 2301], None, "u32", "ABCD", 1.0),
        ([2301, 0], None, "u32", "CDAB", 1.0),
        ([0, 2301], 230, "u32", "ABCD", 0.1),
        ([2301], None, "u16", "ABCD", 1.0),
        ([2301], 230, "u16", "ABCD", 0.1),
        ([0xFFF6], None, "i16", "ABCD", 1.0),
        ([0x0000, 0x0000, 0x0001, 0x86A0], None, "u64", "ABCD", 1.0),
        (list(struct.unpack(">4H", struct.pack(">d", 230.25))), None, "f64", "ABCD", 1.0),
        (list(struct.unpack(">4H", struct.pack(">d", 230.25)))[::-1], 230, "f64", "CDAB", 1.0),
    ],
)
def test_known_registers(words: list[int], expect: float | None, type: str, order: str, scale: float) -> None:
    best = guesses([words], expect)[0].best
    assert best is not None
    assert (best.type, best.order, best.scale) == (type, order, scale)


@pytest.mark.parametrize("words", [[0, 0], [0xFFFF, 0xFFFF], [0x8000], [0x7FFF, 0xFFFF], [0, 0, 0, 0]])
def test_zeros_and_markers_tell_nothing(words: list[int]) -> None:
    assert guesses([words])[0].best is None


def test_what_stands_still_wins_over_what_jumps() -> None:
    readings = [230.1234, 230.1311, 230.1498]
    reads = [words_of(struct.pack(">f", value), "CDAB") for value in readings]
    best = guesses(reads)[0].best
    assert best is not None
    assert (best.type, best.order) == ("f32", "CDAB")
    assert any("between reads" in words.en for words in best.why)


def test_three_and_four_registers_are_cut_in_every_sensible_way() -> None:
    assert [(guess.first, guess.width) for guess in guesses([[1, 2, 3]])] == [(0, 2), (1, 2), (0, 1), (1, 1), (2, 1)]
    assert [(guess.first, guess.width) for guess in guesses([[1, 2, 3, 4]])] == [(0, 4), (0, 2), (2, 2)]


@pytest.mark.parametrize(
    ("type", "value", "digits"), [("f32", 230.1, 4), ("f32", 50.0, 1), ("f32", 0.1, 1), ("f64", 1 / 3, 16)]
)
def test_significant_digits(type: str, value: float, digits: int) -> None:
    piece = struct.pack(">f" if type == "f32" else ">d", value)
    assert significant(type, struct.unpack(">f" if type == "f32" else ">d", piece)[0]) == digits


def test_trailing_zeros() -> None:
    assert trailing_zeros("f32", 50.0) == 19
    assert trailing_zeros("f32", 1.0) == 23


@given(
    st.lists(st.lists(st.integers(0, 0xFFFF), min_size=2, max_size=2), min_size=1, max_size=4),
    st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
)
def test_whatever_is_read_there_is_an_answer(reads: list[list[int]], expect: float | None) -> None:
    (guess,) = guesses(reads, expect)
    assert len(guess.cells) == 12
    assert guess.best is None or guess.best in guess.cells


def test_the_command_marks_the_likeliest() -> None:
    done = tool("guess", "--words", "E666 4366")
    assert done.returncode == 0
    assert "230.9 ◀" in done.stdout
    assert "likeliest: f32 CDAB" in done.stdout
    assert "{type: f32, order: CDAB}" in done.stdout
    zh = tool("guess", "--words", "E6664366", lang="zh")
    assert "最可能：f32 CDAB" in zh.stdout
    best = as_json(tool("guess", "--words", "E666 4366", "--expect", "231", "--json"))["guesses"][0]["best"]
    assert (best["type"], best["order"]) == ("f32", "CDAB")


@pytest.mark.parametrize("words", ["xyz", "1 2 3 4 5", "", "12345"])
def test_registers_that_cannot_be_read(words: str) -> None:
    done = tool("guess", "--words", words)
    assert done.returncode == 2
    assert "--words" in done.stderr
