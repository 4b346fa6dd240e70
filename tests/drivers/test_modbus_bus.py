"""The owner of a Modbus TCP wire against real connections: reading, commanding, and everything that goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.bus import CommandFailed
from drivers.modbus.bus import ModbusBus
from drivers.modbus.encode import Write
from drivers.modbus.station import Station
from drivers.modbus.wires import ModbusTcpBus
from drivers.opening import open_bus
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PointsRead
from tests.drivers.products import Installed, product, registers
from tests.drivers.sinks import Heard
from tests.drivers.slave import Slave, Unit

FAST = "poll: {alarm: 0.02, normal: 0.02, meter: 0.05}\n"


def holding(count: int, first: int = 100) -> Unit:
    return Unit(registers={(3, at): first + at for at in range(count)})


@asynccontextmanager
async def running(
    port: int, devices: dict[str, tuple[Installed, Profile]], heard: Heard, timeout_s: float = 0.2
) -> AsyncIterator[ModbusBus]:
    bus = open_bus(
        "net",
        ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=port, timeout_s=timeout_s),
        devices,
        sink=heard,
        clock=lambda: 1_700_000_000_000,
    )
    assert isinstance(bus, ModbusBus)
    task = asyncio.create_task(bus.run())
    try:
        yield bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def wire(
    units: dict[int, Unit], profiles: dict[str, tuple[Installed, Profile]], timeout_s: float = 0.2
) -> AsyncIterator[tuple[Slave, ModbusBus, Heard]]:
    slave, heard = Slave(units), Heard()
    port = await slave.listen()
    try:
        async with running(port, profiles, heard, timeout_s) as bus:
            yield slave, bus, heard
    finally:
        await slave.close()


async def test_values_come_once_and_then_only_when_they_change() -> None:
    unit = holding(3)
    async with wire({1: unit}, {"d": (Installed(), product(registers(3)))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r2"))
        assert heard.reports[0] == DeviceFound("d")
        assert [reading.value for reading in heard.of(PointsRead)[0].readings] == [100, 101, 102]
        await unit.until_asked(len(unit.asked) + 5)
        assert len(heard.of(PointsRead)) == 1
        unit.registers[3, 1] = 7
        await heard.until(lambda: heard.readings("d.r1")[1:])
        assert [reading.value for reading in heard.of(PointsRead)[1].readings] == [7]
        assert bus.online("d")


async def test_one_request_reads_all_neighbours() -> None:
    unit = holding(125)
    async with wire({1: unit}, {"d": (Installed(), product(registers(125)))}) as (_, _, heard):
        await heard.until(lambda: heard.last("d.r124"))
        assert unit.asked[0] == bytes.fromhex("03 0000 007D")


async def test_a_refused_point_is_bad_and_the_others_go_on() -> None:
    unit = holding(4)
    del unit.registers[3, 2]
    async with wire({1: unit}, {"d": (Installed(), product(registers(4)))}) as (_, bus, heard):
        await heard.until(lambda: heard.last("d.r3") and heard.last("d.r2"))
        assert [(heard.last(f"d.r{at}") or pytest.fail()).value for at in range(4)] == [100, 101, None, 103]
        assert (heard.last("d.r2") or pytest.fail()).quality == "bad"
        assert bus.online("d")
        assert heard.of(DeviceLost) == []


async def test_a_device_with_a_fault_of_its_own_is_there_and_bad() -> None:
    unit = Unit(exception=4)
    async with wire({1: unit}, {"d": (Installed(), product(registers(2)))}) as (_, _, heard):
        await heard.until(lambda: heard.last("d.r1"))
        assert heard.reports[0] == DeviceFound("d")
        assert {reading.quality for reading in heard.of(PointsRead)[0].readings} == {"bad"}
        unit.exception, unit.registers = None, {(3, 0): 1, (3, 1): 2}
        await heard.until(lambda: heard.readings("d.r1")[1:])
        assert (heard.last("d.r1") or pytest.fail()).value == 2


async def test_a_silent_device_is_lost_and_found_and_the_others_go_on() -> None:
    sick, well = holding(1), holding(2)
    devices = {"sick": (Installed(1), product(registers(1))), "well": (Installed(2), product(registers(2)))}
    async with wire({1: sick, 2: well}, devices, timeout_s=0.05) as (_, bus, heard):
        await heard.until(lambda: heard.last("sick.r0") and heard.last("well.r0"))
        sick.silent = True
        await heard.until(lambda: heard.of(DeviceLost))
        (lost,) = heard.of(DeviceLost)
        assert lost.device == "sick"
        assert "did not answer" in lost.why
        assert not bus.online("sick")
        well.registers[3, 0] = 5
        await heard.until_value("well.r0", 5)
        sick.silent = False
        await heard.until(lambda: heard.readings("sick.r0")[1:])
        assert heard.of(DeviceFound)[-1] == DeviceFound("sick")
        # What it says first is told although it is what it said last: its points were stale meanwhile.
        back = heard.reports[len(heard.reports) - heard.reports[::-1].index(DeviceFound("sick"))]
        assert isinstance(back, PointsRead) and back.device == "sick"
        assert bus.health.timeouts >= 2


async def test_a_converter_that_says_silent_is_believed() -> None:
    units = {1: Unit(exception=11), 2: holding(1)}
    devices = {"sick": (Installed(1), product(registers(1))), "well": (Installed(2), product(registers(1)))}
    async with wire(units, devices) as (slave, _, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost)[0].device == "sick"
        assert heard.readings("sick.r0") == []
        assert slave.accepted == 1


async def test_an_answer_of_another_unit_is_not_taken() -> None:
    unit = holding(1)
    unit.answers_as = 9
    async with wire({1: unit}, {"d": (Installed(), product(registers(1)))}, timeout_s=0.05) as (_, _, heard):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.readings("d.r0") == []


async def test_late_answers_never_become_readings() -> None:
    """Each register tells its own address and the round; in each round one answer comes after the time-out."""
    turn = 0
    unit = Unit(compute=lambda fc, address: address + 1000 * turn)
    points = "".join(f"  r{at}: {{fc: 3, address: {at}, name: {{zh: 值, en: Value}}}}\n" for at in range(0, 400, 20))
    profile = product(f"{FAST}points:\n{points}")
    async with wire({1: unit}, {"d": (Installed(), profile)}, timeout_s=0.05) as (slave, bus, heard):
        await heard.until(lambda: heard.last("d.r380"))
        for _ in range(4):
            turn += 1
            unit.delays = [0.08]
            await heard.until_value("d.r380", 380 + 1000 * turn)
        assert bus.health.timeouts >= 4
        assert bus.health.late >= 4
        # A late answer is known by its number: it does not cost the connection.
        assert slave.accepted == 1
        for report in heard.of(PointsRead):
            for reading in report.readings:
                assert isinstance(reading.value, int)
                assert reading.value % 1000 == int(reading.point.removeprefix("d.r"))


async def test_bytes_that_are_no_modbus_are_refused() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.read(12)
        writer.write(head[:4] + bytes([0, 3, 1, 0x55, 0]) + b"HTTP/1.1 400 Bad Request\r\n\r\n")

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    heard = Heard()
    async with running(
        server.sockets[0].getsockname()[1], {"d": (Installed(), product(registers(1)))}, heard, 0.05
    ) as bus:
        await heard.until(lambda: heard.of(InputRefused))
        assert bus.health.refused >= 1
        assert heard.readings("d.r0") == []
    server.close()


async def test_nobody_at_the_other_end() -> None:
    slave, heard = Slave({1: holding(1)}), Heard()
    port = await slave.listen()
    await slave.close()
    async with running(port, {"d": (Installed(), product(registers(1)))}, heard) as bus:
        await heard.until(lambda: heard.of(DeviceLost))
        assert "cannot be opened" in heard.of(DeviceLost)[0].why
        with pytest.raises(CommandFailed):
            await bus.write("d", "nothing", True, within_s=0.2)
        again = Slave({1: holding(1)})
        await again.listen(port)
        await heard.until(lambda: heard.last("d.r0"))
        assert bus.online("d")
        again.drop_connections()
        again.units[1].registers[3, 0] = 7
        await heard.until_value("d.r0", 7)
        assert bus.health.reconnects >= 1
        await again.close()


class DeafWire:
    """A wire whose library swallows a cancellation that comes while it waits, as `asyncio.wait_for` of 3.11 can."""

    name = "deaf"
    serial = False
    connected = True

    def __init__(self) -> None:
        self.reading = asyncio.Event()

    async def open(self, timeout_s: float) -> None: ...

    def close(self) -> None: ...

    def ready_at(self, unit: int) -> float:
        return 0.0

    def can_confirm(self, write: Write) -> bool:
        return True

    async def read(self, unit: int, fc: int, start: int, size: int, timeout_s: float) -> bytes:
        self.reading.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.01)
        return bytes(2 * size)

    async def write(self, unit: int, write: Write, timeout_s: float) -> None: ...


async def test_the_owner_ends_even_if_its_library_swallows_the_cancellation() -> None:
    wire = DeafWire()
    station = Station("d", Installed(), product(registers(1, period_s=0.001)))
    bus = ModbusBus("net", wire, {"d": station}, sink=Heard(), clock=lambda: 0, timeout_s=1)
    task = asyncio.create_task(bus.run())
    await wire.reading.wait()
    task.cancel()
    await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 5)
