"""RTU lines: echoes, noise, other units, answers whole and spoilt, byte by byte or two in one read.

Nothing is taken but a frame of the unit, function and length that were asked, whose checksum another implementation
finds right, and that is no echo of the question.
"""

from __future__ import annotations

from random import Random

from pymodbus.framer import FramerRTU

from drivers.errors import FrameError
from drivers.modbus.encode import Write
from drivers.modbus.frames import READS, RtuLine, body, read_pdu, rtu, write_pdu
from drivers.modbus.wire import Refused
from tests.torture.frames import mutated, noise, pieces

UNITS = frozenset({1, 2, 17})


def one(rng: Random) -> None:
    """One question, and whatever comes after it."""
    unit = rng.choice((1, 2, 17))
    asked = _question(rng)
    request = rtu(unit, asked)
    strays: list[bytes] = []
    line = RtuLine(UNITS, strays.append)
    line.echoes = rng.choice((None, False, True)) if asked[0] in READS else rng.choice((False, True))
    known = line.echoes
    heard = b"".join(_heard(rng, unit, asked) for _ in range(rng.randint(0, 3)))
    line.ask(request)
    buffer, found = b"", None
    for piece in pieces(rng, heard) if heard else []:
        buffer += piece
        used, found = line.look(buffer)
        buffer = buffer[used:]
        if found is not None:
            break
    for frame in strays:
        assert _right(frame), frame.hex(" ")
        assert frame[0] in UNITS
    if found is not None:
        _check(found, request, heard, known)
    line.rest()
    used, nothing = line.look(buffer)
    assert nothing is None


def _check(found: bytes, request: bytes, heard: bytes, echoes: bool | None) -> None:
    asked = request[1:-2]
    assert _right(found), found.hex(" ")
    assert found in heard
    assert found[0] == request[0]
    assert found[1] in {asked[0], asked[0] | 0x80}
    if asked[0] in READS:
        assert found != request
    elif echoes and found == request:
        assert heard.count(request) >= 2
    try:
        data = body(asked, found[1:-2])
    except (Refused, FrameError):
        return
    if asked[0] in READS:
        count = int.from_bytes(asked[3:5], "big")
        assert len(data) == (2 * count if asked[0] > 2 else (count + 7) // 8)
        assert data == found[3:-2]


def _right(frame: bytes) -> bool:
    """By another implementation."""
    return FramerRTU.compute_CRC(frame[:-2]) == int.from_bytes(frame[-2:], "big")


def _question(rng: Random) -> bytes:
    fc = rng.choice((1, 2, 3, 4, 5, 6, 16))
    address = rng.choice((0, 1, 0x0200, 0x0300, rng.randrange(0x10000)))
    if fc <= 4:
        return read_pdu(fc, address, rng.choice((1, 2, 8, 17, 24, rng.randint(1, 30))))
    words = tuple(rng.randrange(0x10000) for _ in range(rng.randint(1, 4) if fc == 16 else 1))
    return write_pdu(Write(fc, address, words))


def _answer(rng: Random, asked: bytes) -> bytes:
    fc = asked[0]
    if rng.random() < 0.1:
        return bytes([fc | 0x80, rng.randint(0, 12)])
    if fc not in READS:
        return asked[:5]
    count = int.from_bytes(asked[3:5], "big")
    size = 2 * count if fc > 2 else (count + 7) // 8
    return bytes([fc, size]) + rng.randbytes(size)


def _heard(rng: Random, unit: int, asked: bytes) -> bytes:
    match rng.randrange(7):
        case 0:
            return noise(rng, 20)
        case 1:
            return rtu(unit, asked)
        case 2:
            return mutated(rng, rtu(unit, asked))
        case 3:
            return rtu(rng.choice((1, 2, 3, 17)), _answer(rng, _question(rng)))
        case 4:
            return mutated(rng, rtu(unit, _answer(rng, asked)))
        case _:
            return rtu(unit, _answer(rng, asked))
