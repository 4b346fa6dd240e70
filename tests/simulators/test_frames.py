"""Frames: the specification's bytes, whole, byte by byte, and in the middle of noise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.modbus.frames import (
    NotModbus,
    RtuRequest,
    RtuRequests,
    TcpRequest,
    TcpRequests,
    crc16,
    rtu_frame,
    tcp_frame,
)

# Requests whose checksums were computed by others (protocols.md, Modbus; Waveshare wiki).
RTU = [
    ("01 03 00 00 00 02 C4 0B", RtuRequest(1, bytes.fromhex("0300000002"))),
    ("01 04 00 00 00 01 31 CA", RtuRequest(1, bytes.fromhex("0400000001"))),
    ("01 06 00 01 00 03 98 0B", RtuRequest(1, bytes.fromhex("0600010003"))),
    ("01 10 00 01 00 02 04 00 0A 01 02 92 30", RtuRequest(1, bytes.fromhex("1000010002 04000A0102"))),
    ("01 0F 00 13 00 0A 02 CD 01 72 CB", RtuRequest(1, bytes.fromhex("0F0013000A02CD01"))),
    ("01 01 00 13 00 25 0C 14", RtuRequest(1, bytes.fromhex("0100130025"))),
    ("01 02 00 C4 00 16 B8 39", RtuRequest(1, bytes.fromhex("0200C40016"))),
    ("01 05 02 00 00 07 8D B0", RtuRequest(1, bytes.fromhex("0502000007"))),
]


@pytest.mark.parametrize(("text", "request_"), RTU, ids=[text for text, _ in RTU])
def test_rtu_requests_of_the_specification(text: str, request_: RtuRequest) -> None:
    frame = bytes.fromhex(text)
    assert RtuRequests().feed(frame) == [request_]
    one_by_one = RtuRequests()
    assert [found for byte in frame for found in one_by_one.feed(bytes((byte,)))] == [request_]
    assert rtu_frame(request_.unit, request_.pdu) == frame


def test_a_published_frame_with_a_wrong_checksum_is_no_request() -> None:
    requests = RtuRequests()
    assert requests.feed(bytes.fromhex("01 05 00 02 F1 00 9F B7")) == []
    requests.silence()
    assert requests.dropped == 8


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_noise_never_raises_and_a_silence_makes_the_line_clean_again(before: bytes, after: bytes) -> None:
    requests = RtuRequests()
    requests.feed(before)
    requests.silence()
    frame = bytes.fromhex("01 03 00 00 00 02 C4 0B")
    assert requests.feed(frame)[:1] == [RtuRequest(1, frame[1:-2])]
    requests.feed(after)


def test_a_request_follows_noise_without_a_silence() -> None:
    frame = bytes.fromhex("01 03 00 00 00 02 C4 0B")
    assert RtuRequests().feed(b"\xff\x00\xa5" + frame) == [RtuRequest(1, frame[1:-2])]


@given(st.binary(min_size=1, max_size=40), st.integers(0, 300), st.integers(1, 255))
def test_the_checksum_sees_every_changed_byte(data: bytes, place: int, change: int) -> None:
    changed = bytearray(data)
    changed[place % len(data)] ^= change
    assert crc16(bytes(changed)) != crc16(data)


def test_tcp_requests_whole_split_and_two_at_once() -> None:
    first = bytes.fromhex("00 01 00 00 00 06 11 03 00 6B 00 03")
    second = tcp_frame(2, 7, bytes.fromhex("0500010000"))
    requests = TcpRequests()
    found = [one for byte in first for one in requests.feed(bytes((byte,)))]
    assert found == [TcpRequest(1, 0x11, bytes.fromhex("03006B0003"))]
    assert TcpRequests().feed(first + second) == [*found, TcpRequest(2, 7, bytes.fromhex("0500010000"))]


@pytest.mark.parametrize("bad", ["00 01 00 01 00 06 11 03", "47 45 54 20 2F 20 48 54", "00 01 00 00 FF FF 01 03"])
def test_what_is_not_modbus_is_told(bad: str) -> None:
    with pytest.raises(NotModbus):
        TcpRequests().feed(bytes.fromhex(bad))
