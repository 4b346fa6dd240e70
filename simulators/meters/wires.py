"""The meters' end of their lines: a pty, or a TCP converter. Meters of several protocols share a line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from drivers.meters.wires import MeterSerialBus, MeterTcpBus
from simulators.ends import Ends
from simulators.meters.meter import MeterKind, SimMeter
from simulators.meters.wrongs import Reply, noised, reply
from simulators.ports import LOOPBACK, Pty, TcpEnd
from simulators.protocols import PROTOCOLS
from simulators.site import SimSite

REQUESTS_LIMIT = 64
FRAME_GAP_S = 0.5
"""A request that pauses for so long will not be finished."""

BITS = 11
"""Bits of a character (8E1)."""

Send = Callable[[bytes], object]


class _Request(NamedTuple):
    protocol: str
    frame: bytes
    send: Send


class MeterLine:
    """The meters of one line, whatever carries it. One request at a time, at the pace of the baud rate if `paced`."""

    def __init__(self, id_: str, bus: MeterSerialBus | MeterTcpBus, site: SimSite, *, paced: bool) -> None:
        self.id = id_
        self._bus = bus
        self._site = site
        self._paced = paced
        self._zone = ZoneInfo(site.site.timezone)
        devices = [device for device in site.devices.values() if device.config.bus == id_]
        self.devices = [device.id for device in devices]
        self._meters: dict[str, list[SimMeter]] = {}
        for device in devices:
            kind = _kind(device.profile.protocol)
            self._meters.setdefault(device.profile.protocol, []).append(kind.meter(device, site.faults))
        self._frames = {protocol: _kind(protocol).frames() for protocol in self._meters}
        self._queue: asyncio.Queue[_Request] = asyncio.Queue(REQUESTS_LIMIT)
        self._silence: asyncio.TimerHandle | None = None
        self._answering: asyncio.Task[None] | None = None
        self._noise = Random(0)

    def start(self) -> None:
        """Begins to answer."""
        self._answering = asyncio.create_task(self._answer(), name=f"meters {self.id}")

    async def stop(self) -> None:
        """Answers no more."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
        if self._silence is not None:
            self._silence.cancel()

    def received(self, data: bytes, send: Send) -> None:
        """Bytes of whoever asks."""
        if self.any_has("echo"):
            send(data)
        for protocol, frames in self._frames.items():
            found = frames.feed(data)
            for frame in found:
                self._ask(_Request(protocol, frame, send))
            if found:
                self._whole(protocol)
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(FRAME_GAP_S, self._quiet, send)

    def attend(self, send: Send) -> None:
        """Noise comes whether somebody asks or not."""
        if self.any_has("noise") and self._noise.random() < 0.4:
            send(self._noise.randbytes(self._noise.randint(1, 12)))

    def any_has(self, fault: str) -> bool:
        """Whether a device of this line has a fault."""
        return any(self._site.faults.has(device, fault) for device in self.devices)

    def all_offline(self) -> bool:
        """Whether nothing on the line has power any more."""
        return all(self._site.faults.has(device, "offline") for device in self.devices)

    def _quiet(self, send: Send) -> None:
        for protocol, frames in self._frames.items():
            for frame in frames.quiet():
                self._ask(_Request(protocol, frame, send))

    def _whole(self, protocol: str) -> None:
        """What was a sound request of one protocol began none of another."""
        for other, frames in self._frames.items():
            if other != protocol:
                frames.clear()

    def _ask(self, request: _Request) -> None:
        if not self._queue.full():
            self._queue.put_nowait(request)

    async def _answer(self) -> None:
        while True:
            request = await self._queue.get()
            for meter in self._meters[request.protocol]:
                answered = self._reply(meter, request)
                if self._paced:
                    await asyncio.sleep(self._seconds(len(request.frame) + len(answered.data or b"")))
                if answered.data is None:
                    continue
                if answered.after_s > 0:
                    asyncio.get_running_loop().call_later(answered.after_s, request.send, answered.data)
                else:
                    request.send(answered.data)

    def _reply(self, meter: SimMeter, request: _Request) -> Reply:
        now = datetime.now(self._zone).replace(tzinfo=None)
        answer = meter.answer(request.frame, now)
        if answer is None:
            return Reply(None)
        timeout_s = self._bus.timeout_s + self._seconds(len(request.frame) + 4)
        answered = reply(answer, self._site.faults, meter, timeout_s)
        if answered.data is not None and self.any_has("noise"):
            return answered._replace(data=noised(answered.data, self._noise))
        return answered

    def _seconds(self, count: int) -> float:
        return count * BITS / self._bus.baud


class MeterSerialWire:
    """A serial line of meters."""

    def __init__(self, id_: str, bus: MeterSerialBus, site: SimSite, folder: Path, *, paced: bool) -> None:
        self.id = id_
        self.line = MeterLine(id_, bus, site, paced=paced)
        self._pty = Pty(folder / id_, lambda data: self.line.received(data, self._pty.write))

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Opens the line under its stable name; the wires entry. A pty cannot do parity."""
        self._pty.open()
        self.line.start()
        return {"port": str(self._pty.link), "parity": "N"}

    async def attend(self) -> None:
        """Follows the faults."""
        self.line.attend(self._pty.write)

    async def close(self) -> None:
        """Unplugs the line."""
        await self.line.stop()
        self._pty.close()


class MeterTcpWire:
    """A TCP converter with a line of meters behind it."""

    def __init__(self, id_: str, bus: MeterTcpBus, site: SimSite, *, paced: bool) -> None:
        self.id = id_
        self.line = MeterLine(id_, bus, site, paced=paced)
        self._end = TcpEnd(self._serve)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Listens; the wires entry."""
        await self._end.open(before.get("port"))
        self.line.start()
        return {"host": LOOPBACK, "port": self._end.port}

    async def attend(self) -> None:
        """Follows the faults."""
        await self._end.set_online(not self.line.all_offline())
        for peer in self._end.peers:
            self.line.attend(_sender(peer))

    async def close(self) -> None:
        """Hangs up."""
        await self.line.stop()
        await self._end.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            self.line.received(data, _sender(writer))
            await writer.drain()


def _sender(writer: asyncio.StreamWriter) -> Send:
    def send(data: bytes) -> None:
        if not writer.is_closing():
            writer.write(data)

    return send


def _kind(protocol: str) -> MeterKind:
    return PROTOCOLS[protocol].part("meter", MeterKind)


WIRES = Ends(
    {
        "meter-serial": lambda of: MeterSerialWire(of.id, of.part(MeterSerialBus), of.site, of.folder, paced=of.paced),
        "meter-tcp": lambda of: MeterTcpWire(of.id, of.part(MeterTcpBus), of.site, paced=of.paced),
    }
)
