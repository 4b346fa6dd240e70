"""A wire driven as the gateway drives it: the product's own driver, with the devices of a site file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from contract.readings import Reading
from drivers.bus import Bus
from drivers.opening import open_bus
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PointsRead, Report
from drivers.wiring import BusPart, SerialBus, TcpBus
from gateway.installer.wire.channels import TcpChannel
from gateway.installer.wire.ports import open_port

NOTES_LIMIT = 20


class Driven:
    """What a wire has reported so far."""

    def __init__(self, bus: Bus, devices: list[str]) -> None:
        self.bus = bus
        self.readings: dict[str, Reading] = {}
        self.found: set[str] = set()
        self.lost: dict[str, str] = {}
        self.refused: list[InputRefused] = []
        self._devices = devices
        self._news = asyncio.Event()

    def take(self, report: Report) -> None:
        """The driver's sink."""
        match report:
            case PointsRead(device, readings):
                self.found.add(device)
                self.lost.pop(device, None)
                self.readings.update((reading.point, reading) for reading in readings)
            case DeviceFound(device):
                self.found.add(device)
                self.lost.pop(device, None)
            case DeviceLost(device, why):
                self.lost[device] = why
            case InputRefused():
                self.refused = [*self.refused, report][-NOTES_LIMIT:]
            case _:
                self.found.add(getattr(report, "reader", getattr(report, "camera", "")))
        self._news.set()

    async def until_read(self, points: set[str], within_s: float) -> None:
        """Returns when all these points were read, when their devices are lost, or when the time is over."""
        wanted = {point.partition(".")[0] for point in points}
        await self._until(lambda: points <= self.readings.keys() or wanted <= self.lost.keys(), within_s)

    async def until_settled(self, within_s: float) -> None:
        """Returns when every device has been found or lost, or when the time is over."""
        await self._until(lambda: all(each in self.found or each in self.lost for each in self._devices), within_s)

    async def _until(self, holds: Callable[[], bool], within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return


@asynccontextmanager
async def driven(
    id: str, bus: BusPart, devices: Mapping[str, tuple[Any, Profile]], folder: Path
) -> AsyncIterator[Driven]:
    """The wire, owned and running until the end of the block."""
    reports: list[Report] = []
    made: Driven | None = None

    def sink(report: Report) -> None:
        (reports.append if made is None else made.take)(report)

    owner = open_bus(id, bus, devices, sink=sink, clock=lambda: time.time_ns() // 1_000_000, folder=folder)
    made = Driven(owner, list(devices))
    for report in reports:
        made.take(report)
    task = asyncio.create_task(owner.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def reachable(bus: BusPart) -> None:
    """Raises `Trouble` in words if the wire cannot be opened: no port, busy, no permission, nobody at the address."""
    if isinstance(bus, SerialBus):
        open_port(
            bus.port, getattr(bus, "baud", 9600), getattr(bus, "parity", "N"), getattr(bus, "stop_bits", 1)
        ).close()
    elif isinstance(bus, TcpBus):
        (await TcpChannel.dial(bus.host, bus.port, 3.0)).close()
