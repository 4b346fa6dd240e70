"""Frames both ways: published bytes, and answers picked out of whatever else is on the line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from drivers.modbus.frames import ANSWERS, RawCoil, RtuFramer, expected, find
from tests.drivers.slave import rtu


def framer(strays: list[bytes], units: frozenset[int] = frozenset({1, 2, 3})) -> RtuFramer:
    decoder = DecodePDU(False)
    for answer in ANSWERS:
        decoder.register(answer)
    return RtuFramer(decoder, units, strays.append)


# The specification's examples and the board's own frames, checksums recomputed.
REQUESTS: list[tuple[ModbusPDU, str]] = [
    (ReadHoldingRegistersRequest(dev_id=1, address=0, count=2), "01 03 00 00 00 02 C4 0B"),
    (ReadInputRegistersRequest(dev_id=1, address=0, count=1), "01 04 00 00 00 01 31 CA"),
    (ReadCoilsRequest(dev_id=1, address=0x13, count=0x25), "01 01 00 13 00 25 0C 14"),
    (ReadDiscreteInputsRequest(dev_id=1, address=0xC4, count=0x16), "01 02 00 C4 00 16 B8 39"),
    (WriteSingleRegisterRequest(dev_id=1, address=1, registers=[3]), "01 06 00 01 00 03 98 0B"),
    (
        WriteMultipleRegistersRequest(dev_id=1, address=1, registers=[0x000A, 0x0102], count=2),
        "01 10 00 01 00 02 04 00 0A 01 02 92 30",
    ),
    (RawCoil(dev_id=1, address=0, value=0xFF00), "01 05 00 00 FF 00 8C 3A"),
    (RawCoil(dev_id=1, address=0, value=0x0000), "01 05 00 00 00 00 CD CA"),
    (RawCoil(dev_id=1, address=0x0200, value=7), "01 05 02 00 00 07 8D B0"),
    (RawCoil(dev_id=1, address=0x0201, value=8), "01 05 02 01 00 08 9C 74"),
]


@pytest.mark.parametrize(("request_pdu", "wire"), REQUESTS, ids=[wire for _, wire in REQUESTS])
def test_requests(request_pdu: ModbusPDU, wire: str) -> None:
    assert framer([]).buildFrame(request_pdu) == bytes.fromhex(wire)


def test_a_published_vector_with_a_wrong_checksum_is_not_taken() -> None:
    frame = bytes.fromhex("01 05 00 02 F1 00 9F B7")
    assert find(frame, expected(1, 5, 1), frozenset({1}), lambda at, frame: None) is None


ANSWER = rtu(1, bytes.fromhex("03 04 00 0A 01 02"))


def test_the_expected_answer_is_taken() -> None:
    strays: list[bytes] = []
    line = framer(strays)
    line.expect(expected(1, 3, 2))
    used, answer = line.handleFrame(ANSWER, 1, 0)
    assert used == len(ANSWER)
    assert answer is not None
    assert (answer.dev_id, answer.function_code, getattr(answer, "data", None)) == (1, 3, bytes.fromhex("000A0102"))
    assert strays == []


def test_an_exception_is_an_answer() -> None:
    line = framer([])
    line.expect(expected(1, 3, 2))
    _, answer = line.handleFrame(rtu(1, bytes([0x83, 2])), 1, 0)
    assert answer is not None
    assert answer.isError()
    assert answer.exception_code == 2


OTHERS = {
    "another length": rtu(1, bytes.fromhex("03 02 00 0A")),
    "another unit": rtu(2, bytes.fromhex("03 04 00 0A 01 02")),
    "another function": rtu(1, bytes.fromhex("04 04 00 0A 01 02")),
    "another function's exception": rtu(1, bytes([0x84, 2])),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_anything_else_is_passed_over_and_told(other: bytes) -> None:
    strays: list[bytes] = []
    line = framer(strays)
    line.expect(expected(1, 3, 2))
    assert line.handleFrame(other, 1, 0) == (0, None)
    _, answer = line.handleFrame(other + ANSWER, 1, 0)
    assert answer is not None
    assert strays == [other]


@given(st.binary(max_size=40), st.integers(1, 9))
def test_noise_before_the_answer_does_not_hide_it(noise: bytes, piece: int) -> None:
    line = framer([])
    line.expect(expected(1, 3, 2))
    heard, answer = b"", None
    whole = noise + ANSWER
    for at in range(0, len(whole), piece):
        heard += whole[at : at + piece]
        _, answer = line.handleFrame(heard, 1, 0)
        if answer is not None:
            break
    assert answer is not None
    assert getattr(answer, "data", None) == bytes.fromhex("000A0102")


@given(st.binary(max_size=64), st.integers(0, 63), st.integers(1, 255))
def test_a_damaged_answer_is_no_answer(before: bytes, at: int, flip: int) -> None:
    damaged = bytearray(ANSWER)
    damaged[at % len(damaged)] ^= flip
    strays: list[bytes] = []
    line = framer(strays)
    line.expect(expected(1, 3, 2))
    _, answer = line.handleFrame(bytes(damaged), 1, 0)
    assert answer is None


def test_what_comes_while_nobody_asks_is_told_once() -> None:
    strays: list[bytes] = []
    line = framer(strays)
    used, answer = line.handleFrame(b"\x00\xff" + ANSWER + b"\x01", 0, 0)
    assert answer is None
    assert used == 2 + len(ANSWER)
    assert strays == [ANSWER]
    assert FramerRTU.compute_CRC(ANSWER[:-2]) == int.from_bytes(ANSWER[-2:], "big")
