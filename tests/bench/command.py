"""`command`: from asking for an output to the moment at which its unit has the request, on a bus that is never idle.

The bus is the driver's own under uvloop, asked as the engine asks it; the units are slave.c and, on a paced line at
9600, rtu_units.c. One exchange is what a read takes: over TCP in the same run, on the line by its bits. How long a
person's command takes through the gateway's REST interface, which writes it to the disk before it acts, stands in the
notes.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import uvloop

from config.site import Device
from drivers.bus import Bus
from drivers.modbus.wires import ModbusRtuBus, ModbusTcpBus
from drivers.opening import open_bus
from drivers.profiles.files import parse
from drivers.profiles.profile import Profile
from tests.bench.lines import PacedLine, Units, exchange_s
from tests.bench.process import PROBE, GatewayProcess, probe_profile, probe_site
from tests.bench.rows import Row, median, percentile
from tests.bench.rtu import BAUD
from tests.bench.slaves import CountingSlave, Told

TCP_UNITS = 20
RTU_UNITS = 10
RTU_REGISTERS = 10
COILS = 4
SATURATED_S = 0.001
MARGIN_MS = 20.0
ASKED = "u5"


class Delays(NamedTuple):
    """Milliseconds. `obeyed`: asked → the unit has it; `confirmed`: asked → told so; `exchange`: one read."""

    obeyed: list[float]
    confirmed: list[float]
    exchange: float


def run(short: bool) -> Iterable[Row]:
    """p99 in milliseconds against one exchange + 20 ms; the longest of the runs."""
    runs, on_tcp, on_line, on_rest = (1, 200, 60, 20) if short else (3, 1000, 200, 100)
    tcp = [uvloop.run(over_tcp(on_tcp)) for _ in range(runs)]
    rtu = [uvloop.run(over_line(on_line)) for _ in range(runs)]
    rest = uvloop.run(through_rest(on_rest))
    yield _row(f"Modbus TCP, {TCP_UNITS} units × 125 registers", tcp, {
        "through REST to the unit, p50 ms": round(median(rest), 1),
        "through REST to the unit, p99 ms": round(percentile(rest, 0.99), 1),
    })  # fmt: skip
    yield _row(f"RTU {BAUD}, {RTU_UNITS} units × {RTU_REGISTERS} registers", rtu, {})


def _row(name: str, done: list[Delays], notes: dict[str, float | str]) -> Row:
    exchange = median([one.exchange for one in done])
    return Row(
        "command", f"{name}, busy: asked → unit has it, p99", "ms",
        ours=max(percentile(one.obeyed, 0.99) for one in done), aim=exchange + MARGIN_MS, runs=len(done),
        notes={
            "one exchange, ms": round(exchange, 2),
            "p50": round(median([median(one.obeyed) for one in done]), 2),
            "asked → confirmed, p99": round(max(percentile(one.confirmed, 0.99) for one in done), 2),
            "commands": sum(len(one.obeyed) for one in done),
            **notes,
        },
    )  # fmt: skip


@asynccontextmanager
async def _running(bus: Bus) -> AsyncIterator[Bus]:
    task = asyncio.create_task(bus.run())
    try:
        async with asyncio.timeout(30):
            while not bus.online(ASKED):  # noqa: ASYNC110 - a bus tells nobody that it is in full swing
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        yield bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _devices(units: int, registers: int) -> dict[str, tuple[Device, Profile]]:
    profile = parse(probe_profile(registers, coils=COILS).encode(), Path(f"{PROBE}.yaml"))
    return {
        f"u{unit}": (Device(profile=PROBE, bus="w", unit=unit, poll_s=SATURATED_S), profile)
        for unit in range(1, units + 1)
    }


async def over_tcp(commands: int) -> Delays:
    """So many commands among the reads of 20 units behind one endpoint."""
    async with CountingSlave(TCP_UNITS) as slave:
        wire = ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=slave.port)
        bus = open_bus("w", wire, _devices(TCP_UNITS, 125), sink=lambda report: None, clock=lambda: 0)
        async with _running(bus):
            begin, before = time.monotonic(), bus.health.exchanges
            await asyncio.sleep(2.0)
            exchange = (time.monotonic() - begin) / (bus.health.exchanges - before)
            return await _measured(bus, slave, commands, exchange)


async def over_line(commands: int) -> Delays:
    """So many among the reads of ten units on a line."""
    async with PacedLine(BAUD) as line, Units(line.slave, BAUD, RTU_UNITS, RTU_REGISTERS) as slave:
        wire = ModbusRtuBus(kind="modbus-rtu", port=line.master, baud=BAUD)
        bus = open_bus("w", wire, _devices(RTU_UNITS, RTU_REGISTERS), sink=lambda report: None, clock=lambda: 0)
        async with _running(bus):
            return await _measured(bus, slave, commands, exchange_s(BAUD, RTU_REGISTERS))


async def _measured(bus: Bus, slave: Told, commands: int, one_exchange_s: float) -> Delays:
    confirmed: list[float] = []

    async def write(number: int) -> None:
        asked = time.monotonic()
        await bus.write(ASKED, "relay_1", bool(number % 2), within_s=5.0)
        confirmed.append((time.monotonic() - asked) * 1000)

    obeyed = await _obeyed(slave, commands, write)
    return Delays(obeyed, confirmed, one_exchange_s * 1000)


async def _obeyed(slave: Told, commands: int, write: Callable[[int], Awaitable[None]]) -> list[float]:
    """Asks at moments that have nothing to do with the bus; how long each took to reach the unit, in milliseconds."""
    moments = random.Random(7)
    delays: list[float] = []
    for number in range(commands):
        await asyncio.sleep(moments.uniform(0.01, 0.06))
        seen, asked = len(slave.wrote), time.monotonic()
        await write(number)
        async with asyncio.timeout(10):
            while len(slave.wrote) == seen:  # noqa: ASYNC110 - the slave's word comes through a pipe
                await asyncio.sleep(0.001)
        delays.append((slave.wrote[seen]["at"] - asked) * 1000)
    return delays


async def through_rest(commands: int) -> list[float]:
    """Milliseconds from a person's request to the unit."""
    async with CountingSlave(TCP_UNITS) as slave:
        wire = {"net": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": slave.port}}
        units = {f"u{unit}": ("net", unit) for unit in range(1, TCP_UNITS + 1)}
        with tempfile.TemporaryDirectory() as folder:
            site = probe_site(wire, units, SATURATED_S)
            async with GatewayProcess(Path(folder), site, probe_profile(coils=COILS)) as gateway:
                await gateway.sign_in()
                return await _obeyed(
                    slave, commands, lambda number: gateway.write(f"{ASKED}.relay_1", bool(number % 2))
                )
