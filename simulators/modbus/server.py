"""The slave's end of Modbus wires: a TCP endpoint with its units, and serial lines on a pty or behind a converter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from drivers.modbus.wires import ModbusRtuBus, ModbusRtuTcpBus, ModbusTcpBus
from simulators.modbus.frames import NotModbus, TcpRequest, TcpRequests
from simulators.modbus.line import Line, Units
from simulators.modbus.wrongs import Reply, tcp_reply
from simulators.ports import LOOPBACK, Pty, TcpEnd
from simulators.site import SimSite

log = structlog.get_logger("simulators.modbus")


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
            if self._units.any_has("hang-up"):
                writer.transport.abort()
                return
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
    """A serial line with several units, on a pty."""

    def __init__(self, id_: str, bus: ModbusRtuBus, site: SimSite, folder: Path, *, paced: bool) -> None:
        self.id = id_
        self._pty = Pty(folder / id_, self._received)
        self._line = Line(id_, bus, site, self._pty.write, paced=paced)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Opens the line under its stable name; the wires entry."""
        self._pty.open()
        self._line.open()
        return {"port": str(self._pty.link), "parity": "N"}

    async def attend(self) -> None:
        """Follows the faults."""
        self._line.attend()

    async def close(self) -> None:
        """Unplugs the line."""
        await self._line.close()
        self._pty.close()

    def _received(self, data: bytes) -> None:
        self._line.received(data)


class ModbusRtuTcpWire:
    """A serial line with several units behind a converter that passes bytes through; all its peers hear all of it."""

    def __init__(self, id_: str, bus: ModbusRtuTcpBus, site: SimSite, *, paced: bool) -> None:
        self.id = id_
        self._end = TcpEnd(self._serve)
        self._line = Line(id_, bus, site, self._tell, paced=paced)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Listens; the wires entry."""
        await self._end.open(before.get("port"))
        self._line.open()
        return {"host": LOOPBACK, "port": self._end.port}

    async def attend(self) -> None:
        """Follows the faults."""
        await self._end.set_online(not self._line.units.all_offline())
        self._line.attend()

    async def close(self) -> None:
        """Hangs up."""
        await self._line.close()
        await self._end.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            if self._line.units.any_has("hang-up"):
                writer.transport.abort()
                return
            self._line.received(data)

    def _tell(self, data: bytes) -> None:
        for peer in self._end.peers:
            _send(peer, data)
