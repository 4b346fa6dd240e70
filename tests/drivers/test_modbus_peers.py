"""Independent Modbus slaves: pymodbus' own server, one on libmodbus, compiled here, and modbus-tk on a serial line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from contract.readings import Value
from drivers.bus import Bus, CommandFailed
from drivers.modbus.wires import ModbusRtuBus, ModbusTcpBus
from drivers.opening import open_bus
from drivers.profiles.profile import Profile
from drivers.reports import DeviceLost, PointsRead
from tests.drivers.assorted import BITS, WORDS, expected, profile_text
from tests.drivers.products import Installed, product, registers
from tests.drivers.sinks import Heard
from tests.peers import peer
from tests.tools import tool

SLAVE_SOURCE = Path(__file__).with_name("modbus_slave.c")
TK_SLAVE = Path(__file__).parents[1] / "peers_scripts" / "modbus_tk_slave.py"
ASSORTED = product(profile_text(), head="")


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
        [tool("gcc"), "-O2", "-Wall", "-Werror", "-o", program, SLAVE_SOURCE, "-I/usr/include/modbus", "-lmodbus"],
        check=True,
        capture_output=True,
    )
    return program


async def test_libmodbus_slave_with_a_dead_unit(libmodbus_slave: Path) -> None:
    """20 units, one of which never answers: every value read is the unit's own, and none was counted twice."""
    process, port = await _started(libmodbus_slave, "20", "7")
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


async def test_libmodbus_slave_with_every_type(libmodbus_slave: Path) -> None:
    bits = "".join(str(int(bit)) for bit in BITS)
    process, port = await _started(libmodbus_slave, "1", "0", bits, *map(str, WORDS))
    try:
        async with _running(
            ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=port, timeout_s=5), {"d": (Installed(), ASSORTED)}
        ) as (_, heard):
            await heard.until(lambda: _values(heard, "d") == expected())
    finally:
        process.kill()
        await process.wait()


async def test_modbus_tk_line_with_every_type_and_a_unit_that_is_not_there() -> None:
    """Units 1 and 5 on one line, told apart; unit 9 is not there, and modbus-tk is silent for it, as a line is."""
    python = await asyncio.to_thread(peer, "modbus-tk")
    ours, other = _joined_ptys()
    units = {
        "1": {"holding": {"0": WORDS}, "input": {"0": WORDS}, "coils": {"0": BITS}, "discrete": {"0": BITS}},
        "5": {"holding": {"0": [4711, 4712]}},
    }
    relays = (
        "outputs:\n  relay: {address: 40, write_fc: 6, write_on: 1, read_fc: null, name: {zh: 继电器, en: Relay}}\n"
    )
    devices = {
        "all": (Installed(1), ASSORTED),
        "few": (Installed(5), product(registers(2) + relays)),
        "gone": (Installed(9), product(registers(1))),
    }
    pipe = asyncio.subprocess.PIPE
    slave = await asyncio.create_subprocess_exec(
        *(python, TK_SLAVE, other.path, "115200", json.dumps(units)), stdin=pipe, stdout=pipe
    )
    assert slave.stdout is not None
    assert (await slave.stdout.readline()).strip() == b"ready"
    bus = ModbusRtuBus(kind="modbus-rtu", port=ours.path, baud=115200, timeout_s=1.5)
    try:
        async with _running(bus, devices) as (owner, heard):
            await heard.until(lambda: _values(heard, "all") == expected())
            await heard.until(lambda: heard.of(DeviceLost))
            assert _values(heard, "few") == {"r0": 4711, "r1": 4712}
            assert _values(heard, "gone") == {}
            assert {lost.device for lost in heard.of(DeviceLost)} == {"gone"}
            with pytest.raises(CommandFailed):  # it has no such register, and says so
                await owner.write("few", "relay", True, within_s=30)
    finally:
        slave.kill()
        await slave.wait()
        for end in (ours, other):
            end.close()


async def test_modbus_tk_takes_what_is_written() -> None:
    python = await asyncio.to_thread(peer, "modbus-tk")
    ours, other = _joined_ptys()
    units = {"1": {"holding": {"0": [0, 0, 0]}, "coils": {"0": [0, 0]}}}
    profile = product(
        registers(3)
        + "outputs:\n  relay: {address: 1, verify: true, name: {zh: 继电器, en: Relay}}\n"
        + "commands:\n  wide: {fc: 16, address: 1, type: u32, name: {zh: 双字, en: Wide}}\n"
        + "  word: {fc: 6, address: 0, verify: {fc: 3}, name: {zh: 字, en: Word}}\n"
    )
    pipe = asyncio.subprocess.PIPE
    slave = await asyncio.create_subprocess_exec(
        *(python, TK_SLAVE, other.path, "115200", json.dumps(units)), stdin=pipe, stdout=pipe
    )
    assert slave.stdout is not None
    assert (await slave.stdout.readline()).strip() == b"ready"
    bus = ModbusRtuBus(kind="modbus-rtu", port=ours.path, baud=115200, timeout_s=5)
    try:
        async with _running(bus, {"d": (Installed(), profile)}) as (owner, heard):
            await owner.write("d", "relay", True, within_s=30)
            await owner.write("d", "word", 99, within_s=30)
            await owner.write("d", "wide", 0x12345678, within_s=30)
            await heard.until(lambda: _values(heard, "d") == {"relay": True, "r0": 99, "r1": 0x1234, "r2": 0x5678})
    finally:
        slave.kill()
        await slave.wait()
        for end in (ours, other):
            end.close()


@asynccontextmanager
async def _running(bus: Any, devices: dict[str, tuple[Installed, Profile]]) -> AsyncIterator[tuple[Bus, Heard]]:
    heard = Heard()
    owner = open_bus("wire", bus, devices, sink=heard, clock=lambda: 0)
    task = asyncio.create_task(owner.run())
    try:
        yield owner, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _values(heard: Heard, device: str) -> dict[str, Value]:
    """What every point of a device was worth last."""
    return {
        reading.point.partition(".")[2]: reading.value
        for report in heard.of(PointsRead)
        if report.device == device
        for reading in report.readings
    }


class _End:
    """One end of a line between two ptys: whatever is written to it comes out of `other`."""

    def __init__(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)

    def join(self, other: _End) -> None:
        def carry() -> None:
            os.write(other._ours, os.read(self._ours, 4096))

        asyncio.get_running_loop().add_reader(self._ours, carry)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)


def _joined_ptys() -> tuple[_End, _End]:
    one, other = _End(), _End()
    one.join(other)
    other.join(one)
    return one, other


async def _started(program: Path, *arguments: str) -> tuple[asyncio.subprocess.Process, int]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program, *arguments, stdin=pipe, stdout=pipe)
    assert process.stdout is not None
    return process, int(await process.stdout.readline())
