"""Modbus TCP: frames whole, spoilt, cut and joined as networks do; only what the header says is ever taken."""

from __future__ import annotations

from random import Random

from drivers.errors import FrameError
from drivers.modbus.frames import TcpFrame, TcpFrames, body, read_pdu, tcp
from drivers.modbus.wire import Refused
from tests.torture.frames import mutated, noise, pieces


def one(rng: Random) -> None:
    """One connection's worth of bytes."""
    asked = read_pdu(rng.randint(1, 4), rng.randrange(0x10000), rng.randint(1, 30))
    data = b"".join(_heard(rng, asked) for _ in range(rng.randint(1, 4)))
    whole, sound = _by_hand(data)
    frames, found = TcpFrames(), list[TcpFrame]()
    refused = False
    for piece in pieces(rng, data) if data else []:
        try:
            found += frames.feed(piece)
        except FrameError:
            refused = True
            break
    # Frames that came in the same piece as the bytes that are no Modbus go with the connection.
    assert found == whole[: len(found)]
    assert refused != sound
    assert refused or found == whole
    for frame in found:
        try:
            values = body(asked, frame.pdu)
        except (Refused, FrameError):
            continue
        count = int.from_bytes(asked[3:5], "big")
        assert frame.pdu[0] == asked[0]
        assert len(values) == frame.pdu[1] == (2 * count if asked[0] > 2 else (count + 7) // 8)


def _by_hand(data: bytes) -> tuple[list[TcpFrame], bool]:
    """What is in the bytes by the words of the specification, and whether all of it is Modbus."""
    found: list[TcpFrame] = []
    while len(data) >= 7:
        length = data[4] * 256 + data[5]
        if data[2] or data[3] or length < 3 or length > 254:
            return found, False
        if len(data) < 6 + length:
            break
        found.append(TcpFrame(data[0] * 256 + data[1], data[6], data[7 : 6 + length]))
        data = data[6 + length :]
    return found, True


def _heard(rng: Random, asked: bytes) -> bytes:
    fc = asked[0]
    count = int.from_bytes(asked[3:5], "big")
    size = 2 * count if fc > 2 else (count + 7) // 8
    if rng.random() < 0.2:
        size = rng.randint(0, 60)
    pdu = bytes([fc, size]) + rng.randbytes(size) if rng.random() < 0.8 else bytes([fc | 0x80, rng.randint(0, 12)])
    frame = tcp(rng.randrange(0x10000), rng.randrange(256), pdu)
    match rng.randrange(5):
        case 0:
            return mutated(rng, frame)
        case 1:
            return noise(rng, 30)
        case _:
            return frame
