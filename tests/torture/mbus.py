"""M-Bus under torture: whatever the line delivers, only a sound answer of the meter asked becomes a value.

A part of the frames has records of random bytes, so that the decoder behind the adapter is tortured too.
"""

from __future__ import annotations

from random import Random

from drivers.errors import FrameError
from drivers.mbus import codec as mbus
from drivers.mbus.station import MbusStation
from drivers.meters.dialect import Denied, Said
from drivers.profiles.files import load
from tests.drivers.products import Installed
from tests.torture.frames import mutated, noise, pieces

NUMBER = "02205100824D0204"
STATIONS = [
    MbusStation("meter", Installed(unit=8), load("mbus_heat")),
    MbusStation("meter", Installed(address="02205100"), load("mbus_water")),
]
RECORDS = [
    bytes.fromhex(text)
    for text in (
        "04 06 05000000", "0C 13 78563412", "0B 3B 000000", "0A 5A 8812", "02 5D 1027", "44 06 06000000", "42 6C 8C11",
        "04 6D 1E2F9A2C", "14 2B 09000000", "0D FD0C 03 434241", "2F", "0A 5A EEEE", "04 86 3C 05000000", "02 27 370D",
    )
]  # fmt: skip


def one(rng: Random) -> None:
    """Asks a meter and gives the talk a spoilt, foreign or sound answer, as a wire may hand it over."""
    station = STATIONS[rng.randrange(2)]
    talk = station.read(station.blocks()[0])
    while talk.ask().frame[1] & 0x4F != 0x4B:
        talk.heard(mbus.ACKNOWLEDGED)
    finder = station.frames()
    stream = _stream(rng)
    frames = [frame for piece in pieces(rng, stream) for frame in finder.feed(piece)]
    for frame in [*frames, *finder.quiet()]:
        assert _sound(frame), frame.hex(" ")
        try:
            verdict = talk.heard(frame)
        except FrameError:
            return
        if isinstance(verdict, Said | Denied):
            assert _answers(frame, station), frame.hex(" ")
        if isinstance(verdict, Said):
            assert all((worth.value is None) == (worth.quality == "bad") for worth in verdict.worths)
            return


def _stream(rng: Random) -> bytes:
    match rng.randrange(8):
        case 0:
            return noise(rng)
        case 1:
            return noise(rng, 8) + _answer(rng)
        case 2:
            return _answer(rng) + _answer(rng)
        case _:
            return noise(rng, 4) + mutated(rng, _answer(rng))


def _answer(rng: Random) -> bytes:
    records = b"".join(rng.choice(RECORDS) for _ in range(rng.randint(0, 6)))
    if rng.random() < 0.3:
        records = mutated(rng, records)
    if rng.random() < 0.2:
        records += rng.randbytes(rng.randint(0, 20))
    if rng.random() < 0.1:
        records += b"\x1f"
    number = NUMBER if rng.random() < 0.8 else f"{rng.randrange(10**8):08}" + NUMBER[8:]
    control_information = 0x72 if rng.random() < 0.9 else rng.randrange(256)
    configuration = b"\0\0" if rng.random() < 0.9 else rng.randbytes(2)
    head = bytes((control_information,)) + mbus.secondary_bytes(number) + rng.randbytes(2) + configuration
    control = 0x08 if rng.random() < 0.8 else rng.randrange(256)
    address = 8 if rng.random() < 0.8 else rng.randrange(256)
    return mbus.long(control, address, (head + records)[:250])


def _sound(frame: bytes) -> bool:
    """The shape and the sum, computed anew."""
    if frame == b"\xe5":
        return True
    if frame[0] == 0x10:
        return len(frame) == 5 and frame[4] == 0x16 and (frame[1] + frame[2]) % 256 == frame[3]
    whole = frame[0] == frame[3] == 0x68 and frame[1] == frame[2] == len(frame) - 6 and frame[-1] == 0x16
    return whole and sum(frame[4:-2]) % 256 == frame[-2]


def _answers(frame: bytes, station: MbusStation) -> bool:
    """Whether a frame is an answer of the meter that was asked."""
    if frame[4] & 0xCF != 0x08:
        return False
    if station.mask is None:
        return frame[5] == 8
    return frame[6] == 0x70 or (frame[6] == 0x72 and frame[7:11] == bytes.fromhex("00512002"))
