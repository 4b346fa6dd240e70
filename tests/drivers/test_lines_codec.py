"""Lines of text to credentials: every way in which bytes can come, and every way in which they can be wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import FrameError
from drivers.lines.codec import UNFINISHED_S, Credential, Lines, as_installed, credential
from drivers.lines.product import LineFormat, line_of
from drivers.profiles.files import load
from drivers.profiles.words import CardFormat, QrFormat

FORM = line_of(load("line_reader")) or pytest.fail()
GAP = replace(FORM, ends="gap")


def lines(form: LineFormat, *pieces: bytes) -> list[bytes | FrameError]:
    cutter, out = Lines(form), []
    for number, piece in enumerate(pieces):
        out += list(cutter.feed(piece, number / 1000))
    return out


STREAMS: list[tuple[bytes, list[bytes]]] = [
    (b"04A1B2C3D4E5F6\r\n", [b"04A1B2C3D4E5F6"]),
    (b"04A1B2C3D4E5F6\r", [b"04A1B2C3D4E5F6"]),
    (b"04A1B2C3D4E5F6\n", [b"04A1B2C3D4E5F6"]),
    (b"04A1B2C3\r\nDEADBEEF\r\n", [b"04A1B2C3", b"DEADBEEF"]),
    (b"\r\n\n\r04A1B2C3\r\n\r\n", [b"04A1B2C3"]),
    (b"04A1B2C3", []),
]


@pytest.mark.parametrize(("stream", "wanted"), STREAMS)
def test_a_stream_says_the_same_whole_or_byte_by_byte(stream: bytes, wanted: list[bytes]) -> None:
    assert lines(FORM, stream) == wanted
    assert lines(FORM, *(stream[at : at + 1] for at in range(len(stream)))) == wanted


@given(st.lists(st.binary(max_size=40), max_size=10), st.lists(st.integers(1, 17), min_size=1, max_size=20))
def test_how_a_stream_is_cut_changes_nothing(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"\r\n".join(parts) + b"\n"
    pieces, at, turn = [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        pieces.append(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert [str(line) for line in lines(FORM, *pieces)] == [str(line) for line in lines(FORM, stream)]


def test_a_line_is_told_at_its_carriage_return() -> None:
    cutter = Lines(FORM)
    assert list(cutter.feed(b"04A1B2C3\r", 0.0)) == [b"04A1B2C3"]
    assert list(cutter.feed(b"\n", 0.1)) == []
    assert cutter.deadline() is None


def test_half_a_card_number_is_never_a_card() -> None:
    cutter = Lines(FORM)
    assert list(cutter.feed(b"04A1B2C3", 0.0)) == []
    assert cutter.deadline() == UNFINISHED_S
    assert list(cutter.idle(UNFINISHED_S - 0.1)) == []
    (broken,) = cutter.idle(UNFINISHED_S)
    assert isinstance(broken, FrameError)
    assert broken.raw == b"04A1B2C3"
    assert list(cutter.feed(b"D4E5F6\r\n", 2.0)) == [b"D4E5F6"]


def test_a_reader_without_line_ends_is_cut_by_silence() -> None:
    cutter = Lines(GAP)
    assert list(cutter.feed(b"04A1", 0.0)) == []
    assert list(cutter.feed(b"B2C3", 0.04)) == []
    assert cutter.deadline() == pytest.approx(0.09)
    assert list(cutter.idle(0.08)) == []
    assert list(cutter.idle(0.09)) == [b"04A1B2C3"]
    assert list(cutter.feed(b"DEADBEEF", 1.0)) == []
    assert list(cutter.feed(b"04A1B2C3", 2.0)) == [b"DEADBEEF"]


def test_a_line_that_never_ends_costs_no_memory() -> None:
    cutter = Lines(FORM)
    told = [line for _ in range(1000) for line in cutter.feed(b"A" * 100, 0.0)]
    assert len(told) == 1
    assert isinstance(told[0], FrameError)
    assert len(cutter._buffer) <= FORM.max_length
    assert list(cutter.feed(b"\r\n04A1B2C3\r\n", 0.0)) == [b"04A1B2C3"]


def test_what_a_line_says() -> None:
    assert credential(b"04A1B2C3D4E5F6", FORM) == Credential("card", "04A1B2C3D4E5F6")
    assert credential(b" 04A1B2C3 ", FORM) == Credential("card", "04A1B2C3")
    assert credential("QR:访客-0042".encode(), FORM) == Credential("qr", "访客-0042")
    assert credential("QR:访客-0042".encode("gbk"), FORM) == Credential("qr", "访客-0042")
    anything = replace(FORM, qr=QrFormat(prefix=""))
    assert credential(b"visitor 42", anything) == Credential("qr", "visitor 42")
    tagged = replace(FORM, card=CardFormat(prefix="C="), qr=None)
    assert credential(b"C=04A1B2C3", tagged) == Credential("card", "04A1B2C3")


def test_a_readers_own_form_takes_the_place_of_its_products() -> None:
    own = as_installed(FORM, CardFormat(format="3+5"))
    assert credential(b"213,02000", own) == Credential("card", "D507D0")
    assert credential(b"QR:7", own) == Credential("qr", "7")
    with pytest.raises(FrameError):
        credential(b"04A1B2C3", own)
    assert as_installed(FORM, None) is FORM


@pytest.mark.parametrize(
    "line", [b"hello", b"QR:", b"\xff\xfe\x00\x01", b"04A1B2C3\x00", b"04A1 B2C3", b"\x1b[31m", b"   "]
)
def test_what_no_line_says(line: bytes) -> None:
    with pytest.raises(FrameError) as wrong:
        credential(line, FORM)
    assert wrong.value.raw == line


@given(st.binary(max_size=300))
def test_noise_is_refused_or_read_but_never_breaks_anything(noise: bytes) -> None:
    for line in lines(FORM, noise + b"\r\n"):
        if isinstance(line, FrameError):
            continue
        try:
            read = credential(line, FORM)
        except FrameError:
            continue
        assert read.kind in {"card", "qr"}
        assert read.value.isprintable()
