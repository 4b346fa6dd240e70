"""Devices that push to the gateway's own web server: who has been heard lately, and what they said.

The web server owns the connections; this is the place where their silence is noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from contract.readings import Value
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.camera.zhenshi import Heartbeat, parse_push
from drivers.errors import FrameError
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PlateRead, Sink


class PushBus:
    """The cameras of one site (see `drivers.bus.Bus`). The web server calls `receive` with each push."""

    def __init__(self, id: str, devices: Mapping[str, Profile], *, sink: Sink) -> None:
        self.id = id
        self.health = BusHealth()
        self._devices = dict(devices)
        self._sink = sink
        self._online: dict[str, bool] = {}
        self._watches: dict[str, asyncio.TimerHandle] = {}

    async def run(self) -> None:
        """Watches for silence until cancelled."""
        self.health.connected = True
        for device in self._devices:
            self._watch(device)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.health.connected = False
            for watch in self._watches.values():
                watch.cancel()
            self._watches.clear()

    def knows(self, device: str) -> bool:
        """Whether this device belongs here."""
        return device in self._devices

    def receive(self, device: str, body: bytes, content_type: str) -> PlateRead | Heartbeat:
        """What a device of this bus pushed; it is there, whatever it said. Raises `FrameError`, counted and told."""
        self.health.exchanges += 1
        self._heard(device)
        try:
            return parse_push(device, body, content_type)
        except FrameError as wrong:
            self.health.refused += 1
            self._sink(InputRefused(device, str(wrong), wrong.raw[:64]))
            raise

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """A camera that pushes is only ever answered."""
        raise CommandFailed(f"{device} takes no orders, it is only answered", f"{device} 只接受应答，不能下发命令")

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """A camera that pushes is only ever answered."""
        raise CommandFailed(f"{device} takes no orders, it is only answered", f"{device} 只接受应答，不能下发命令")

    def show(self, reader: str, outcome: Outcome) -> None:
        """A camera shows nothing by itself."""

    def online(self, device: str) -> bool:
        """Whether the device was heard lately."""
        return self._online.get(device, False)

    def _heard(self, device: str) -> None:
        if not self._online.get(device, False):
            self._online[device] = True
            self._sink(DeviceFound(device))
        self._watch(device)

    def _watch(self, device: str) -> None:
        watch = self._watches.pop(device, None)
        if watch is not None:
            watch.cancel()
        silent_s = self._devices[device].silent_s
        if silent_s is not None:
            self._watches[device] = asyncio.get_running_loop().call_later(silent_s, self._silent, device, silent_s)

    def _silent(self, device: str, silent_s: float) -> None:
        self._watches.pop(device, None)
        if self._online.get(device) is not False:
            self._online[device] = False
            self._sink(DeviceLost(device, f"nothing heard for {silent_s:g} s"))
