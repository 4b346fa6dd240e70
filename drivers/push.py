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
from drivers.presence import Presence
from drivers.profiles.profile import Profile
from drivers.reports import InputRefused, PlateRead, Sink


class PushBus:
    """The cameras of one site (see `drivers.bus.Bus`). The web server calls `receive` with each push."""

    def __init__(self, id: str, devices: Mapping[str, Profile], *, sink: Sink) -> None:
        self.id = id
        self.health = BusHealth()
        self._devices = dict(devices)
        self._sink = sink
        self._presence = Presence({device: profile.silent_s for device, profile in devices.items()}, sink)

    async def run(self) -> None:
        """Watches for silence until cancelled."""
        self.health.connected = True
        self._presence.watch()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.health.connected = False
            self._presence.rest()

    def knows(self, device: str) -> bool:
        """Whether this device belongs here."""
        return device in self._devices

    def receive(self, device: str, body: bytes, content_type: str) -> PlateRead | Heartbeat:
        """What a device of this bus pushed; it is there, whatever it said. Raises `FrameError`, counted and told."""
        self.health.exchanges += 1
        self._presence.heard(device)
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
        return self._presence.online(device)
