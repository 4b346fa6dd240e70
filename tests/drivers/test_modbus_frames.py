"""Frames both ways: published bytes, and answers picked out of whatever else is on the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from drivers.errors import FrameError
from drivers.modbus.encode import Write
from drivers.modbus.frames import RtuLine, TcpFrame, TcpFrames, body, read_pdu, rtu, sound, tcp, write_pdu
from drivers.modbus.wire import Refused

UNITS = frozenset({1, 2, 3})

# The specification's examples and the board's own frames, checksums recomputed.
REQUESTS: list[tuple[int, bytes, str]] = [
    (1, read_pdu(3, 0, 2), "01 03 00 00 00 02 C4 0B"),
    (1, read_pdu(4, 0, 1), "01 04 00 00 00 01 31 CA"),
    (1, read_pdu(1, 0x13, 0x25), "01 01 00 13 00 25 0C 14"),
    (1, read_pdu(2, 0xC4, 0x16), "01 02 00 C4 00 16 B8 39"),
    (1, write_pdu(Write(6, 1, (3,))), "01 06 00 01 00 03 98 0B"),
    (1, write_pdu(Write(16, 1, (0x000A, 0x0102))), "01 10 00 01 00 02 04 00 0A 01 02 92 30"),
    (1, write_pdu(Write(5, 0, (0xFF00,))), "01 05 00 00 FF 00 8C 3A"),
    (1, write_pdu(Write(5, 0, (0,))), "01 05 00 00 00 00 CD CA"),
    (1, write_pdu(Write(5, 0x0200, (7,))), "01 05 02 00 00 07 8D B0"),
    (1, write_pdu(Write(5, 0x0201, (8,))), "01 05 02 01 00 08 9C 74"),
]


@pytest.mark.parametrize(("unit", "pdu", "wire"), REQUESTS, ids=[wire for _, _, wire in REQUESTS])
def test_requests(unit: int, pdu: bytes, wire: str) -> None:
    frame = bytes.fromhex(wire)
    assert rtu(unit, pdu) == frame
    assert sound(frame)
    assert FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))


@given(st.binary(min_size=1, max_size=260))
def test_checksums_are_those_of_another_implementation(pdu: bytes) -> None:
    frame = rtu(7, pdu)
    assert FramerRTU.compute_CRC(frame[:-2]) == int.from_bytes(frame[-2:], "big")


# --- RTU


class Heard:
    """A line, what is asked on it, and the frames that nobody awaited."""

    def __init__(self, request: bytes | None = None, *, echoes: bool | None = None) -> None:
        self.strays: list[bytes] = []
        self.line = RtuLine(UNITS, self.strays.append)
        self.line.echoes = echoes
        if request is not None:
            self.line.ask(request)

    def byte_by_byte(self, data: bytes) -> bytes | None:
        """The awaited frame, if it is in `data`; nothing may be taken before its last byte."""
        for end in range(1, len(data) + 1):
            _, frame = self.line.look(data[:end])
            if frame is not None:
                assert data[:end].endswith(frame)
                return frame
        return None


ASKED = rtu(1, read_pdu(3, 0, 2))
ANSWER = rtu(1, bytes.fromhex("03 04 00 0A 01 02"))


def test_a_published_vector_with_a_wrong_checksum_is_not_taken() -> None:
    heard = Heard(rtu(1, bytes.fromhex("05 00 02 F1 00")), echoes=False)
    assert heard.line.look(bytes.fromhex("01 05 00 02 F1 00 9F B7")) == (0, None)


def test_the_expected_answer_is_taken() -> None:
    heard = Heard(ASKED)
    assert heard.line.look(ANSWER) == (len(ANSWER), ANSWER)
    assert heard.strays == []
    assert heard.line.echoes is False
    assert not heard.line.awaiting


def test_an_exception_is_an_answer() -> None:
    refused = rtu(1, bytes([0x83, 2]))
    assert Heard(ASKED).byte_by_byte(refused) == refused


OTHERS = {
    "another length": rtu(1, bytes.fromhex("03 02 00 0A")),
    "another unit": rtu(2, bytes.fromhex("03 04 00 0A 01 02")),
    "another function": rtu(1, bytes.fromhex("04 04 00 0A 01 02")),
    "another function's exception": rtu(1, bytes([0x84, 2])),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_anything_else_is_passed_over_and_told(other: bytes) -> None:
    heard = Heard(ASKED)
    assert heard.line.look(other) == (0, None)
    assert heard.line.look(other + ANSWER)[1] == ANSWER
    assert heard.strays == [other]


@given(st.binary(max_size=40))
def test_noise_before_the_answer_does_not_hide_it(noise: bytes) -> None:
    assert Heard(ASKED).byte_by_byte(noise + ANSWER) == ANSWER


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_damaged_answer_is_no_answer(at: int, flip: int) -> None:
    damaged = bytearray(ANSWER)
    damaged[at % len(damaged)] ^= flip
    assert Heard(ASKED).byte_by_byte(bytes(damaged)) is None


def test_what_comes_while_nobody_asks_is_told_once() -> None:
    heard = Heard()
    assert heard.line.look(b"\x00\xff" + ANSWER + b"\x01") == (2 + len(ANSWER), None)
    assert heard.strays == [ANSWER]
    used, _ = heard.line.look(bytes(1000))
    assert used >= 1000 - 256


# --- Adapters that repeat what they send

READ_ECHOES = [
    ASKED,
    rtu(1, read_pdu(1, 0x0300, 24)),  # as an answer: three bytes of coils
    rtu(1, read_pdu(2, 0x03C4, 17)),
    rtu(1, read_pdu(3, 0x0400, 2)),
]


@pytest.mark.parametrize("request_frame", READ_ECHOES, ids=[frame.hex(" ") for frame in READ_ECHOES])
def test_the_echo_of_a_read_is_never_an_answer(request_frame: bytes) -> None:
    heard = Heard(request_frame)
    assert heard.byte_by_byte(request_frame) is None
    assert heard.line.echoes is True
    refused = rtu(1, bytes([request_frame[1] | 0x80, 2]))
    assert heard.byte_by_byte(request_frame + refused) == refused
    assert heard.strays == []


WORD = rtu(1, write_pdu(Write(6, 1, (3,))))
WORDS = rtu(1, write_pdu(Write(16, 1, (0x000A, 0x0102))))


def test_on_a_line_that_echoes_only_the_second_frame_confirms_a_write() -> None:
    heard = Heard(WORD, echoes=True)
    assert heard.line.look(WORD) == (0, None)
    assert heard.line.look(WORD + WORD)[1] == WORD
    confirmed = rtu(1, WORDS[1:6])
    assert Heard(WORDS, echoes=True).byte_by_byte(WORDS + confirmed) == confirmed


def test_on_a_line_that_does_not_echo_the_first_one_does() -> None:
    assert Heard(WORD, echoes=False).byte_by_byte(WORD) == WORD
    confirmed = rtu(1, WORDS[1:6])
    assert Heard(WORDS, echoes=False).byte_by_byte(confirmed) == confirmed


def test_the_echo_shows_even_if_nobody_answers() -> None:
    heard = Heard(ASKED)
    heard.line.look(ASKED)
    heard.line.rest(heard=True)
    assert heard.line.echoes is True
    heard = Heard(ASKED)
    heard.line.rest(heard=False)
    assert heard.line.echoes is False
    heard = Heard(ASKED)
    heard.line.look(b"\x55\xaa")
    heard.line.rest(heard=True)
    assert heard.line.echoes is None  # that was neither


def test_a_line_that_was_seen_to_echo_stays_one() -> None:
    heard = Heard(ASKED, echoes=True)
    assert heard.byte_by_byte(ANSWER) == ANSWER  # its echo was lost
    assert heard.line.echoes is True


# --- TCP


def test_frames_are_cut_wherever_the_network_cuts_them() -> None:
    whole = [TcpFrame(1, 17, ANSWER[1:-2]), TcpFrame(2, 17, bytes([0x83, 2])), TcpFrame(0xFFFF, 0, bytes(253))]
    data = b"".join(tcp(*frame) for frame in whole)
    for size in (1, 2, 7, 8, 11, 100, len(data)):
        frames, found = TcpFrames(), []
        for at in range(0, len(data), size):
            found += frames.feed(data[at : at + size])
        assert found == whole


def test_the_example_of_the_specification() -> None:
    assert tcp(0x1501, 0xFF, read_pdu(3, 4, 1)) == bytes.fromhex("1501 0000 0006 FF 03 0004 0001")


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 400 Bad Request\r\n", bytes.fromhex("0001 0000 0002 01 03"), bytes.fromhex("0001 0000 00FF 01")]
)
def test_what_is_no_modbus_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        TcpFrames().feed(data)


# --- What an answer brings


def test_answers() -> None:
    assert body(read_pdu(3, 0, 2), bytes.fromhex("03 04 000A 0102")) == bytes.fromhex("000A0102")
    assert body(read_pdu(1, 0x13, 0x25), bytes.fromhex("01 05 CD6BB20E1B")) == bytes.fromhex("CD6BB20E1B")
    assert body(WORD[1:-2], WORD[1:-2]) == b""
    assert body(WORDS[1:-2], WORDS[1:6]) == b""
    with pytest.raises(Refused) as refused:
        body(read_pdu(3, 0, 2), bytes.fromhex("83 02"))
    assert refused.value.code == 2


@pytest.mark.parametrize(
    "answer", ["", "03", "03 02 000A", "03 05 000A0102", "03 04 000A01", "04 04 000A 0102", "84 02", "83", "83 02 00"]
)
def test_answers_to_something_else(answer: str) -> None:
    with pytest.raises(FrameError):
        body(read_pdu(3, 0, 2), bytes.fromhex(answer))
    with pytest.raises(FrameError):
        body(WORD[1:-2], bytes.fromhex("06 0001 0004"))
