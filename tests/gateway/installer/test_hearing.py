"""Understanding a Modbus line by listening: frames whole and in pieces, noise, damage, lost beginnings."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.ear import Ear, Heard
from drivers.modbus.frames import read_pdu, rtu

ASK = bytes.fromhex("010300000002c40b")
ANSWER = rtu(1, bytes.fromhex("0304000a0102"))
ASK_ONE = bytes.fromhex("01040000000131ca")
WRITE = bytes.fromhex("010600010003980b")
WRITE_MANY = bytes.fromhex("01100001000204000a01029230")
WRITTEN_MANY = rtu(1, bytes.fromhex("1000010002"))
COILS = bytes.fromhex("010f0013000a02cd0172cb")
ASK_COILS = bytes.fromhex("0101001300250c14")
REFUSAL = rtu(2, bytes.fromhex("8302"))


def listen(stream: bytes, step: int = 10_000) -> list[Heard]:
    ear = Ear()
    found: list[Heard] = []
    for at in range(0, len(stream), step):
        found += ear.feed(stream[at : at + step], at / 1000)
    return found + ear.quiet()


def kinds(found: list[Heard]) -> list[tuple[str, int, int]]:
    return [(heard.kind, heard.unit, heard.fc) for heard in found]


CASES: list[tuple[str, bytes, list[tuple[str, int, int]]]] = [
    ("a read", ASK + ANSWER, [("request", 1, 3), ("answer", 1, 3)]),
    ("a write answered alike", WRITE + WRITE, [("request", 1, 6), ("answer", 1, 6)]),
    ("many registers", WRITE_MANY + WRITTEN_MANY, [("request", 1, 16), ("answer", 1, 16)]),
    ("many coils", COILS, [("request", 1, 15)]),
    ("a refusal", rtu(2, read_pdu(3, 0, 1)) + REFUSAL, [("request", 2, 3), ("exception", 2, 3)]),
    ("silence, then another", ASK + ASK_ONE, [("request", 1, 3), ("request", 1, 4)]),
    ("an answer of 8 bytes that looks like a request", ASK_COILS + rtu(1, bytes.fromhex("0105cd6bb20e1b")),
     [("request", 1, 1), ("answer", 1, 1)]),
    ("three bytes of coils", rtu(1, read_pdu(1, 0, 24)) + rtu(1, bytes.fromhex("0103aabbcc")),
     [("request", 1, 1), ("answer", 1, 1)]),
    ("noise between", ASK + ANSWER + b"\x00\xff\x13" + ASK,
     [("request", 1, 3), ("answer", 1, 3), ("noise", -1, -1), ("request", 1, 3)]),
    ("a damaged answer is its unit's", ASK + ANSWER[:-1] + b"\x00", [("request", 1, 3), ("noise", 1, 3)]),
    ("half an answer", ASK + ANSWER[:5], [("request", 1, 3), ("noise", 1, 3)]),
    ("listening begins in the middle", ANSWER[4:] + ASK + ANSWER,
     [("noise", -1, -1), ("request", 1, 3), ("answer", 1, 3)]),
    ("a custom function", rtu(9, bytes.fromhex("4501020304")), [("custom", 9, 0x45)]),
    ("a broadcast", rtu(0, bytes.fromhex("0600010003")) + ASK, [("request", 0, 6), ("request", 1, 3)]),
]  # fmt: skip


@pytest.mark.parametrize("step", [1, 3, 7, 10_000])
@pytest.mark.parametrize(("stream", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_streams(stream: bytes, expected: list[tuple[str, int, int]], step: int) -> None:
    assert kinds(listen(stream, step)) == expected


def test_latency_is_from_the_end_of_the_question_to_the_begin_of_the_answer() -> None:
    ear = Ear()
    ear.feed(ASK[:4], 1.0)
    ear.feed(ASK[4:], 1.004)
    (answer,) = [*ear.feed(ANSWER[:2], 1.05), *ear.feed(ANSWER[2:], 1.06)]
    assert answer.asked is not None
    assert answer.latency_s == pytest.approx(0.046)


def test_a_wrong_published_frame_is_no_frame() -> None:
    # A lamp table on the web prints this write with a wrong checksum.
    assert kinds(listen(bytes.fromhex("01050002f1009fb7"))) == [("noise", -1, -1)]


@given(st.lists(st.sampled_from([ASK + ANSWER, WRITE + WRITE, REFUSAL, ASK_ONE]), max_size=8), st.integers(1, 9))
def test_every_byte_is_in_exactly_one_frame(parts: list[bytes], step: int) -> None:
    stream = b"".join(parts)
    assert b"".join(heard.raw for heard in listen(stream, step)) == stream


@given(st.binary(max_size=600), st.integers(1, 50))
def test_any_bytes_are_told_once_and_held_for_ever_nowhere(stream: bytes, step: int) -> None:
    assert b"".join(heard.raw for heard in listen(stream, step)) == stream


def test_no_reading_from_a_damaged_answer() -> None:
    rng = random.Random(7)
    for _ in range(3000):
        damaged = bytearray(ANSWER)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        assert not [heard for heard in listen(ASK + bytes(damaged)) if heard.kind == "answer"]
