"""What the units of a serial line make of the bytes on it, whatever carries them: a pty, or a converter's TCP port."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random

from drivers.modbus.wires import ModbusRtuBus, ModbusRtuTcpBus
from simulators.device import SimDevice
from simulators.modbus.frames import RtuRequest, RtuRequests, wire_seconds
from simulators.modbus.image import Image
from simulators.modbus.slave import answer
from simulators.modbus.wrongs import Reply, rtu_reply
from simulators.site import SimSite

REQUESTS_LIMIT = 64
FRAME_GAP_S = 0.05
"""A request that is not finished after so long will not be; ptys are less punctual than 3.5 characters."""


class Units:
    """The units of one bus, by number."""

    def __init__(self, site: SimSite, bus: str) -> None:
        self.site = site
        self.devices: dict[int, SimDevice] = {
            device.config.unit: device for device in site.devices.values() if device.config.bus == bus
        }
        self._images = {
            unit: Image(device.profile, device.value, device.act, device.raws, device.config.scale_by)
            for unit, device in self.devices.items()
        }

    def answer(self, unit: int, pdu: bytes) -> bytes:
        """What the unit says now."""
        self.site.at(time.monotonic())
        return answer(self._images[unit], pdu)

    def broadcast(self, pdu: bytes) -> None:
        """Everybody obeys and nobody answers."""
        for unit in self.devices:
            self.answer(unit, pdu)

    def all_offline(self) -> bool:
        """Whether nothing on the bus has power any more."""
        return all(self.site.faults.has(device.id, "offline") for device in self.devices.values())

    def any_has(self, fault: str) -> bool:
        """Whether a fault that one device has is the whole wire's: noise, an echo, a converter that hangs up."""
        return any(self.site.faults.has(device.id, fault) for device in self.devices.values())


class Line:
    """A serial line with several units. One answer at a time, at the pace of the baud rate if `paced`.

    `write` puts bytes on the line, where the master hears them.
    """

    def __init__(
        self,
        id_: str,
        bus: ModbusRtuBus | ModbusRtuTcpBus,
        site: SimSite,
        write: Callable[[bytes], object],
        *,
        paced: bool,
    ) -> None:
        self.units = Units(site, id_)
        self._id = id_
        self._bus = bus
        self._site = site
        self._write = write
        self._paced = paced
        self._requests = RtuRequests()
        self._queue: asyncio.Queue[RtuRequest] = asyncio.Queue(REQUESTS_LIMIT)
        self._silence: asyncio.TimerHandle | None = None
        self._answering: asyncio.Task[None] | None = None
        self._noise = Random(0)

    def open(self) -> None:
        """The units get their power."""
        self._answering = asyncio.create_task(self._answer(), name=f"line {self._id}")

    def attend(self) -> None:
        """Noise comes whether somebody asks or not."""
        if self.units.any_has("noise") and self._noise.random() < 0.4:
            self._write(self._noise.randbytes(self._noise.randint(1, 12)))

    async def close(self) -> None:
        """The units lose their power."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
        if self._silence is not None:
            self._silence.cancel()

    def received(self, data: bytes) -> None:
        """What the master put on the line; an adapter that cannot send and be deaf at once hears itself."""
        if self.units.any_has("echo"):
            self._write(data)
        for request in self._requests.feed(data):
            if not self._queue.full():
                self._queue.put_nowait(request)
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(FRAME_GAP_S, self._requests.silence)

    async def _answer(self) -> None:
        while True:
            request = await self._queue.get()
            reply = self._reply(request)
            if self._paced:
                count = len(request.pdu) + 3 + len(reply.data or b"")
                await asyncio.sleep(wire_seconds(count, self._bus.baud))
            if reply.data is None:
                continue
            if reply.after_s > 0:
                asyncio.get_running_loop().call_later(reply.after_s, self._write, reply.data)
            else:
                self._write(reply.data)

    def _reply(self, request: RtuRequest) -> Reply:
        if request.unit == 0:
            self.units.broadcast(request.pdu)
            return Reply(None)
        device = self.units.devices.get(request.unit)
        if device is None or self._site.faults.any_of(device.id, "silent", "offline"):
            return Reply(None)
        pdu = self.units.answer(request.unit, request.pdu)
        reply = rtu_reply(request, pdu, self._site.faults, device.id, self._bus.timeout_s)
        if self.units.any_has("noise") and reply.data is not None:
            return Reply(_noised(reply.data, self._noise), reply.after_s)
        return reply


def _noised(frame: bytes, rng: Random) -> bytes:
    """Noise hits most answers: bytes before, bytes in the middle changed."""
    if rng.random() < 0.3:
        return frame
    body = bytearray(rng.randbytes(rng.randint(0, 4)) + frame)
    body[rng.randrange(len(body))] ^= rng.randint(1, 255)
    return bytes(body)
