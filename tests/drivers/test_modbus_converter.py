"""RTU over TCP: a converter is one shared wire without transaction numbers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.bus import CommandFailed
from drivers.errors import Silence, WireDown
from drivers.modbus.bus import ModbusBus
from drivers.modbus.rtu import DEAD_AFTER, Line, RtuTcpWire
from drivers.modbus.wires import ModbusRtuTcpBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, PointsRead
from tests.drivers.products import Installed, product, registers
from tests.drivers.sinks import Heard
from tests.drivers.slave import Slave, Unit

FAST = "poll: {alarm: 0.02, normal: 0.02, meter: 0.05}\nlimits: {latency_s: 0.1}\n"


def holding(count: int, first: int = 100) -> Unit:
    return Unit(registers={(3, at): first + at for at in range(count)})


def quick(count: int) -> Profile:
    return product(FAST + registers(count).split("\n", 1)[1])


@asynccontextmanager
async def converter(
    units: dict[int, Unit],
    devices: dict[str, tuple[Installed, Profile]],
    timeout_s: float = 0.05,
    *,
    echoes: bool = False,
) -> AsyncIterator[tuple[Slave, ModbusBus, Heard]]:
    slave, heard = Slave(units), Heard()
    slave.echoes = echoes
    port = await slave.listen_rtu()
    bus = open_bus(
        "line",
        ModbusRtuTcpBus(kind="modbus-rtu-tcp", host="127.0.0.1", port=port, baud=115200, timeout_s=timeout_s),
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


async def test_units_behind_a_converter_are_read_and_commanded() -> None:
    board = Unit(bits={(1, at): False for at in range(8)})
    devices = {
        "a": (Installed(1), quick(2)),
        "b": (Installed(2), quick(125)),
        "c": (Installed(3), load("waveshare_relay8")),
    }
    async with converter({1: holding(2), 2: holding(125, 500), 3: board}, devices) as (slave, bus, heard):
        await heard.until(lambda: heard.last("a.r1") and heard.last("b.r124") and heard.last("c.relay_8"))
        assert (heard.last("b.r124") or pytest.fail()).value == 624
        await bus.pulse("c", "relay_3", 0.7, within_s=2)
        assert board.raw_coils == {0x0202: 7}
        assert slave.accepted == 1
        assert bus.health.timeouts == 0


async def test_a_silent_unit_does_not_cost_the_connection() -> None:
    sick = holding(1)
    devices = {"sick": (Installed(1), quick(1)), "well": (Installed(2), quick(2))}
    async with converter({1: sick, 2: holding(2)}, devices) as (slave, bus, heard):
        await heard.until(lambda: heard.last("sick.r0") and heard.last("well.r1"))
        sick.silent = True
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost)[0].device == "sick"
        sick.silent = False
        await heard.until(lambda: bus.online("sick"))
        assert heard.of(DeviceFound)[-1] == DeviceFound("sick")
        assert slave.accepted == 1


async def test_late_answers_never_become_readings_also_after_a_new_connection() -> None:
    """Nothing tells the answers apart but their length: each value says which question it answers."""
    turn = 0
    unit = Unit(compute=lambda fc, address: address + 1000 * turn)
    points = "".join(
        f"  r{at}: {{fc: 3, address: {at}, name: {{zh: 值, en: Value}}}}\n"
        for start in (100, 200, 300)
        for at in (start, start + 1)
    )
    devices = {"d": (Installed(1), product(f"{FAST}points:\n{points}")), "e": (Installed(2), quick(1))}
    async with converter({1: unit, 2: holding(1, 7)}, devices) as (slave, bus, heard):
        await heard.until(lambda: heard.last("d.r301") and heard.last("e.r0"))
        for delays in ([0.08], [1.08], [0.0, 1.08], [0.3, 0.0]):
            turn += 1
            unit.delays = delays
            if delays[0] == 0.3:
                asked = len(unit.asked)
                await unit.until_asked(asked + 1)
                slave.drop_connections()
            for at in (101, 201, 301):
                await heard.until_value(f"d.r{at}", at + 1000 * turn)
        assert bus.health.late >= 2
        for report in heard.of(PointsRead):
            for reading in report.readings:
                assert isinstance(reading.value, int)
                assert reading.value == 7 or reading.value % 1000 == int(reading.point.removeprefix("d.r"))


async def test_a_converter_that_says_nothing_at_all_is_let_go() -> None:
    """One silent unit beside others never is; five questions without a byte are another matter."""
    well, sick = holding(1), Unit(silent=True)
    slave = Slave({1: well, 2: sick})
    line = Line(115200, "N", 1, {1: 0.0, 2: 0.0}, settle_s=0.0, on_stray=lambda frame: None)
    wire = RtuTcpWire("127.0.0.1", await slave.listen_rtu(), line)
    await wire.open(1.0)
    for _ in range(DEAD_AFTER):
        with pytest.raises(Silence):
            await wire.read(2, 3, 0, 1, 0.01)
        assert await wire.read(1, 3, 0, 1, 1.0) == bytes([0, 100])
    well.silent = True
    for unit in [1, 2] * DEAD_AFTER:
        assert wire.connected
        with pytest.raises(Silence):
            await wire.read(unit, 3, 0, 1, 0.01)
        if not wire.connected:
            break
    assert not wire.connected
    with pytest.raises(WireDown):
        await wire.read(1, 3, 0, 1, 0.01)
    await slave.close()


async def test_an_echo_is_never_taken_for_an_answer() -> None:
    board = Unit(bits={(1, at): False for at in range(8)})
    devices = {"a": (Installed(1), quick(2)), "board": (Installed(3), load("waveshare_relay8"))}
    async with converter({1: holding(2), 3: board}, devices, echoes=True) as (_, bus, heard):
        await heard.until(lambda: heard.last("a.r1") and heard.last("board.relay_8"))
        await bus.write("board", "relay_1", True, within_s=2)
        assert board.raw_coils == {0: 0xFF00}
        board.silent = True
        with pytest.raises(CommandFailed, match="did not answer"):
            await bus.write("board", "relay_2", True, within_s=2)
        assert bus.health.late == 0


async def test_the_first_write_on_a_line_that_echoes_is_not_confirmed_by_its_echo() -> None:
    """Nothing was read before: the bus looks first."""
    board = Unit(silent=True)
    async with converter({3: board}, {"b": (Installed(3), product(COMMAND))}, echoes=True) as (_, bus, _):
        with pytest.raises(CommandFailed, match="did not answer"):
            await bus.write("b", "level", 5, within_s=3)
        board.silent = False
        await bus.write("b", "level", 5, within_s=3)
        assert board.registers[3, 7] == 5


COMMAND = "commands:\n  level: {fc: 6, address: 7, name: {zh: 值, en: Level}}\n"
