"""DL/T 698.45 under torture: whatever the line delivers, only a sound answer to the very question becomes a value."""

from __future__ import annotations

from random import Random

from dlt698.codec import crc16
from dlt698.model import Data

from drivers.dlt698 import codec as dlt698
from drivers.dlt698.station import Dlt698Station, Objects
from drivers.errors import FrameError
from drivers.meters.dialect import Denied, Said
from drivers.profiles.files import load
from tests.drivers.products import Installed
from tests.torture.frames import mutated, noise, pieces

ADDRESS = "000000314159"
STATION = Dlt698Station("meter", Installed(address=ADDRESS), load("dlt698_three_phase"))
BLOCKS = [block for block in STATION.blocks() if isinstance(block, Objects)]
CONTROLS = (dlt698.ANSWER, dlt698.ANSWER, dlt698.ANSWER, dlt698.REQUEST, 0x03, 0x83)
VALUES: list[Data | int] = [
    Data.null(), 4, Data.uint16(2301), Data.int32(-5), Data.octet_string(b"\x12\x34"), Data.visible_string("7"),
    Data.array([Data.uint32(1), Data.uint32(0xFFFFFFFF), Data.null()]), Data.structure([Data.uint8(1)]),
    Data.date_time_s([7, 234, 2, 3, 4, 5, 6]), Data.date_time_s([255] * 7), Data.float32(1.5),
]  # fmt: skip


def one(rng: Random) -> None:
    """Asks for attributes and gives the talk a spoilt, foreign or sound answer, as a wire may hand it over."""
    block = rng.choice(BLOCKS)
    talk = STATION.read(block)
    asked = talk.ask()
    question = dlt698.asked(dlt698.parse(asked.frame[4:]).apdu)
    assert question is not None
    finder = STATION.frames()
    stream = _stream(rng, block, question[0])
    frames = [frame for piece in pieces(rng, stream) for frame in finder.feed(piece)]
    for frame in [*frames, *finder.quiet()]:
        assert _sound(frame), frame.hex(" ")
        if asked.frame.endswith(frame):
            continue
        try:
            verdict = talk.heard(frame)
        except FrameError:
            return
        if isinstance(verdict, Said | Denied):
            assert frame[5:11] == bytes.fromhex(ADDRESS)[::-1], frame.hex(" ")
        if isinstance(verdict, Said):
            assert frame[14] == 0x85
            assert frame[16] & 0x3F == question[0]
            assert all((worth.value is None) == (worth.quality == "bad") for worth in verdict.worths)
            return


def _stream(rng: Random, block: Objects, piid: int) -> bytes:
    match rng.randrange(8):
        case 0:
            return noise(rng)
        case 1:
            return noise(rng, 8) + _answer(rng, block, piid)
        case 2:
            return _answer(rng, block, piid) + _answer(rng, block, piid)
        case _:
            return noise(rng, 4) + mutated(rng, _answer(rng, block, piid))


def _answer(rng: Random, block: Objects, piid: int) -> bytes:
    oads = list(block.points) if rng.random() < 0.8 else [rng.randrange(2**32) for _ in range(rng.randint(1, 3))]
    number = piid if rng.random() < 0.8 else rng.randrange(64)
    apdu = dlt698.answer(number, {oad: rng.choice(VALUES) for oad in oads})
    if rng.random() < 0.3:
        apdu = mutated(rng, apdu)
    address = ADDRESS if rng.random() < 0.8 else f"{rng.randrange(10**12):012}"
    control = rng.choice(CONTROLS)
    return dlt698.frame(address, control, apdu, rng.randint(0, 4))


def _sound(frame: bytes) -> bool:
    """Both sums, computed anew; the shape."""
    head = frame[4] % 16 + 7
    return (
        frame[0] == 0x68
        and frame[-1] == 0x16
        and frame[1] + frame[2] * 256 == len(frame) - 2
        and crc16(frame[1:head]) == frame[head] + frame[head + 1] * 256
        and crc16(frame[1:-3]) == frame[-3] + frame[-2] * 256
    )
