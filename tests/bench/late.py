"""`late`: 10,000 polls, time-out 20 ms, of units that answer after 0 to 40 ms; 20 units take turns on each wire.

Every value is compared with whose it must be and with the question that it answers, on Modbus TCP, RTU, and RTU over
TCP: ours counts as wrong when it is another register's, and also when it is from before the last question. The peer is
pymodbus as it comes, on lines with the same units, and only values of other registers are held against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import uvloop
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

from config.site import Device
from drivers.bus import Bus
from drivers.modbus.wires import ModbusRtuBus, ModbusRtuTcpBus, ModbusTcpBus
from drivers.opening import open_bus
from drivers.profiles.profile import Profile
from drivers.reports import PointsRead, Report
from tests.bench.late_units import BLOCKS, LateUnits, on_line, on_tcp, owner
from tests.bench.rows import Row
from tests.drivers.products import product

TIMEOUT_S = 0.02
UNITS = 20
PERIOD_S = 0.05


@dataclass
class Counted:
    """`wrong`: values that are another register's; `old`: of the right register, from before the last question."""

    polls: int = 0
    values: int = 0
    wrong: int = 0
    old: int = 0


def run(short: bool) -> Iterable[Row]:
    """Wrong values, one row for each kind of wire. A wire that told no value at all proves nothing."""
    polls, wires, longest_s = (600, 5, 12.0) if short else (10_000, 15, 300.0)
    ours = uvloop.run(of_drivers(polls, wires, longest_s))
    peer = asyncio.run(of_peer(polls, wires, longest_s))
    for kind, counted in ours.items():
        beside = kind == "RTU"
        notes: dict[str, float | str] = {
            "values": counted.values,
            "wrong": counted.wrong,
            "old": counted.old,
            "wires": wires,
        }
        if beside:
            notes |= {"peer": "pymodbus with its 3 retries", "its polls": peer.polls, "its values": peer.values}
            notes["its values from before the last question"] = peer.old
        yield Row(
            "late", f"{kind}: wrong values in {counted.polls} polls", "",
            ours=float(counted.wrong + counted.old) if counted.values else math.inf,
            peer=float(peer.wrong) if beside else None, aim=0.0, notes=notes,
        )  # fmt: skip


class Judge:
    """A sink that compares every value at the moment it is told."""

    def __init__(self, units: LateUnits, counted: Counted) -> None:
        self._units = units
        self._counted = counted

    def __call__(self, report: Report) -> None:
        if not isinstance(report, PointsRead):
            return
        unit = int(report.device[1:])
        for reading in report.readings:
            name = reading.point.partition(".")[2]
            self._counted.values += 1
            if name[0] == "n":
                self._counted.old += reading.value != self._units.asked[unit] & 0xFFFF
            else:
                self._counted.wrong += reading.value != owner(unit, int(name[1:]))


def late_product() -> Profile:
    """A product with the registers of late_units."""
    names = {
        at: f"{'n' if at == first else 'r'}{at}" for first, size in BLOCKS.items() for at in range(first, first + size)
    }
    points = "\n".join(
        f"  {name}: {{fc: 3, address: {at}, name: {{zh: {name}, en: {name}}}}}" for at, name in names.items()
    )
    return product(f"poll: {{alarm: {PERIOD_S}, normal: {PERIOD_S}, meter: {PERIOD_S}}}\npoints:\n{points}\n")


async def of_drivers(polls: int, wires: int, longest_s: float) -> dict[str, Counted]:
    """Ours, by the kind of wire."""
    kinds = ("Modbus TCP", "RTU", "RTU over TCP")
    done = await asyncio.gather(*(_kind(kind, polls, wires, longest_s) for kind in kinds))
    return dict(zip(kinds, done, strict=True))


async def _kind(kind: str, polls: int, wires: int, longest_s: float) -> Counted:
    counted, profile = Counted(), late_product()
    buses: list[Bus] = []
    for number in range(wires):
        units = LateUnits(UNITS, TIMEOUT_S, seed=number)
        devices = {f"u{unit}": (Device(profile="probe", bus="w", unit=unit), profile) for unit in units.asked}
        wire = await _wire(kind, units)
        buses.append(open_bus("w", wire, devices, sink=Judge(units, counted), clock=lambda: 0))
    tasks = [asyncio.create_task(bus.run()) for bus in buses]
    begin = asyncio.get_running_loop().time()
    while sum(bus.health.exchanges for bus in buses) < polls:
        if asyncio.get_running_loop().time() - begin > longest_s:
            break
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    counted.polls = sum(bus.health.exchanges for bus in buses)
    return counted


async def _wire(kind: str, units: LateUnits) -> Any:
    if kind == "Modbus TCP":
        port = await on_tcp(units, rtu=False)
        return ModbusTcpBus(kind="modbus-tcp", host="127.0.0.1", port=port, timeout_s=TIMEOUT_S)
    if kind == "RTU over TCP":
        port = await on_tcp(units, rtu=True)
        return ModbusRtuTcpBus(kind="modbus-rtu-tcp", host="127.0.0.1", port=port, baud=115200, timeout_s=TIMEOUT_S)
    return ModbusRtuBus(kind="modbus-rtu", port=on_line(units), baud=115200, timeout_s=TIMEOUT_S)


async def of_peer(polls: int, wires: int, longest_s: float) -> Counted:
    """pymodbus with its own three retries; an application takes what comes without an error."""
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    counted = Counted()
    lines = asyncio.gather(*(_peer_line(number, polls // wires, counted) for number in range(wires)))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(lines, longest_s)
    return counted


async def _peer_line(seed: int, polls: int, counted: Counted) -> None:
    units = LateUnits(UNITS, TIMEOUT_S, seed)
    client = AsyncModbusSerialClient(on_line(units), baudrate=115200, timeout=TIMEOUT_S)
    assert await client.connect()
    for number in range(polls):
        unit, (first, size) = number // len(BLOCKS) % UNITS + 1, list(BLOCKS.items())[number % len(BLOCKS)]
        counted.polls += 1
        try:
            answer = await client.read_holding_registers(first, count=size, device_id=unit)
        except ModbusException:
            if not client.connected:
                await client.connect()
            continue
        if answer.isError():
            continue
        asked, *rest = answer.registers
        counted.values += len(answer.registers)
        if rest != [owner(unit, at) for at in range(first + 1, first + size)]:
            counted.wrong += len(answer.registers)
        elif asked != units.asked[unit] & 0xFFFF:
            counted.old += len(answer.registers)
    client.close()
