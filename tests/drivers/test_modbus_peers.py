"""Independent Modbus peers: pymodbus' own server, and a slave on libmodbus, compiled here."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from config.site import ModbusTcpBus
from drivers.opening import open_bus
from drivers.reports import DeviceLost
from tests.drivers.products import Installed, product, registers
from tests.drivers.sinks import Heard

SLAVE_SOURCE = Path(__file__).with_name("modbus_slave.c")


async def test_pymodbus_server() -> None:
    device = SimDevice(
        id=1,
        simdata=(
            [SimData(0, count=16, values=False, datatype=DataType.BITS)],
            [SimData(0, count=16, values=True, datatype=DataType.BITS)],
            [SimData(0, values=list(range(200)), datatype=DataType.REGISTERS)],
            [SimData(0, values=[7] * 200, datatype=DataType.REGISTERS)],
        ),
    )
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    heard = Heard()
    profile = product(
        registers(125)
        + "  i5: {fc: 4, address: 5, name: {zh: 值, en: Value}}\n"
        + "inputs:\n  contact: {address: 3, name: {zh: 触点, en: Contact}}\n"
        + "outputs:\n  relay: {address: 2, verify: true, name: {zh: 继电器, en: Relay}}\n"
        + "commands:\n  word: {fc: 6, address: 150, verify: {fc: 3}, name: {zh: 字, en: Word}}\n"
        + "  wide: {fc: 16, address: 160, type: u32, name: {zh: 双字, en: Wide}}\n"
    )
    bus = open_bus(
        "net",
        ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=port, timeout_s=1),
        {"d": (Installed(), profile)},
        sink=heard,
        clock=lambda: 0,
    )
    task = asyncio.create_task(bus.run())
    await heard.until(lambda: heard.last("d.r124") and heard.last("d.i5") and heard.last("d.contact"))
    assert [(heard.last(f"d.r{at}") or pytest.fail()).value for at in range(125)] == list(range(125))
    assert (heard.last("d.contact") or pytest.fail()).value is True
    await bus.write("d", "relay", True, within_s=2)
    await heard.until_value("d.relay", True)
    await bus.write("d", "word", 4711, within_s=2)
    await bus.write("d", "wide", 0x12345678, within_s=2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await server.shutdown()  # type: ignore[no-untyped-call]


@pytest.fixture
def libmodbus_slave(tmp_path: Path) -> Path:
    program = tmp_path / "slave"
    subprocess.run(
        ["gcc", "-O2", "-Wall", "-Werror", "-o", program, SLAVE_SOURCE, "-I/usr/include/modbus", "-lmodbus"],
        check=True,
        capture_output=True,
    )
    return program


async def test_libmodbus_slave_with_a_dead_unit(libmodbus_slave: Path) -> None:
    """20 units, one of which never answers: every value read is the unit's own, and none was counted twice."""
    process, port = await _started(libmodbus_slave)
    heard = Heard()
    profile = product(registers(125, period_s=0.2))
    devices = {f"u{unit}": (Installed(unit), profile) for unit in range(1, 21)}
    bus = open_bus(
        "net",
        ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=port, timeout_s=0.1),
        devices,
        sink=heard,
        clock=lambda: 0,
    )
    task = asyncio.create_task(bus.run())
    try:
        await heard.until(
            lambda: all(len(heard.readings(f"u{unit}.r1")) >= 5 for unit in range(1, 21) if unit != 7), within_s=60
        )
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        process.kill()
        await process.wait()
    assert {lost.device for lost in heard.of(DeviceLost)} <= {"u7"}
    for unit in range(1, 21):
        counted = [reading.value for reading in heard.readings(f"u{unit}.r1")]
        if unit == 7:
            assert counted == []
            continue
        assert counted == list(range(1, len(counted) + 1))
        for at in range(2, 125):
            assert [reading.value for reading in heard.readings(f"u{unit}.r{at}")] == [unit * 100 + at]


async def _started(program: Path) -> tuple[asyncio.subprocess.Process, int]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program, "20", "7", stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    return process, int(await process.stdout.readline())
