"""DL/T 645 under torture: whatever the line delivers, only a sound answer to the very question becomes a value."""

from __future__ import annotations

from random import Random

from drivers.dlt645 import codec as dlt645
from drivers.dlt645.station import Dlt645Station
from drivers.errors import FrameError
from drivers.meters.dialect import Denied, Foreign, Said
from drivers.meters.items import Item
from drivers.profiles.files import load
from tests.drivers.products import Installed
from tests.torture.frames import mutated, noise, pieces

ADDRESS = "398192000337"
STATION = Dlt645Station("meter", Installed(address=ADDRESS), load("dlt645_2007_three_phase"))
ITEMS = [item for item in STATION.blocks() if isinstance(item, Item) and item.time is None]
CODES = (0x91, 0x91, 0x91, 0xB1, 0xD1, 0x92, 0xB2, 0x11, 0x93, 0x94, 0xFF)


def one(rng: Random) -> None:
    """Asks for an item and gives the talk a spoilt, foreign or sound answer, as a wire may hand it over."""
    item = rng.choice(ITEMS)
    talk = STATION.read(item)
    asked = talk.ask()
    finder = STATION.frames()
    stream = _stream(rng, item)
    frames = [frame for piece in pieces(rng, stream) for frame in finder.feed(piece)]
    for frame in [*frames, *finder.quiet()]:
        assert _sound(frame), frame.hex(" ")
        if asked.frame.endswith(frame):
            continue
        try:
            verdict = talk.heard(frame)
        except FrameError:
            return
        if isinstance(verdict, Said):
            assert _answers(frame, item), frame.hex(" ")
            assert all((worth.value is None) == (worth.quality == "bad") for worth in verdict.worths)
            return
        if isinstance(verdict, Denied):
            assert frame[8] & 0x40
            return
        if not isinstance(verdict, Foreign):
            talk.ask()


def _stream(rng: Random, item: Item) -> bytes:
    match rng.randrange(8):
        case 0:
            return noise(rng)
        case 1:
            return noise(rng, 8) + STATION.read(item).ask().frame + _answer(rng, item)
        case 2:
            return _answer(rng, item) + _answer(rng, item)
        case _:
            return noise(rng, 4) + mutated(rng, _answer(rng, item))


def _answer(rng: Random, item: Item) -> bytes:
    data = rng.randbytes(item.size) if rng.random() < 0.5 else bytes(rng.randrange(10) for _ in range(item.size))
    if rng.random() < 0.2:
        data = data[: rng.randint(0, len(data))]
    address = ADDRESS if rng.random() < 0.8 else f"{rng.randrange(10**12):012}"
    head = dlt645.item_bytes(item.item if rng.random() < 0.8 else rng.choice(ITEMS).item, 2007)
    return dlt645.frame(address, rng.choice(CODES), head + data, rng.randint(0, 4))


def _sound(frame: bytes) -> bool:
    """The sum, computed anew; the shape."""
    return (
        frame[0] == frame[7] == 0x68
        and frame[-1] == 0x16
        and len(frame) == frame[9] + 12
        and sum(frame[:-2]) % 256 == frame[-2]
    )


def _answers(frame: bytes, item: Item) -> bool:
    """Whether a frame (the last of several, too) is what was asked for."""
    data = bytes((byte - 0x33) & 0xFF for byte in frame[10:-2])
    whole = frame[8] == 0x92 or len(data) == 4 + item.size
    return (
        frame[1:7] == bytes.fromhex(ADDRESS)[::-1]
        and frame[8] in (0x91, 0x92)
        and int.from_bytes(data[:4], "little") == item.item
        and whole
    )
