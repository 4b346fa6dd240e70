"""The readers' end of a line: a pty, or a TCP server in the place of a converter. All of them hear everything."""

from __future__ import annotations

import asyncio
import os
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from drivers.osdp.codec import EVERYBODY, Frame, Frames
from drivers.osdp.wires import OsdpSerialBus
from simulators.ends import Ends, Setting, Wire
from simulators.osdp.reader import SimReader
from simulators.ports import LOOPBACK, Pty, TcpEnd
from simulators.site import SimSite


class OsdpReaders:
    """The readers of one line, by their addresses. A line where one of them makes noise is noisy for all."""

    def __init__(self, on_bus: list[str], site: SimSite, folder: Path) -> None:
        self.readers = {id_: SimReader(site.devices[id_], site.faults, folder) for id_ in on_bus}
        self._site = site

    def reader(self, id_: str) -> SimReader:
        """One of them."""
        return self.readers[id_]

    def hear(self, frames: Frames, data: bytes, say: Callable[[bytes], object]) -> None:
        """Bytes of the gateway; `say` takes what a reader answers."""
        for found in frames.feed(data, time.monotonic()):
            if isinstance(found, Frame) and not found.reply:
                for reader in self.readers.values():
                    if found.address in (reader.address, EVERYBODY):
                        said = reader.heard(found)
                        if said:
                            say(said)

    def attend(self) -> bytes:
        """Follows the faults; the noise that is on the line now."""
        for reader in self.readers.values():
            reader.attend()
        return os.urandom(24) if any(self._site.faults.has(id_, "noise") for id_ in self.readers) else b""


class _Readers:
    """What people do at the readers of a line."""

    readers: OsdpReaders

    async def present(self, reader: str, card: str) -> bool:
        """Shows a card; False if the reader keeps it to itself. `CannotRead` if it reads no such card."""
        return self.readers.reader(reader).present(card)

    def type_keys(self, reader: str, keys: str) -> bool:
        """Types at a reader's keypad. `CannotRead` if it has none, or not such keys."""
        return self.readers.reader(reader).type(keys)


class OsdpSerialWire(_Readers):
    """A serial line with readers. `pace`: seconds that each byte takes on it; 0: none."""

    def __init__(self, id_: str, on_bus: list[str], site: SimSite, folder: Path, *, pace: float = 0.0) -> None:
        self.id = id_
        self._pace = pace
        self.readers = OsdpReaders(on_bus, site, folder)
        self._frames = Frames()
        self._pty = Pty(folder / id_, self._received)

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Opens the line under its stable name; the wires entry."""
        self._pty.open()
        return {"port": str(self._pty.link)}

    async def attend(self) -> None:
        """Noise comes whether the gateway speaks or not."""
        noise = self.readers.attend()
        if noise:
            self._pty.write(noise)

    async def close(self) -> None:
        """Unplugs the line."""
        self._pty.close()

    def _received(self, data: bytes) -> None:
        self.readers.hear(self._frames, data, partial(self._say, len(data)))

    def _say(self, heard: int, said: bytes) -> None:
        if self._pace:
            # What was asked took its time as well.
            asyncio.get_running_loop().call_later((heard + len(said)) * self._pace, self._pty.write, said)
        else:
            self._pty.write(said)


class OsdpTcpWire(_Readers):
    """A line with readers behind a serial-to-TCP converter."""

    def __init__(self, id_: str, on_bus: list[str], site: SimSite, folder: Path) -> None:
        self.id = id_
        self.readers = OsdpReaders(on_bus, site, folder)
        self._end = TcpEnd(self._serve)

    @property
    def port(self) -> int:
        """Where it listens, and listens again."""
        return self._end.port

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Listens; the wires entry."""
        await self._end.open(before.get("port"))
        return {"host": LOOPBACK, "port": self._end.port}

    async def attend(self) -> None:
        """Noise comes whether the gateway speaks or not."""
        noise = self.readers.attend()
        if noise:
            for peer in self._end.peers:
                peer.write(noise)

    async def close(self) -> None:
        """Hangs up."""
        await self._end.close()

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        frames = Frames()
        while data := await reader.read(4096):
            self.readers.hear(frames, data, writer.write)


def _serial(of: Setting) -> Wire:
    pace = 10 / of.part(OsdpSerialBus).baud if of.paced else 0.0
    return OsdpSerialWire(of.id, of.on_bus, of.site, of.folder, pace=pace)


WIRES = Ends({"osdp-serial": _serial, "osdp-tcp": lambda of: OsdpTcpWire(of.id, of.on_bus, of.site, of.folder)})
