"""The owner of a serial line on a real pty: units that are silent, late, foreign or noisy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drivers.bus import CommandFailed
from drivers.errors import Silence
from drivers.modbus.bus import ModbusBus
from drivers.modbus.encode import Write
from drivers.modbus.rtu import Line, RtuWire
from drivers.modbus.station import Station
from drivers.modbus.wire import Refused
from drivers.modbus.wires import ModbusRtuBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, PointsRead
from tests.drivers.products import Installed, product, registers
from tests.drivers.sinks import Heard
from tests.drivers.slave import Slave, Unit, rtu

FAST = "poll: {alarm: 0.02, normal: 0.02, meter: 0.05}\nlimits: {latency_s: 0.2}\n"


def holding(count: int, first: int = 100) -> Unit:
    return Unit(registers={(3, at): first + at for at in range(count)})


@asynccontextmanager
async def line(
    units: dict[int, Unit],
    devices: dict[str, tuple[Installed, Profile]],
    timeout_s: float = 0.1,
    *,
    echoes: bool = False,
) -> AsyncIterator[tuple[Slave, ModbusBus, Heard]]:
    slave, heard = Slave(units), Heard()
    slave.echoes = echoes
    port = slave.open_line()
    bus = open_bus(
        "line",
        ModbusRtuBus(kind="modbus-rtu", port=port, baud=115200, timeout_s=timeout_s),
        devices,
        sink=heard,
        clock=lambda: 1_700_000_000_000,
    )
    assert isinstance(bus, ModbusBus)
    task = asyncio.create_task(bus.run())
    try:
        yield slave, bus, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await slave.close()


async def test_several_units_share_a_line() -> None:
    devices = {f"d{unit}": (Installed(unit), product(registers(2))) for unit in (1, 2, 3)}
    async with line({unit: holding(2, 100 * unit) for unit in (1, 2, 3)}, devices) as (_, _, heard):
        await heard.until(lambda: all(heard.last(f"d{unit}.r1") for unit in (1, 2, 3)))
        assert [(heard.last(f"d{unit}.r0") or pytest.fail()).value for unit in (1, 2, 3)] == [100, 200, 300]


async def test_a_unit_that_is_not_there_is_lost_and_the_others_go_on() -> None:
    devices = {"gone": (Installed(7), product(registers(1))), "well": (Installed(1), product(registers(1)))}
    unit = holding(1)
    async with line({1: unit}, devices) as (_, bus, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost)[0].device == "gone"
        assert heard.of(DeviceFound) == [DeviceFound("well")]
        unit.registers[3, 0] = 5
        await heard.until_value("well.r0", 5)
        assert not bus.online("gone")


async def test_noise_before_every_answer_is_passed_over() -> None:
    unit = holding(3)
    unit.noise = b"\x00\xff\x55\x01\x03"
    async with line({1: unit}, {"d": (Installed(), product(registers(3)))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r2"))
        assert [reading.value for reading in heard.of(PointsRead)[0].readings] == [100, 101, 102]
        assert bus.health.timeouts == 0


async def test_an_answer_of_another_unit_is_not_taken() -> None:
    unit = holding(2)
    unit.answers_as = 2
    devices = {"d": (Installed(1), product(registers(2))), "e": (Installed(2), product(registers(2)))}
    async with line({1: unit, 2: holding(2, 500)}, devices) as (_, bus, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost)[0].device == "d"
        assert heard.readings("d.r0") == []
        assert {reading.value for reading in heard.readings("e.r0")} == {500}
        assert bus.health.late >= 1


async def test_a_frame_with_a_wrong_checksum_is_not_taken() -> None:
    unit = holding(1)
    async with line({1: unit}, {"d": (Installed(), product(registers(1)))}) as (slave, _, heard):
        await heard.until(lambda: heard.last("d.r0"))
        unit.silent = True
        damaged = bytearray(rtu(1, bytes.fromhex("03 02 1234")))
        damaged[3] ^= 1
        asked = len(unit.asked)
        await unit.until_asked(asked + 1)
        slave.write_line(bytes(damaged))
        await heard.until(lambda: heard.of(DeviceLost))
        assert {reading.value for reading in heard.readings("d.r0")} == {100}


async def test_late_answers_never_become_readings() -> None:
    """Each register tells its own address and the round, and all blocks have one length.

    The answers come after the time-out: while the line is idle, and (1.12 s) while the next question is open.
    """
    turn = 0
    unit = Unit(compute=lambda fc, address: address + 1000 * turn)
    points = "".join(
        f"  r{at}: {{fc: 3, address: {at}, name: {{zh: 值, en: Value}}}}\n"
        for start in (100, 200, 300)
        for at in (start, start + 1)
    )
    other = holding(1, 7)
    devices = {"d": (Installed(1), product(f"{FAST}points:\n{points}")), "e": (Installed(2), product(registers(1)))}
    async with line({1: unit, 2: other}, devices, timeout_s=0.08) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r301") and heard.last("e.r0"))
        for delays in ([0.12], [1.12], [0.0, 1.12], [0.0, 0.0, 1.12]):
            turn += 1
            unit.delays = delays
            for at in (101, 201, 301):
                await heard.until_value(f"d.r{at}", at + 1000 * turn)
        assert bus.health.timeouts >= 3
        assert bus.health.late >= 3
        for report in heard.of(PointsRead):
            for reading in report.readings:
                assert isinstance(reading.value, int)
                assert reading.value == 7 or reading.value % 1000 == int(reading.point.removeprefix("d.r"))
        # A busy machine answers after the 80 ms now and then, for e too: it comes back by itself.
        await heard.until(lambda: bus.online("e"))


async def test_a_unit_of_one_register_that_answers_late_tells_nothing_wrong() -> None:
    """Nothing tells its answers apart: it is left alone until the last one must have come."""
    turn = 0

    def count(fc: int, address: int) -> int:
        nonlocal turn
        turn += 1
        return turn

    unit = Unit(compute=count)
    async with line({1: unit}, {"d": (Installed(), product(FAST + registers(1).split("\n", 1)[1]))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r0"))
        unit.delays = [0.15]
        before = len(unit.asked)
        await unit.until_asked(before + 2)
        # The late answer carried `before + 1`; what is read next is what was counted for that question.
        await heard.until_value("d.r0", before + 2)
        values = [reading.value for reading in heard.readings("d.r0")]
        assert before + 1 not in values
        assert bus.health.late == 1


async def test_commands_reach_a_unit_on_the_line() -> None:
    board = Unit(bits={(1, at): False for at in range(8)})
    pump = Unit(compute=lambda fc, address: 1)
    devices = {"board": (Installed(1), load("waveshare_relay8")), "pump": (Installed(2), load("grundfos_cim200"))}
    async with line({1: board, 2: pump}, devices) as (_, bus, _):
        await bus.pulse("board", "relay_3", 0.7, within_s=1)
        assert board.raw_coils == {0x0202: 7}
        await bus.write("pump", "setpoint", 42.0, within_s=1)
        assert pump.registers == {(3, 103): 4200}
        pump.exception = 2
        with pytest.raises(CommandFailed, match="no such address"):
            await bus.write("pump", "start", True, within_s=1)


async def test_a_port_that_does_not_exist_yet(tmp_path: object) -> None:
    heard = Heard()
    config = ModbusRtuBus(kind="modbus-rtu", port=f"{tmp_path}/ttyX", baud=9600)
    bus = open_bus("line", config, {"d": (Installed(), product(registers(1)))}, sink=heard, clock=lambda: 0)
    task = asyncio.create_task(bus.run())
    await heard.until(lambda: heard.of(DeviceLost))
    assert "cannot be opened" in heard.of(DeviceLost)[0].why
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_line_is_opened_for_one_process_only() -> None:
    async with line({1: holding(1)}, {"d": (Installed(), product(registers(1)))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r0"))
        second = Heard()
        assert isinstance(bus, ModbusBus)
        other = open_bus(
            "line",
            ModbusRtuBus(kind="modbus-rtu", port=bus._wire.name, baud=115200),
            {"d": (Installed(), product(registers(1)))},
            sink=second,
            clock=lambda: 0,
        )
        task = asyncio.create_task(other.run())
        await second.until(lambda: second.of(DeviceLost))
        assert second.readings("d.r0") == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_late_answer_to_one_write_does_not_confirm_another() -> None:
    """Function 16 confirms how many registers were written, not what: the late answer would fit both."""
    words = "  level: {fc: 16, address: 7, type: u32, repeat: false, name: {zh: 值, en: Level}}\n"
    unit = holding(1)
    async with line({1: unit}, {"d": (Installed(), quick(1, f"commands:\n{words}"))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r0"))
        unit.delays = [0.15]
        with pytest.raises(CommandFailed, match="did not answer"):
            await bus.write("d", "level", 1, within_s=2)
        unit.silent = True
        with pytest.raises(CommandFailed, match="did not answer"):
            await bus.write("d", "level", 2, within_s=2)


class ScriptedWire:
    """A serial wire on which each read has the outcome that the test says."""

    name = "scripted"
    serial = True
    connected = True

    def __init__(self, outcomes: list[Exception]) -> None:
        self.outcomes = outcomes
        self.asked: list[tuple[int, int]] = []
        self.over = asyncio.Event()

    async def open(self, timeout_s: float) -> None: ...

    def close(self) -> None: ...

    def ready_at(self, unit: int) -> float:
        return 0.0

    def can_confirm(self, write: Write) -> bool:
        return True

    async def read(self, unit: int, fc: int, start: int, size: int, timeout_s: float) -> bytes:
        self.asked.append((start, size))
        if self.outcomes:
            raise self.outcomes.pop(0)
        self.over.set()
        await asyncio.Event().wait()
        return b""

    async def write(self, unit: int, write: Write, timeout_s: float) -> None: ...


@pytest.mark.parametrize("code", [2, 4, 10, 11])
async def test_a_refusal_that_may_be_another_questions_leaves_this_one_open(code: int) -> None:
    """Both answers may still come: whatever is asked next must be unlike either."""
    points = "".join(
        f"  r{at}: {{fc: 3, address: {at}, name: {{zh: 值, en: Value}}}}\n" for at in (100, 101, 102, 200, 201, 300)
    )
    wire = ScriptedWire([Silence("silence"), Refused(code)])
    station = Station("d", Installed(), product(f"{FAST}points:\n{points}"))
    bus = ModbusBus("line", wire, {"d": station}, sink=Heard(), clock=lambda: 0, timeout_s=0.01)
    task = asyncio.create_task(bus.run())
    await asyncio.wait_for(wire.over.wait(), 60)
    assert [size for _, size in wire.asked] == [3, 2, 1]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_devices_of_one_unit_share_the_longer_patience() -> None:
    slow, quick_one = product("limits: {latency_s: 5}\n" + registers(1)), product(FAST + "points: {}\n")
    stations = {"slow": Station("slow", Installed(1), slow), "quick": Station("quick", Installed(1), quick_one)}
    ModbusBus("line", ScriptedWire([]), stations, sink=Heard(), clock=lambda: 0, timeout_s=0.1)
    assert stations["slow"].unanswered is stations["quick"].unanswered
    assert stations["quick"].unanswered.latency_s == 5
    other = Station("other", Installed(2), quick_one)
    ModbusBus("line", ScriptedWire([]), {"other": other}, sink=Heard(), clock=lambda: 0, timeout_s=0.7)
    assert other.unanswered.latency_s == pytest.approx(1.4), "a quiet time as long as the time-out comes after it"


# --- The adapter


def point_at(link: Path, port: str) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(port)


async def test_an_adapter_that_is_unplugged_and_comes_back(tmp_path: Path) -> None:
    """The same name points at another port then; nobody has to restart anything."""
    link = tmp_path / "rs485"
    slave, heard = Slave({1: holding(1)}), Heard()
    point_at(link, slave.open_line())
    config = ModbusRtuBus(kind="modbus-rtu", port=str(link), baud=115200, timeout_s=0.1)
    bus = open_bus("line", config, {"d": (Installed(), quick(1))}, sink=heard, clock=lambda: 0)
    task = asyncio.create_task(bus.run())
    try:
        await heard.until(lambda: bus.online("d"))
        link.unlink()
        await slave.close()
        await heard.until(lambda: heard.of(DeviceLost))
        with pytest.raises(CommandFailed):
            await bus.pulse("d", "relay", 1.0, within_s=1)
        again = Slave({1: holding(1, 500)})
        point_at(link, again.open_line())
        await heard.until_value("d.r0", 500)
        assert bus.health.reconnects >= 1
        assert bus.health.connected
        await again.close()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def quick(count: int, more: str = "") -> Profile:
    return product(FAST + more + registers(count).split("\n", 1)[1])


async def test_an_adapter_that_echoes() -> None:
    """Coils at 0x0300: the echo of the question has the shape of an answer of three bytes."""
    bits = {(1, 0x0300 + at): at % 3 == 0 for at in range(24)}
    coils = "points:\n" + "".join(
        f"  c{at}: {{fc: 1, address: {0x0300 + at}, type: bit, name: {{zh: 值, en: Value}}}}\n" for at in range(24)
    )
    unit = Unit(bits=dict(bits))
    board = Unit(bits={(1, at): False for at in range(8)})
    devices = {"d": (Installed(1), product(FAST + coils)), "board": (Installed(2), load("waveshare_relay8"))}
    async with line({1: unit, 2: board}, devices, echoes=True) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.c23") and heard.last("board.relay_8"))
        assert [(heard.last(f"d.c{at}") or pytest.fail()).value for at in range(24)] == list(bits.values())
        await bus.write("board", "relay_1", True, within_s=2)
        assert board.raw_coils == {0: 0xFF00}
        board.silent = True
        with pytest.raises(CommandFailed, match="did not answer"):
            await bus.write("board", "relay_2", True, within_s=2)
        assert bus.health.late == 0
        assert {reading.value for reading in heard.readings("d.c0")} == {True}


# --- Silence between frames


async def test_each_unit_is_given_its_own_silence() -> None:
    """Only the slow unit's requests wait; a command for another unit goes out in that silence."""
    slow, board = holding(1), Unit(bits={(1, at): False for at in range(8)})
    devices = {
        "slow": (Installed(1), product("limits: {guard_s: 1.0, latency_s: 0.1}\n" + registers(1))),
        "board": (Installed(2), load("waveshare_relay8")),
    }
    async with line({1: slow, 2: board}, devices) as (_, bus, heard):
        await heard.until(lambda: heard.last("slow.r0") and heard.last("board.relay_8"))
        wire = bus._wire
        assert wire.ready_at(1) - wire.ready_at(2) == pytest.approx(1.0 - 0.00175)
        asked = len(slow.asked)
        for relay in ("relay_1", "relay_2", "relay_3"):
            await bus.write("board", relay, True, within_s=0.9)
        # Three commands were carried out, and the slow unit, which is always due, was not asked in between.
        assert len(slow.asked) - asked <= 1
        await slow.until_asked(asked + 1)


