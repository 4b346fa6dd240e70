"""The site's wires: each owned by a supervised task of its own, so that a crash of one never reaches another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog

from contract.readings import Value
from drivers.bus import Bus, CommandFailed, Outcome, SetsKeys

log = structlog.get_logger(__name__)

RESTART_FIRST_S = 0.5
RESTART_LIMIT_S = 30.0
STEADY_S = 60.0
"""A bus task that ran this long was well: its next crash starts the back-off anew."""


def restart_delay(crashes: int) -> float:
    """Seconds before the start after the `crashes`-th crash in a row (1, 2, …): doubled up to half a minute."""
    return float(min(RESTART_LIMIT_S, RESTART_FIRST_S * 2 ** min(crashes - 1, 10)))


class Buses:
    """All wires by id, and which device hangs on which. Raises `CommandFailed` for a device without a wire."""

    def __init__(self, bus_of: Mapping[str, str]) -> None:
        self.buses: dict[str, Bus] = {}
        self.bus_of = dict(bus_of)
        self.crashes: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, bus: Bus) -> None:
        """Takes a wire in, before `start`."""
        self.buses[bus.id] = bus
        self.crashes[bus.id] = 0

    def start(self) -> None:
        """Gives every wire its task."""
        for bus in self.buses.values():
            self._tasks.append(asyncio.create_task(self._keep_running(bus), name=f"bus {bus.id}"))

    async def stop(self) -> None:
        """Cancels the tasks and waits until each has let go of its wire."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """Sets a point or carries out a command of the device's profile; `CommandFailed` if the device did not."""
        await self._of(device).write(device, point, value, within_s=within_s)

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """Closes an output for `seconds`, timed by the device; `CommandFailed` if the device did not."""
        await self._of(device).pulse(device, output, seconds, within_s=within_s)

    async def set_key(self, reader: str, *, within_s: float) -> None:
        """Gives a reader a new key of its own; `CommandFailed` if its wire has no keys, or the reader took none."""
        bus = self._of(reader)
        if not isinstance(bus, SetsKeys):
            raise CommandFailed(f"{reader} has no key to set", f"{reader} 没有可设置的密钥")
        await bus.set_key(reader, within_s=within_s)

    def show(self, reader: str, outcome: Outcome) -> None:
        """Lets a reader show what was decided. Never waits, never raises: the decision stands without it."""
        bus = self.buses.get(self.bus_of.get(reader, ""))
        if bus is not None:
            # By the loop, which logs what fails there: nothing that shows it can hurt what was decided.
            asyncio.get_running_loop().call_soon(bus.show, reader, outcome)

    def keeps_keys(self, device: str) -> bool:
        """Whether the device hangs on a wire whose readers have keys."""
        return isinstance(self.buses.get(self.bus_of.get(device, "")), SetsKeys)

    def online(self, device: str) -> bool:
        """Whether the device answered lately."""
        bus = self.buses.get(self.bus_of.get(device, ""))
        return bus is not None and bus.online(device)

    def _of(self, device: str) -> Bus:
        bus = self.buses.get(self.bus_of.get(device, ""))
        if bus is None:
            raise CommandFailed(f"{device} has no wire that can be written to", f"{device} 没有可写的线路")
        return bus

    async def _keep_running(self, bus: Bus) -> None:
        loop = asyncio.get_running_loop()
        in_a_row = 0
        while True:
            began = loop.time()
            try:
                await bus.run()
                log.error("bus task ended by itself", bus=bus.id)
            except Exception:  # a wire that crashed is begun anew, and counted
                log.exception("bus task crashed", bus=bus.id)
            self.crashes[bus.id] += 1
            in_a_row = 1 if loop.time() - began >= STEADY_S else in_a_row + 1
            await asyncio.sleep(restart_delay(in_a_row))
