"""The reader's end of a line: a TCP server that the gateway dials, or a pty."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulators.ends import Ends
from simulators.ports import LOOPBACK, Pty, TcpEnd
from simulators.site import SimSite


class NobodyListens(ConnectionError):
    """The gateway is not connected: a card that is presented now is seen by nobody."""


class LineTcpWire:
    """One reader over TCP. What the gateway sends is read and dropped."""

    def __init__(self, id_: str, reader: str, site: SimSite) -> None:
        self.id = id_
        self._reader = reader
        self._site = site
        self._end = TcpEnd(_swallow)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Listens; the wires entry."""
        await self._end.open(before.get("port"))
        return {"host": LOOPBACK, "port": self._end.port}

    async def send(self, line: bytes) -> None:
        """Puts a line on the wire; `NobodyListens` if there is no gateway."""
        peers = self._end.peers
        if not peers:
            raise NobodyListens(f"nobody is connected to the reader {self._reader}")
        for peer in peers:
            peer.write(line)
        await asyncio.gather(*(peer.drain() for peer in peers))

    async def attend(self) -> None:
        """Follows the faults."""
        await self._end.set_online(not self._site.faults.has(self._reader, "offline"))
        if self._site.faults.has(self._reader, "noise"):
            for peer in self._end.peers:
                peer.write(os.urandom(24))

    async def close(self) -> None:
        """Hangs up."""
        await self._end.close()


class LineSerialWire:
    """One reader on a serial line."""

    def __init__(self, id_: str, reader: str, site: SimSite, folder: Path) -> None:
        self.id = id_
        self._reader = reader
        self._site = site
        self._pty = Pty(folder / id_, lambda _: None)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Opens the line under its stable name; the wires entry."""
        self._pty.open()
        return {"port": str(self._pty.link), "parity": "N"}

    async def send(self, line: bytes) -> None:
        """Puts a line on the wire; `NobodyListens` if the line is full of what nobody read."""
        if self._pty.write(line) != len(line):
            raise NobodyListens(f"nobody reads the line of the reader {self._reader}")

    async def attend(self) -> None:
        """Noise comes whether somebody shows a card or not."""
        if self._site.faults.has(self._reader, "noise"):
            self._pty.write(os.urandom(24))

    async def close(self) -> None:
        """Unplugs the line."""
        self._pty.close()


async def _swallow(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


WIRES = Ends(
    {
        "line-tcp": lambda of: LineTcpWire(of.id, of.on_bus[0], of.site),
        "line-serial": lambda of: LineSerialWire(of.id, of.on_bus[0], of.site, of.folder),
    }
)
