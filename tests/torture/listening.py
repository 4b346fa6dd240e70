"""Listening to a Modbus line: talk of several units, noise and damage between, in pieces of any size.

Every byte is told exactly once; what is called a frame has a checksum that another implementation finds right; an
answer that follows a question is of the unit, function and length that were asked.
"""

from __future__ import annotations

from random import Random

from pymodbus.framer import FramerRTU

from drivers.modbus.ear import Ear, Heard
from drivers.modbus.frames import body_size, read_pdu, rtu
from tests.torture.frames import mutated, noise, pieces


def one(rng: Random) -> None:
    """Some talk, and what a listener makes of it."""
    stream = b"".join(_said(rng) for _ in range(rng.randint(1, 4)))
    ear = Ear()
    found: list[Heard] = []
    if stream:
        for at, piece in enumerate(pieces(rng, stream)):
            found += ear.feed(piece, float(at))
            if rng.random() < 0.05:
                found += ear.quiet()
    found += ear.quiet()
    assert b"".join(heard.raw for heard in found) == stream
    for heard in found:
        if heard.kind == "noise":
            continue
        crc = FramerRTU.compute_CRC(heard.raw[:-2]).to_bytes(2, "big")
        assert heard.raw[-2:] == crc, heard.raw.hex(" ")
        asked = heard.asked
        if asked is None:
            continue
        assert (asked.unit, asked.fc) == (heard.unit, heard.fc)
        assert heard.at >= asked.at
        if heard.kind == "answer" and heard.fc <= 4:
            assert len(heard.raw) == 5 + body_size(heard.fc, int.from_bytes(asked.raw[4:6], "big"))


def _said(rng: Random) -> bytes:
    unit, fc, size = rng.randint(0, 4), rng.randint(1, 4), rng.randint(1, 40)
    asked = rtu(unit, read_pdu(fc, rng.randrange(0x10000), size))
    body = rng.randbytes(body_size(fc, size))
    answer = rtu(unit, bytes((fc, len(body))) + body) if rng.random() < 0.8 else rtu(unit, bytes((fc | 0x80, 2)))
    match rng.randrange(6):
        case 0:
            return asked + mutated(rng, answer)
        case 1:
            return mutated(rng, asked) + answer
        case 2:
            return noise(rng)
        case 3:
            write = rtu(unit, bytes((6,)) + rng.randbytes(4))
            return write + write
        case _:
            return asked + answer
