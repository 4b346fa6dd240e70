"""CJ/T 188: published frames both ways, whole and in pieces; the answer with a wrong published sum is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cjt188 import codec as cjt188
from drivers.cjt188.codec import Frame, Manner
from drivers.errors import FrameError
from drivers.meters.coded import conversion

WATER = "78330011223344"
REQUEST = bytes.fromhex("68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16")
ANSWER = bytes.fromhex(
    "68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 13 16"
)
PUBLISHED_WRONG = ANSWER[:-2] + b"\x08\x16"
"""As every copy on the web prints it; its sum is 13."""

ADDRESS = bytes.fromhex("68 10 12 00 00 00 00 00 00 83 03 81 0A 00 9B 16")


def test_published_frames_both_ways() -> None:
    assert cjt188.parse(REQUEST) == Frame(0x10, WATER, 0x01, bytes.fromhex("1F9000"))
    assert cjt188.read(Manner(0x10, wake=0), WATER, 0x901F, 0) == REQUEST
    assert cjt188.read(Manner(0x10, wake=3), WATER, 0x901F, 0) == b"\xfe\xfe\xfe" + REQUEST
    answer = cjt188.parse(ANSWER)
    assert (answer.kind, answer.address, answer.control, len(answer.data)) == (0x10, WATER, 0x81, 0x16)
    assert cjt188.frame(*answer, wake=0) == ANSWER
    assert cjt188.parse(ADDRESS) == Frame(0x10, "00000000000012", 0x83, bytes.fromhex("810A00"))
    assert cjt188.frame(0x10, "12", 0x83, bytes.fromhex("810A00"), wake=0) == ADDRESS


@pytest.mark.parametrize("raw", [PUBLISHED_WRONG, ANSWER[:-1] + b"\x17", ANSWER[:10] + b"\x65" + ANSWER[11:], b"\x68"])
def test_wrong_frames_are_refused(raw: bytes) -> None:
    finder = cjt188.frames()
    assert finder.feed(raw) == []
    assert finder.quiet() == []
    with pytest.raises(FrameError):
        cjt188.parse(raw)


def test_the_order_of_an_item() -> None:
    low, high = Manner(0x10, wake=0), Manner(0x10, "high-first", wake=0)
    assert cjt188.read(low, WATER, 0x901F, 7)[11:14].hex() == "1f9007"
    assert cjt188.read(high, WATER, 0x901F, 7)[11:14].hex() == "901f07"
    assert cjt188.read_address(high, 1)[:14].hex() == "6810" + "aa" * 7 + "0303810a01"


def test_the_valve() -> None:
    assert cjt188.write(Manner(0x10, wake=0), WATER, 0xA017, 9, b"\x99")[9:15].hex() == "040417a00999"


def test_byte_by_byte_and_two_at_once() -> None:
    finder = cjt188.frames()
    stream = b"\xfe\xfe" + REQUEST + b"\xfe" + ANSWER + ADDRESS
    assert [found for byte in stream for found in finder.feed(bytes((byte,)))] == [REQUEST, ANSWER, ADDRESS]
    assert cjt188.frames().feed(REQUEST + ANSWER) == [REQUEST, ANSWER]


@given(st.binary(max_size=40), st.sampled_from([REQUEST, ANSWER, ADDRESS]))
def test_noise_before_a_frame_does_not_hide_it(before: bytes, frame: bytes) -> None:
    finder = cjt188.frames()
    assert frame in finder.feed(before + frame) + finder.quiet()


CONVERSIONS = [
    (0x2C, "m3", 1.0),
    (0x29, "m3", 0.001),
    (0x05, "kWh", 1.0),
    (0x08, "kWh", 1000.0),
    (0x0A, "kWh", 100_000.0),
    (0x11, "kWh", 1e9 / 3.6e6),
    (0x0E, "GJ", 0.001),
    (0x17, "kW", 1.0),
    (0x32, "m3/h", 0.001),
    (0x2C, "kWh", None),
    (0x35, "m3", None),
    (0x00, "m3", None),
]


@pytest.mark.parametrize(("code", "unit", "factor"), CONVERSIONS)
def test_units(code: int, unit: str, factor: float | None) -> None:
    assert conversion(code, unit) == (None if factor is None else pytest.approx(factor))
