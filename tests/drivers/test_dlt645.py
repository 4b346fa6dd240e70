"""DL/T 645: published frames both ways, whole and in pieces; what is wrong is refused."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dlt645 import codec as dlt645
from drivers.dlt645.codec import Frame, Rights
from drivers.errors import FrameError
from drivers.meters import bcd

GOLDEN: list[tuple[str, Frame]] = [
    # Field notes: published requests and answers whose sums were computed again.
    ("68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16", Frame("000000000161", 0x11, bytes.fromhex("00000100"))),
    (
        "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16",
        Frame("000000000161", 0x91, bytes.fromhex("00000100 26000000")),
    ),
    ("68 61 01 00 00 00 00 68 11 04 33 34 34 35 17 16", Frame("000000000161", 0x11, bytes.fromhex("00010102"))),
    (
        "68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16",
        Frame("000000000161", 0x91, bytes.fromhex("00010102 0110")),
    ),
    ("68 37 03 00 92 81 39 68 11 04 33 33 34 33 38 16", Frame("398192000337", 0x11, bytes.fromhex("00000100"))),
    (
        "68 37 03 00 92 81 39 68 91 08 33 33 34 33 37 33 33 33 8C 16",
        Frame("398192000337", 0x91, bytes.fromhex("00000100 04000000")),
    ),
    ("68 AA AA AA AA AA AA 68 11 04 33 33 34 33 AE 16", Frame("AAAAAAAAAAAA", 0x11, bytes.fromhex("00000100"))),
    ("68 AA AA AA AA AA AA 68 13 00 DF 16", Frame("AAAAAAAAAAAA", 0x13, b"")),
    ("68 01 00 00 00 00 00 68 11 04 33 33 34 33 B3 16", Frame("000000000001", 0x11, bytes.fromhex("00000100"))),
    # 1997
    ("68 63 01 43 03 00 00 68 01 02 43 C3 83 16", Frame("000003430163", 0x01, bytes.fromhex("1090"))),
    ("68 54 07 13 00 80 13 68 01 02 43 C3 DA 16", Frame("138000130754", 0x01, bytes.fromhex("1090"))),
    (
        "68 54 07 13 00 80 13 68 81 06 43 C3 34 33 33 33 2B 16",
        Frame("138000130754", 0x81, bytes.fromhex("1090 01000000")),
    ),
    ("68 03 00 00 00 00 00 68 01 02 44 E9 03 16", Frame("000000000003", 0x01, bytes.fromhex("11B6"))),
    ("68 03 00 00 00 00 00 68 81 04 44 E9 33 34 EC 16", Frame("000000000003", 0x81, bytes.fromhex("11B6 0001"))),
]

WRONG = [
    "68 16 00 00 00 15 20 68 11 04 35 33 B3 35 85 16",  # published with 85; the sum is 80
    "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 68 16",
    "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 17",
    "68 61 01 00 00 00 00 69 11 04 33 33 34 33 14 16",
    "68 61 01 00 00 00 00 68 11 C9 33 33 34 33 14 16",
]


@pytest.mark.parametrize(("raw", "frame"), GOLDEN, ids=lambda part: part[:26] if isinstance(part, str) else "")
def test_published_frames_both_ways(raw: str, frame: Frame) -> None:
    data = bytes.fromhex(raw)
    assert dlt645.parse(data) == frame
    assert dlt645.frame(*frame, wake=0) == data
    assert dlt645.frame(*frame, wake=4) == b"\xfe\xfe\xfe\xfe" + data


@pytest.mark.parametrize("raw", WRONG)
def test_wrong_frames_are_refused(raw: str) -> None:
    finder = dlt645.frames()
    assert finder.feed(bytes.fromhex(raw)) == []
    assert finder.quiet() == []
    with pytest.raises(FrameError):
        dlt645.parse(bytes.fromhex(raw))


def test_the_published_frame_with_sum_80_is_sound() -> None:
    assert dlt645.parse(bytes.fromhex("68 16 00 00 00 15 20 68 11 04 35 33 B3 35 80 16")).address == "201500000016"


ALL = [bytes.fromhex(raw) for raw, _ in GOLDEN]


def test_byte_by_byte_after_wake_up_bytes() -> None:
    finder = dlt645.frames()
    stream = b"".join(b"\xfe\xfe\xfe\xfe" + frame for frame in ALL)
    assert [found for byte in stream for found in finder.feed(bytes((byte,)))] == ALL


def test_two_frames_in_one_read() -> None:
    assert dlt645.frames().feed(ALL[1] + ALL[3]) == [ALL[1], ALL[3]]


def test_a_frame_inside_a_spoilt_one_is_found() -> None:
    spoilt = bytearray(ALL[1])
    spoilt[12] ^= 1
    finder = dlt645.frames()
    assert finder.feed(bytes(spoilt) + ALL[3]) == [ALL[3]]
    assert finder.wrong is not None


def test_a_frame_after_a_beginning_without_end_is_found_when_the_line_is_quiet() -> None:
    noise = bytes.fromhex("68 01 02 03 04 05 06 68 91 C8")
    finder = dlt645.frames()
    assert finder.feed(noise + ALL[1]) == []
    assert finder.quiet() == [ALL[1]]
    assert finder.feed(ALL[3]) == [ALL[3]]


@given(st.binary(max_size=40), st.sampled_from(ALL), st.binary(max_size=20))
def test_noise_before_a_frame_does_not_hide_it(before: bytes, frame: bytes, after: bytes) -> None:
    finder = dlt645.frames()
    found = finder.feed(before + frame) + finder.feed(after) + finder.quiet()
    assert frame in found


@given(st.lists(st.binary(max_size=3000), max_size=4))
def test_what_is_held_is_bounded(chunks: list[bytes]) -> None:
    finder = dlt645.frames()
    for chunk in chunks:
        finder.feed(chunk)
        assert len(finder._held) <= 1024


def test_the_time_goes_out_seconds_first_to_everybody() -> None:
    frame = dlt645.broadcast_time(datetime(2026, 11, 22, 21, 5, 9), wake=0)
    found = dlt645.parse(frame)
    assert (found.address, found.control, found.data) == ("999999999999", 0x08, bytes.fromhex("090521221126"))


def test_a_write_and_a_trip_carry_the_password_and_the_operator() -> None:
    rights = Rights(2, "123456", "7")
    assert dlt645.parse(dlt645.write("37", 0x04001101, b"\x08", rights, 0)).data.hex(" ") == (
        "01 11 00 04 02 56 34 12 07 00 00 00 08"
    )
    trip = dlt645.parse(dlt645.control("37", 0x1A, datetime(2026, 11, 22, 21, 5, 9), rights, 0))
    assert trip == Frame("000000000037", 0x1C, bytes.fromhex("02 563412 07000000 1A 00 090521221126"))


@pytest.mark.parametrize("address", ["1" * 13, "12 4", "0x12", "-1", "1A"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ValueError, match="no row of"):
        dlt645.address_bytes(address)


def test_errors_in_words() -> None:
    assert dlt645.error_text(b"\x02", 2007).en == "it does not have this item"
    assert dlt645.error_text(b"\x05", 2007).zh == "其他错误、密码错或未授权"
    assert dlt645.error_text(b"\x02", 1997).zh == "数据标识错"
    for odd in (b"", b"\x00", b"\x80", b"\x01\x02"):
        assert dlt645.error_text(odd, 2007) == dlt645.OTHER_ERROR


@given(st.integers(min_value=-7_999_999, max_value=7_999_999))
def test_signed_numbers_both_ways(value: int) -> None:
    assert bcd.number(bcd.from_number(value, 4, signed=True), signed=True) == value


@pytest.mark.parametrize(("value", "size", "signed"), [(100, 1, False), (-1, 1, False), (80, 1, True), (-80, 1, True)])
def test_numbers_that_do_not_fit(value: int, size: int, signed: bool) -> None:
    with pytest.raises(ValueError, match=r"fit|no row"):
        bcd.from_number(value, size, signed=signed)


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31)), st.sampled_from(bcd.CLOCKS))
def test_moments_both_ways(at: datetime, layout: str) -> None:
    assert bcd.moment(bcd.from_moment(at, layout), layout) == at.replace(microsecond=0)


@pytest.mark.parametrize("text", ["26133100000000", "26022900000000", "26112200256000", "2611", ""])
def test_moments_that_are_none(text: str) -> None:
    assert bcd.moment(text, "YYMMDDWWhhmmss") is None
