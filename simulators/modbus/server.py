"""The slave's end of Modbus wires: a TCP endpoint with its units, and a serial line on a pty with its units."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import structlog

from config.site import ModbusRtuBus, ModbusTcpBus
from simulators.device import SimDevice
from simulators.modbus.frames import NotModbus, RtuRequest, RtuRequests, TcpRequest, TcpRequests, wire_seconds
from simulators.modbus.image import Image
from simulators.modbus.slave import answer
from simulators.modbus.wrongs import Reply, rtu_reply, tcp_reply
from simulators.ports import LOOPBACK, Pty, TcpEnd
from simulators.site import SimSite

REQUESTS_LIMIT = 64
FRAME_GAP_S = 0.05
"""A request that is not finished after so long will not be; ptys are less punctual than 3.5 characters."""

log = structlog.get_logger("simulators.modbus")


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


class ModbusTcpWire:
    """A Modbus TCP endpoint. For a unit that does not exist it stays silent, as a converter without an answer does."""

    def __init__(self, id_: str, bus: ModbusTcpBus, site: SimSite) -> None:
        self.id = id_
        self._bus = bus
        self._units = Units(site, id_)
        self._end = TcpEnd(self._serve)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Listens; the wires entry."""
        await self._end.open(before.get("port"))
        return {"host": LOOPBACK, "port": self._end.port}

    async def attend(self) -> None:
        """Follows the faults."""
        await self._end.set_online(not self._units.all_offline())

    async def close(self) -> None:
        """Hangs up."""
        await self._end.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = TcpRequests()
        while data := await reader.read(4096):
            try:
                found = requests.feed(data)
            except NotModbus as wrong:
                log.warning("a peer does not speak Modbus", bus=self.id, why=str(wrong))
                return
            for request in found:
                _send_later(writer, self._reply(request))
            await writer.drain()

    def _reply(self, request: TcpRequest) -> Reply:
        device = self._units.devices.get(request.unit)
        if device is None or not request.pdu:
            return Reply(None)
        if self._units.site.faults.any_of(device.id, "silent", "offline"):
            return Reply(None)
        pdu = self._units.answer(request.unit, request.pdu)
        return tcp_reply(request, pdu, self._units.site.faults, device.id, self._bus.timeout_s)


def _send_later(writer: asyncio.StreamWriter, reply: Reply) -> None:
    if reply.data is None:
        return
    if reply.after_s <= 0:
        writer.write(reply.data)
        return
    asyncio.get_running_loop().call_later(reply.after_s, _send, writer, reply.data)


def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)


class ModbusRtuWire:
    """A serial line with several units. One answer at a time, at the pace of the baud rate if `paced`."""

    def __init__(self, id_: str, bus: ModbusRtuBus, site: SimSite, folder: Path, *, paced: bool) -> None:
        self.id = id_
        self._bus = bus
        self._site = site
        self._units = Units(site, id_)
        self._paced = paced
        self._pty = Pty(folder / id_, self._received)
        self._requests = RtuRequests()
        self._queue: asyncio.Queue[RtuRequest] = asyncio.Queue(REQUESTS_LIMIT)
        self._silence: asyncio.TimerHandle | None = None
        self._answering: asyncio.Task[None] | None = None
        self._noise = Random(0)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Opens the line under its stable name; the wires entry."""
        self._pty.open()
        self._answering = asyncio.create_task(self._answer(), name=f"line {self.id}")
        return {"port": str(self._pty.link), "parity": "N"}

    async def attend(self) -> None:
        """Noise comes whether somebody asks or not."""
        if self._noisy() and self._noise.random() < 0.4:
            self._pty.write(self._noise.randbytes(self._noise.randint(1, 12)))

    async def close(self) -> None:
        """Unplugs the line."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
        if self._silence is not None:
            self._silence.cancel()
        self._pty.close()

    def _received(self, data: bytes) -> None:
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
                asyncio.get_running_loop().call_later(reply.after_s, self._pty.write, reply.data)
            else:
                self._pty.write(reply.data)

    def _reply(self, request: RtuRequest) -> Reply:
        if request.unit == 0:
            self._units.broadcast(request.pdu)
            return Reply(None)
        device = self._units.devices.get(request.unit)
        if device is None or self._site.faults.any_of(device.id, "silent", "offline"):
            return Reply(None)
        pdu = self._units.answer(request.unit, request.pdu)
        reply = rtu_reply(request, pdu, self._site.faults, device.id, self._bus.timeout_s)
        if self._noisy() and reply.data is not None:
            return Reply(_noised(reply.data, self._noise), reply.after_s)
        return reply

    def _noisy(self) -> bool:
        return any(self._site.faults.has(device.id, "noise") for device in self._units.devices.values())


def _noised(frame: bytes, rng: Random) -> bytes:
    """Noise hits most answers: bytes before, bytes in the middle changed."""
    if rng.random() < 0.3:
        return frame
    body = bytearray(rng.randbytes(rng.randint(0, 4)) + frame)
    body[rng.randrange(len(body))] ^= rng.randint(1, 255)
    return bytes(body)