@pytest.mark.parametrize(("baud", "parity", "silence"), [(9600, "N", 3.5 * 10 / 9600), (2400, "E", 3.5 * 11 / 2400)])
def test_the_silence_before_a_frame(baud: int, parity: str, silence: float) -> None:
    wire = RtuWire("/dev/null", Line(baud, parity, 1, {1: 0.0, 2: 0.5}, 0.0, lambda frame: None))
    assert wire.ready_at(1) == pytest.approx(silence)
    assert wire.ready_at(2) == 0.5


async def test_an_answer_of_a_slow_line_may_take_longer_than_the_time_out() -> None:
    """The time-out is for the unit; what the bytes take comes on top: 255 bytes at 2400 baud are more than a second."""
    unit = holding(125)
    slave, heard = Slave({1: unit}), Heard()
    slave.pace_s = 10 / 4800
    config = ModbusRtuBus(kind="modbus-rtu", port=slave.open_line(), baud=4800, timeout_s=0.4)
    bus = open_bus("line", config, {"d": (Installed(), quick(125))}, sink=heard, clock=lambda: 0)
    task = asyncio.create_task(bus.run())
    await heard.until(lambda: heard.last("d.r124"))
    assert bus.health.timeouts == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await slave.close()


async def test_the_end_of_one_slow_answer_is_not_taken_for_the_silence_of_the_next() -> None:
    """Each answer begins within the time-out and ends after it; what watched over it must be gone with it."""
    unit = holding(125)
    unit.delays = [0.6, 0.6]
    slave, heard = Slave({1: unit}), Heard()
    slave.pace_s = 10 / 4800
    config = ModbusRtuBus(kind="modbus-rtu", port=slave.open_line(), baud=4800, timeout_s=1.0)
    bus = open_bus("line", config, {"d": (Installed(), quick(125))}, sink=heard, clock=lambda: 0)
    task = asyncio.create_task(bus.run())
    await unit.until_asked(3)
    assert bus.health.timeouts == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await slave.close()
