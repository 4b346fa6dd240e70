"""CJ/T 188 under torture: whatever the line delivers, only a sound answer to the very question becomes a value."""

from __future__ import annotations

from random import Random

from drivers.cjt188 import codec as cjt188
from drivers.cjt188.station import Cjt188Station
from drivers.errors import FrameError
from drivers.meters.dialect import Denied, Said
from drivers.meters.items import Item
from drivers.profiles.files import load
from tests.drivers.products import Installed
from tests.torture.frames import mutated, noise, pieces

ADDRESS = "78330011223344"
STATIONS = [
    Cjt188Station("meter", Installed(address=ADDRESS), load(profile)) for profile in ("cjt188_water", "cjt188_heat")
]
ITEMS = [item for item in (station.blocks()[0] for station in STATIONS) if isinstance(item, Item)]
CODES = (0x81, 0x81, 0x81, 0xC1, 0x83, 0x84, 0x01, 0xFF)


def one(rng: Random) -> None:
    """Asks for an item and gives the talk a spoilt, foreign or sound answer, as a wire may hand it over."""
    which = rng.randrange(2)
    station, item = STATIONS[which], ITEMS[which]
    talk = station.read(item)
    asked = talk.ask()
    serial = asked.frame[-3]
    finder = station.frames()
    stream = _stream(rng, station, item, serial)
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
            assert _answers(frame, station, item, serial), frame.hex(" ")
            assert all((worth.value is None) == (worth.quality == "bad") for worth in verdict.worths)
            return
        if isinstance(verdict, Denied):
            assert frame[9] & 0x40
            return


def _stream(rng: Random, station: Cjt188Station, item: Item, serial: int) -> bytes:
    match rng.randrange(8):
        case 0:
            return noise(rng)
        case 1:
            return noise(rng, 8) + _answer(rng, station, item, serial)
        case 2:
            return _answer(rng, station, item, serial) + _answer(rng, station, item, serial)
        case _:
            return noise(rng, 4) + mutated(rng, _answer(rng, station, item, serial))


def _answer(rng: Random, station: Cjt188Station, item: Item, serial: int) -> bytes:
    data = rng.randbytes(item.size) if rng.random() < 0.5 else bytes(rng.randrange(10) for _ in range(item.size))
    if rng.random() < 0.2:
        data = data[: rng.randint(0, len(data))]
    address = ADDRESS if rng.random() < 0.8 else f"{rng.randrange(10**14):014}"
    kind = station.manner.kind if rng.random() < 0.9 else rng.randrange(256)
    number = serial if rng.random() < 0.8 else rng.randrange(256)
    head = cjt188.item_bytes(item.item, station.manner.order) if rng.random() < 0.9 else rng.randbytes(2)
    return cjt188.frame(kind, address, rng.choice(CODES), head + bytes((number,)) + data, rng.randint(0, 4))


def _sound(frame: bytes) -> bool:
    """The sum, computed anew; the shape."""
    return (
        frame[0] == 0x68 and frame[-1] == 0x16 and len(frame) == frame[10] + 13 and sum(frame[:-2]) % 256 == frame[-2]
    )


def _answers(frame: bytes, station: Cjt188Station, item: Item, serial: int) -> bool:
    """Whether a frame is what was asked for."""
    return (
        frame[1] == station.manner.kind
        and frame[2:9] == bytes.fromhex(ADDRESS)[::-1]
        and frame[9] == 0x81
        and frame[11:14] == bytes((0x1F, 0x90, serial))
        and len(frame) == 16 + item.size
    )
