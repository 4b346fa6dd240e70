"""The reader's end of a line: a TCP server that the gateway dials, or a pty."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drivers.lines.codec import as_installed
from drivers.lines.product import line_of as form_of
from simulators.ends import Ends, NobodyListens
from simulators.lines.text import card_line, garbled
from simulators.ports import LOOPBACK, Pty, TcpEnd
from simulators.site import SimSite


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

    async def present(self, reader: str, card: str) -> bool:
        """Shows a card; `NobodyListens` if there is no gateway."""
        line = line_of(self._site, reader, card)
        if line:
            await self.send(line)
        return bool(line)

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

    async def present(self, reader: str, card: str) -> bool:
        """Shows a card; `NobodyListens` if the line is full of what nobody read."""
        line = line_of(self._site, reader, card)
        if line:
            await self.send(line)
        return bool(line)

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


def line_of(site: SimSite, reader: str, card: str) -> bytes:
    """What a reader sends for a card; b"" if a fault keeps it quiet. `CannotRead` if it reads no such card."""
    device = site.reader(reader)
    form = form_of(device.profile)
    assert form is not None
    line = card_line(card, as_installed(form, device.config.card))
    if site.faults.any_of(reader, "silent", "offline"):
        return b""
    return garbled(line) if site.faults.has(reader, "corrupt") else line


async def _swallow(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


WIRES = Ends(
    {
        "line-tcp": lambda of: LineTcpWire(of.id, of.on_bus[0], of.site),
        "line-serial": lambda of: LineSerialWire(of.id, of.on_bus[0], of.site, of.folder),
    }
)
