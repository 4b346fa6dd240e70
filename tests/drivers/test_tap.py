"""A wire's tap: nothing while nobody looks, bounded while somebody does, and a slow watcher is told what it lost."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from contract.speech import Speech
from drivers.dlt645 import codec as dlt645
from drivers.listening import Eyes, OnWire, Seen
from drivers.osdp import codec as osdp
from drivers.osdp.codec import Frame
from drivers.overhearing import WireOverheard
from drivers.profiles.files import FOLDER, read
from drivers.tap import KEPT, KEPT_BYTES, MOST, Chunk, Tap
from tests.drivers.osdp_line import SERIAL, osdp_line
from tests.drivers.products import Installed

EN = Speech("en")
NOBODY = Eyes(secrets=False, numbers=False)
GUARD = Eyes(secrets=False, numbers=True)


async def test_nothing_is_kept_while_nobody_looks() -> None:
    tap = Tap()
    assert not tap.on
    with tap.watched() as first:
        assert tap.on
        tap.came(b"a")
        with tap.watched() as second:
            tap.sent(b"b")
            assert [chunk.data for chunk in (await first.next(1, 9))[1]] == [b"a", b"b"]
            assert [(chunk.way, chunk.data) for chunk in (await second.next(1, 9))[1]] == [("out", b"b")]
        assert tap.on
    assert not tap.on
    with tap.watched() as third:
        assert await third.next(0.01, 9) == (0, [])


async def test_a_slow_watcher_loses_the_oldest_and_is_told() -> None:
    tap = Tap()
    with tap.watched() as watcher:
        for number in range(KEPT + 7):
            tap.came(b"%d" % number)
        lost, chunks = await watcher.next(1, 2)
        assert (lost, [chunk.data for chunk in chunks]) == (7, [b"7", b"8"])
        assert await watcher.next(1, KEPT) == (0, tap.after(9, KEPT)[1])
        tap.came(bytes(KEPT_BYTES // 2))
        tap.came(bytes(KEPT_BYTES // 2 + 1))
        assert (await watcher.next(1, 9))[0] == 1


async def test_a_watcher_is_woken() -> None:
    tap = Tap()
    with tap.watched() as watcher:
        waiting = asyncio.create_task(watcher.next(30, 1))
        await asyncio.sleep(0)
        tap.failed("pump-1", "unit 1 did not answer within 1 s")
        began = time.monotonic()
        _, [chunk] = await waiting
        assert time.monotonic() - began < 1
        assert (chunk.way, chunk.about, chunk.why) == ("fault", "pump-1", "unit 1 did not answer within 1 s")


async def test_few_may_look() -> None:
    tap = Tap()
    watching = [tap.watched() for _ in range(MOST)]
    for each in watching:
        assert not tap.crowded
        each.__enter__()
    assert tap.crowded
    watching[0].__exit__(None, None, None)
    assert not tap.crowded


def test_a_wire_pays_next_to_nothing_while_nobody_looks() -> None:
    """What each exchange asks (`if tap.on`) beside what one costs: 0.2 ms where it is cheapest, on Modbus TCP."""
    tap, times = Tap(), 200_000

    def asked() -> float:
        began = time.perf_counter()
        for _ in range(times):
            if tap.on:
                tap.came(b"")
        return (time.perf_counter() - began) / times

    assert min(asked() for _ in range(5)) < 0.2e-3 / 200


# --- What is told of it


def told(wire: OnWire, kind: str, chunks: list[Chunk]) -> list[Seen]:
    overheard = WireOverheard(kind, wire, EN)
    return [seen for chunk in chunks for seen in overheard.hear(chunk)] + overheard.quiet()


def on(protocol: str, profile: str, eyes: Eyes, **installed: object) -> OnWire:
    found = next(read(path) for path in FOLDER.glob(f"*/{profile}.yaml"))
    assert found.protocol == protocol
    return OnWire({"d": (Installed(**installed), found)}, (), eyes)  # type: ignore[arg-type]


def card(number: bytes) -> bytes:
    return osdp.write(Frame(2, reply=True, sequence=1, code=osdp.RAW, data=bytes((0, 0, 8 * len(number), 0)) + number))


@pytest.mark.parametrize(("eyes", "shown"), [(GUARD, "04 a1 b2 c3"), (NOBODY, "••••b2c3")])
def test_a_card_is_told_whom_it_may(eyes: Eyes, shown: str) -> None:
    number = bytes.fromhex("04a1b2c3")
    [seen] = told(on("osdp", "osdp_reader", eyes, unit=2), "osdp-serial", [Chunk(1.0, "in", card(number))])
    assert seen.fields["name"] == "RAW" and seen.words.endswith(shown)
    assert (number in seen.raw) == (eyes is GUARD)


@pytest.mark.parametrize("eyes", [GUARD, NOBODY])
@pytest.mark.parametrize(
    "frame",
    [
        Frame(2, reply=True, sequence=1, code=osdp.KEYPAD, data=b"\x00\x041234"),
        Frame(2, reply=False, sequence=1, code=osdp.KEYSET, data=b"\x01\x10" + b"K" * 16),
        Frame(2, reply=False, sequence=1, code=osdp.CHLNG, data=b"RANDOM--", block=b"\x11\x00"),
        Frame(2, reply=False, sequence=1, code=osdp.KEYSET, data=b"S" * 32, block=b"\x17", mac=b"MMMM"),
    ],
)
def test_keys_and_pins_are_told_nobody(eyes: Eyes, frame: Frame) -> None:
    raw = osdp.write(frame)
    wire = on("osdp", "osdp_reader", eyes, unit=2)
    [whole] = told(wire, "osdp-serial", [Chunk(1.0, "in", raw)])
    assert whole.fields["name"] == frame.name
    broken = told(wire, "osdp-serial", [Chunk(1.0, "in", raw[:-1] + b"\x00"), Chunk(2.0, "in", raw)])
    for seen in (whole, *broken):
        assert frame.data not in seen.raw and frame.data.hex(" ") not in seen.words
        assert b"1234" not in seen.raw and "31 32 33 34" not in seen.words


def test_the_password_of_a_meter_is_told_nobody() -> None:
    password = bytes((0x02, 0x11, 0x22, 0x33))
    data = bytes((0x01, 0x11, 0x00, 0x04)) + password + bytes(4) + b"\x05"
    raw = dlt645.frame("000000000161", 0x14, data)
    wire = on("dlt645", "dlt645_2007_three_phase", NOBODY, address="000000000161")
    hidden = bytes((byte + 0x33) & 0xFF for byte in password)
    assert hidden in raw
    asked, *_ = told(wire, "meter-serial", [Chunk(1.0, "out", raw), Chunk(1.1, "in", raw[:-2] + b"\x00\x16")])
    seen = [asked, *_]
    assert asked.words.startswith("write") and [each.way for each in seen] == ["ask", "odd"]
    for each in seen:
        assert hidden not in each.raw and hidden.hex(" ") not in each.words
    whole = OnWire(wire.devices, ())
    assert hidden in told(whole, "meter-serial", [Chunk(1.0, "out", raw)])[0].raw


@pytest.mark.parametrize(("eyes", "shown"), [(GUARD, "04A1B2C3D4E5F6"), (NOBODY, "••••E5F6")])
def test_a_line_of_text(eyes: Eyes, shown: str) -> None:
    wire = on("line", "line_reader", eyes)
    [seen] = told(wire, "line-tcp", [Chunk(1.0, "in", b"04A1B2C3"), Chunk(1.0, "in", b"D4E5F6\r\n")])
    assert (seen.words, bool(seen.raw)) == (f"d card {shown}", eyes is GUARD)


def test_a_message_of_a_lock() -> None:
    wire = on("mqtt", "zigbee2mqtt_mccgq11lm", GUARD, topic="zigbee2mqtt/door")
    said = b'{"battery": 91, "users": {"1": {"pin_code": "4711"}}, "state": "LOCK"}'
    [seen] = told(wire, "mqtt", [Chunk(1.0, "in", said, "zigbee2mqtt/door")])
    assert "91" in seen.words and "LOCK" in seen.words and "4711" not in seen.words and not seen.raw
    [plain] = told(wire, "mqtt", [Chunk(1.0, "out", b'{"state": "ON"}', "zigbee2mqtt/door/set")])
    assert (plain.way, plain.words) == ("ask", 'zigbee2mqtt/door/set {"state": "ON"}')


# --- A real line


async def test_a_line_of_readers_and_one_that_is_silent(tmp_path: Path) -> None:
    async with osdp_line(tmp_path, {"in": {"unit": 1, "secure": False}}, SERIAL) as line:
        await line.online("in")
        with line.bus.tap.watched() as watcher:
            _, chunks = await watcher.next(5, 1)
            assert chunks
            line.fault("in", "silent")
            async with asyncio.timeout(10):
                while not (failed := [chunk for chunk in (await watcher.next(5, 50))[1] if chunk.way == "fault"]):
                    pass
        assert failed[0].about == "in" and "did not answer" in failed[0].why
        assert not line.bus.tap.on
