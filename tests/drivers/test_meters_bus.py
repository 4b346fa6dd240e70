"""The owner of a meter line on a real connection: meters that are dead, late, foreign, mute or in several frames."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from drivers.bus import CommandFailed
from drivers.cjt188 import codec as cjt188
from drivers.dlt645 import codec as dlt645
from drivers.installed import WrongInstallation
from drivers.mbus import codec as mbus
from drivers.meters.wires import MeterTcpBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.reports import DeviceFound, DeviceLost, InputRefused
from tests.drivers.meters import Answers, Line, meter_product, owned, quick
from tests.drivers.products import Installed, product
from tests.drivers.sinks import Heard

ITEMS = 6
NUMBERS = meter_product(
    "points:\n"
    + "\n".join(
        f"  p{number}: {{di: 0x000{number}0000, length: 4, name: {{zh: 值, en: Value}}}}"
        for number in range(1, ITEMS + 1)
    )
)


def answered(frame: bytes, data: bytes = b"") -> bytes:
    """The confirmation of a request: its item and `data`."""
    asked = dlt645.parse(frame)
    return dlt645.frame(asked.address, asked.control | 0x80, asked.data[:4] + data, wake=2)


def own_value(frame: bytes) -> bytes:
    """Every item of every meter has a value of its own: the meter's last digits, then the item's."""
    asked = dlt645.parse(frame)
    value = f"{asked.address[-2:]}0000{asked.data[2]:02}"
    return bytes.fromhex(value)[::-1]


async def test_late_answers_never_become_values_of_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meters answer after up to twice the time-out, others between; every reading is of its own item and meter."""
    monkeypatch.setattr("drivers.schedule.PROBES_S", (0.01, 0.02, 0.03, 0.04))
    rng = Random(3)

    def answers(frame: bytes) -> Answers:
        return [(rng.uniform(0, 0.04) if rng.random() < 0.5 else 0.0, answered(frame, own_value(frame)))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    devices = {f"m{address}": (Installed(address=str(address)), quick(NUMBERS)) for address in (11, 12, 13)}
    async with owned(line, devices, heard, timeout_s=0.02) as bus:
        await line.until(lambda: len(line.asked) > 800 and bus.health.late > 20, within_s=60)
    believed = 0
    for device, (installed, _) in devices.items():
        for number in range(1, ITEMS + 1):
            for reading in heard.readings(f"{device}.p{number}"):
                believed += 1
                assert reading.value == int(f"{installed.address}0000{number:02}"), reading
    assert believed > 2 * ITEMS
    assert bus.health.timeouts > 5


async def test_a_late_answer_with_an_older_number_is_not_the_answer() -> None:
    """CJ/T 188 meters count questions: an answer to the question before is late, and not believed."""
    water = quick(load("cjt188_water"))
    count = 0

    def answers(frame: bytes) -> Answers:
        nonlocal count
        count += 1
        asked = cjt188.parse(frame)
        number = asked.data[2:3] if count % 2 else bytes((asked.data[2] - 1 & 0xFF,))
        value = bytes.fromhex("00111100" if count % 2 else "00999900") + b"\x2c"
        data = value + value + bytes.fromhex("31012211051520") + b"\0\0"
        return [(0.0, cjt188.frame(0x10, "7", 0x81, asked.data[:2] + number + data, wake=0))]

    heard = Heard()
    line = Line(cjt188.frames(), answers)
    async with owned(line, {"water": (Installed(address="7"), water)}, heard, timeout_s=0.03) as bus:
        await line.until(lambda: bus.health.late >= 3)
    values = {reading.value for reading in heard.readings("water.volume_forward") if reading.quality == "good"}
    assert values == {1111.0}


async def test_a_dead_meter_is_backed_off_and_the_others_go_on() -> None:
    def answers(frame: bytes) -> Answers:
        return [] if dlt645.parse(frame).address.endswith("99") else [(0.0, answered(frame, own_value(frame)))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    devices = {"dead": (Installed(address="99"), quick(NUMBERS)), "well": (Installed(address="11"), quick(NUMBERS))}
    async with owned(line, devices, heard) as bus:
        await heard.until(lambda: heard.of(DeviceLost), within_s=30)
        await line.until(lambda: len(line.asked) > 200)
    to_the_dead = sum(dlt645.parse(frame).address.endswith("99") for frame in line.asked)
    assert to_the_dead <= 5
    assert [lost.device for lost in heard.of(DeviceLost)] == ["dead"]
    assert heard.of(DeviceFound) == [DeviceFound("well")]
    assert bus.health.timeouts == to_the_dead


async def test_a_damaged_answer_is_asked_for_again_at_once() -> None:
    def answers(frame: bytes) -> Answers:
        answer = answered(frame, own_value(frame))
        spoilt = answer[:-3] + bytes((answer[-3] ^ 1,)) + answer[-2:]
        return [(0.0, spoilt if len(line.asked) % 2 else answer)]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    async with owned(line, {"m": (Installed(address="11"), quick(NUMBERS))}, heard) as bus:
        await heard.until(lambda: all(heard.last(f"m.p{number}") for number in range(1, ITEMS + 1)))
    assert heard.of(DeviceFound) == [DeviceFound("m")]
    assert not heard.of(DeviceLost)
    assert bus.health.refused >= ITEMS
    assert "wrong sum" in heard.of(InputRefused)[0].why


async def test_an_echo_is_no_answer_and_no_fault() -> None:
    def answers(frame: bytes) -> Answers:
        return [(0.0, frame), (0.005, answered(frame, own_value(frame)))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    async with owned(line, {"m": (Installed(address="11"), quick(NUMBERS))}, heard) as bus:
        await heard.until(lambda: all(heard.last(f"m.p{number}") for number in range(1, ITEMS + 1)))
    assert bus.health.refused == bus.health.late == 0


async def test_another_meter_answers_in_its_place() -> None:
    def answers(frame: bytes) -> Answers:
        asked = dlt645.parse(frame)
        return [(0.0, dlt645.frame("12", asked.control | 0x80, asked.data + own_value(frame), wake=0))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    async with owned(line, {"m": (Installed(address="11"), quick(NUMBERS))}, heard):
        await heard.until(lambda: heard.of(DeviceLost), within_s=30)
    assert not heard.readings("m.p1")
    assert "the meter 000000000012 answers instead of 000000000011" in heard.of(InputRefused)[0].why


LONG = meter_product(
    "lengths: {0x0001FF00: 500}\npoints:\n"
    "  first: {di: 0x0001FF00, at: 0, length: 4, name: {zh: 首, en: First}}\n"
    "  last: {di: 0x0001FF00, at: 240, length: 4, name: {zh: 末, en: Last}}\n"
)


async def test_a_long_answer_comes_in_numbered_frames() -> None:
    data = bytes.fromhex("01000000") + bytes(236) + bytes.fromhex("78563412") + bytes(256)

    def answers(frame: bytes) -> Answers:
        asked = dlt645.parse(frame)
        number = asked.data[4] if asked.control == 0x12 else 0
        piece, more = data[number * 190 : (number + 1) * 190], 0x20 if (number + 1) * 190 < len(data) else 0
        tail = bytes((number,)) if number else b""
        return [(0.0, dlt645.frame("11", asked.control | 0x80 | more, asked.data[:4] + piece + tail))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    async with owned(line, {"m": (Installed(address="11"), quick(LONG))}, heard):
        await heard.until_value("m.last", 12345678)
    assert heard.last("m.first").value == 1  # type: ignore[union-attr]


async def test_a_denied_block_is_asked_item_by_item_and_a_denied_item_is_bad() -> None:
    blocks = meter_product(
        "blocks: {0x0201FF00: [a, b]}\npoints:\n"
        "  a: {di: 0x02010100, length: 2, decimals: 1, name: {zh: 甲, en: A}}\n"
        "  b: {di: 0x02010200, length: 2, decimals: 1, name: {zh: 乙, en: B}}\n"
    )

    def answers(frame: bytes) -> Answers:
        asked = dlt645.parse(frame)
        if asked.data == bytes.fromhex("00010102"):
            return [(0.0, answered(frame, bytes.fromhex("0123")))]
        return [(0.0, dlt645.frame(asked.address, 0xD1, b"\x02", wake=0))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    async with owned(line, {"m": (Installed(address="11"), quick(blocks))}, heard):
        await heard.until_value("m.a", 230.1)
        await heard.until(lambda: heard.last("m.b"))
        last = heard.last("m.b")
        assert last is not None
        assert (last.value, last.quality) == (None, "bad")
        assert not heard.of(DeviceLost)


async def test_a_block_of_another_length_is_asked_item_by_item_and_the_meter_stays() -> None:
    """A meter with one tariff less than the profile knows: its block is shorter, the last item is denied."""
    tariffs = meter_product(
        "blocks: {0x0001FF00: [a, b]}\npoints:\n"
        "  a: {di: 0x00010100, length: 4, name: {zh: 甲, en: A}}\n"
        "  b: {di: 0x00010200, length: 4, name: {zh: 乙, en: B}}\n"
    )

    def answers(frame: bytes) -> Answers:
        asked = dlt645.parse(frame)
        if asked.data == bytes.fromhex("00020100"):
            return [(0.0, dlt645.frame(asked.address, 0xD1, b"\x02", wake=0))]
        return [(0.0, answered(frame, bytes.fromhex("78563412")))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    async with owned(line, {"m": (Installed(address="11"), quick(tariffs))}, heard) as bus:
        await heard.until_value("m.a", 12345678)
        await heard.until(lambda: heard.last("m.b"))
        assert heard.last("m.b").quality == "bad"  # type: ignore[union-attr]
        assert bus.online("m")
    assert not heard.of(DeviceLost)
    assert bus.health.refused == 2
    assert "8 bytes are expected" in heard.of(InputRefused)[0].why


async def test_a_mute_converter_is_dialled_anew() -> None:
    heard = Heard()
    line = Line(dlt645.frames(), lambda frame: [])
    devices = {f"m{address}": (Installed(address=str(address)), quick(NUMBERS)) for address in range(11, 17)}
    async with owned(line, devices, heard, timeout_s=0.02) as bus:
        await heard.until(lambda: len(heard.of(DeviceLost)) == 6, within_s=30)
        await line.until(lambda: bus.health.reconnects)
    assert line.connections > 1


async def test_a_meter_that_comes_back_tells_everything_again() -> None:
    """Its points are stale since it was lost: what it says is news, though it says what it said before."""
    away = False

    def answers(frame: bytes) -> Answers:
        return [] if away else [(0.0, answered(frame, own_value(frame)))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    async with owned(line, {"m": (Installed(address="11"), quick(NUMBERS))}, heard, timeout_s=0.02):
        await heard.until(lambda: heard.last("m.p1"))
        away = True
        await heard.until(lambda: heard.of(DeviceLost))
        before = len(heard.readings("m.p1"))
        away = False
        await heard.until(lambda: len(heard.readings("m.p1")) > before, within_s=20)


async def test_a_converter_that_hangs_up_at_once_is_dialled_ever_more_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.owner.REOPEN_S", (0.0, 0.0, 0.0, 3600.0))
    monkeypatch.setattr("drivers.schedule.PROBES_S", (0.001, 0.001))
    line = Line(dlt645.frames(), lambda frame: [], hangs_up=True)
    async with owned(line, {"m": (Installed(address="11"), quick(NUMBERS, latency_s=0.001))}, Heard()):
        await line.until(lambda: line.connections >= 2)
        await asyncio.sleep(0.2)  # as many more as there would be: nothing tells that none comes
    assert line.connections <= 4


SWITCHED = meter_product(
    "points:\n  p1: {di: 0x00010000, length: 4, name: {zh: 值, en: Value}}\n"
    "commands:\n"
    "  mode: {act: write, di: 0x04001101, length: 1, level: 4, name: {zh: 模式, en: Mode},"
    " enum: {1: {label: one, zh: 一, en: one}}}\n"
)


async def test_a_command_is_sent_once_and_never_late(tmp_path: Path) -> None:
    def answers(frame: bytes) -> Answers:
        asked = dlt645.parse(frame)
        return [] if asked.control == 0x14 else [(0.0, answered(frame, own_value(frame)))]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    installed = Installed(address="11", password_file=str(tmp_path / "password"))
    (tmp_path / "password").write_text("123456")
    async with owned(line, {"m": (installed, quick(SWITCHED))}, heard) as bus:
        await heard.until(lambda: heard.last("m.p1"))
        with pytest.raises(CommandFailed, match="did not answer"):
            await bus.write("m", "mode", "one", within_s=5)
        # What the network has not taken yet is not left to it.
        await line.until(lambda: line.connections == 2)
        with pytest.raises(CommandFailed, match="has not confirmed within 1e-05 s"):
            await bus.write("m", "mode", "one", within_s=0.00001)
        before = len(line.asked)
        await line.until(lambda: len(line.asked) > before + 20)
    assert sum(dlt645.parse(frame).control == 0x14 for frame in line.asked) == 1


async def test_a_late_confirmation_does_not_confirm_the_next_command(tmp_path: Path) -> None:
    """DL/T 645 does not say what is confirmed: a second command waits until nothing of the first can come any more."""
    writes = 0

    def answers(frame: bytes) -> Answers:
        nonlocal writes
        asked = dlt645.parse(frame)
        if asked.control != 0x14:
            return [(0.0, answered(frame, own_value(frame)))]
        writes += 1
        return [(0.3, dlt645.frame(asked.address, 0x94))] if writes == 1 else []

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    (tmp_path / "password").write_text("123456")
    installed = Installed(address="11", password_file=str(tmp_path / "password"))
    async with owned(line, {"m": (installed, quick(SWITCHED, latency_s=0.6))}, heard, timeout_s=0.2) as bus:
        await heard.until(lambda: heard.last("m.p1"))
        for _ in range(2):
            with pytest.raises(CommandFailed, match="did not answer"):
                await bus.write("m", "mode", "one", within_s=5)
    assert writes == 2


async def test_a_damaged_echo_of_a_password_is_shown_to_nobody(tmp_path: Path) -> None:
    def answers(frame: bytes) -> Answers:
        asked = dlt645.parse(frame)
        if asked.control != 0x14:
            return [(0.0, answered(frame, own_value(frame)))]
        return [(0.0, frame[:-2] + bytes((frame[-2] ^ 1,)) + frame[-1:])]

    heard = Heard()
    line = Line(dlt645.frames(), answers)
    (tmp_path / "password").write_text("123456")
    installed = Installed(address="11", password_file=str(tmp_path / "password"))
    async with owned(line, {"m": (installed, quick(SWITCHED))}, heard) as bus:
        with pytest.raises(CommandFailed, match="damaged") as failed:
            await bus.write("m", "mode", "one", within_s=5)
    secret = bytes(byte + 0x33 for byte in bytes.fromhex("563412"))
    [refused] = heard.of(InputRefused)
    assert secret not in refused.sample
    assert secret.hex(" ") not in refused.why + str(failed.value)


CLOCKED = meter_product(
    "points:\n  p1: {di: 0x00010000, length: 4, name: {zh: 值, en: Value}}\n"
    "commands:\n  clock: {act: clock, name: {zh: 校时, en: Set the clock}}\n"
)


async def test_a_clock_is_set_to_the_time_of_the_sending() -> None:
    """The command waits for its turn behind a meter that keeps the line: the seconds of its waiting are no error."""
    began: list[float] = []
    ready = asyncio.Event()

    def clock() -> int:
        return 1_700_000_000_000 + (60_000 if ready.is_set() else 0)

    def answers(frame: bytes) -> Answers:
        began.append(0.0)
        return [(0.2, answered(frame, own_value(frame)))] if dlt645.parse(frame).control == 0x11 else []

    line = Line(dlt645.frames(), answers)
    async with owned(line, {"m": (Installed(address="11"), quick(CLOCKED))}, Heard(), 1.0, clock) as bus:
        await line.until(lambda: began)
        command = asyncio.create_task(bus.write("m", "clock", True, within_s=5))
        await asyncio.sleep(0)
        ready.set()
        await command
        await line.until(lambda: any(dlt645.parse(frame).control == 0x08 for frame in line.asked))
    [told] = [dlt645.parse(frame).data for frame in line.asked if dlt645.parse(frame).control == 0x08]
    assert told[::-1].hex() == datetime.fromtimestamp(1_700_000_060).strftime("%y%m%d%H%M%S")


async def test_a_meter_without_password_takes_no_such_command() -> None:
    heard = Heard()
    line = Line(dlt645.frames(), lambda frame: [(0.0, answered(frame, own_value(frame)))])
    async with owned(line, {"m": (Installed(address="11"), quick(SWITCHED))}, heard) as bus:
        with pytest.raises(CommandFailed, match="needs the meter's password"):
            await bus.write("m", "mode", "one", within_s=1)
        with pytest.raises(CommandFailed, match="takes one of one"):
            await bus.write("m", "mode", "two", within_s=1)
        with pytest.raises(CommandFailed, match="takes no command"):
            await bus.write("m", "p1", 5, within_s=1)
        with pytest.raises(CommandFailed, match="no outputs"):
            await bus.pulse("m", "p1", 1, within_s=1)
        with pytest.raises(CommandFailed, match="there is no other"):
            await bus.write("other", "mode", "one", within_s=1)
    assert not [frame for frame in line.asked if dlt645.parse(frame).control == 0x14]


NUMBERED = product(
    "",
    "id: probe\nkind: test\nprotocol: mbus\nname: {zh: 测试, en: Test}\nconfidence: own\nsources: [these tests]\n"
    "points:\n  number: {of: identity, name: {zh: 号, en: Number}}\n",
)


async def test_the_silence_after_deselecting_does_not_cost_a_time_out() -> None:
    def answers(frame: bytes) -> Answers:
        asked = mbus.parse(frame)
        if frame == mbus.reset(mbus.SELECTED):
            return []
        if asked.data[:1] == bytes((mbus.SELECT,)):
            return [(0.0, mbus.ACKNOWLEDGED)]
        head = bytes((mbus.LONG_HEADER,)) + mbus.secondary_bytes("02205100824D0204") + bytes(4)
        return [(0.0, mbus.long(mbus.RSP_UD, mbus.SELECTED, head))]

    heard = Heard()
    line = Line(mbus.frames(), answers)
    devices = {"m": (Installed(address="02205100"), quick(NUMBERED))}
    async with owned(line, devices, heard, timeout_s=60.0):
        await heard.until_value("m.number", "02205100")


async def test_what_a_product_does_not_take_is_refused_while_others_wait() -> None:
    """Nothing of it reaches the line's queue."""
    line = Line(dlt645.frames(), lambda frame: [])
    async with owned(line, {"m": (Installed(address="11"), quick(SWITCHED))}, Heard(), timeout_s=60.0) as bus:
        await line.until(lambda: line.asked)
        with pytest.raises(CommandFailed, match="takes one of one"):
            await bus.write("m", "mode", "two", within_s=0.5)


def test_only_a_meter_that_is_alone_needs_no_address() -> None:
    config = MeterTcpBus(kind="meter-tcp", host="127.0.0.1", port=1)
    both = {"a": (Installed(), NUMBERS), "b": (Installed(address="11"), NUMBERS)}
    with pytest.raises(WrongInstallation, match="a: only a meter that is alone on line needs no address"):
        open_bus("line", config, both, sink=lambda report: None, clock=lambda: 0)
