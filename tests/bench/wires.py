"""The other end of a gateway's wires, as bare as can be: line readers and relay boards that note when bytes come.

Nothing here is Gatehouse's own code, so that what is measured is all there is between two sockets.
"""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import Callable
from typing import cast


class Reader:
    """A card reader on TCP: the gateway dials, `present` writes one line."""

    def __init__(self) -> None:
        self.port = 0
        self.dialled = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    async def open(self) -> None:
        """Listens on a free port."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    def present(self, card: str) -> float:
        """Writes the card's line; the moment (s, monotonic) just before its last byte can be read."""
        assert self._writer is not None
        line = card.encode() + b"\r\n"
        at = time.perf_counter()
        self._writer.write(line)
        return at

    def drop(self) -> None:
        """Its network fails for a moment: the connection is gone, `dialled` says when the gateway is back."""
        assert self._writer is not None
        self.dialled.clear()
        self._writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.dialled.set()
        await reader.read()


class Board(asyncio.Protocol):
    """A Modbus TCP relay board that answers everything (MODBUS Messaging on TCP/IP, 1.0b, section 3.1)."""

    def __init__(self, on_coil: Callable[[int, int, float], None]) -> None:
        self._on_coil = on_coil
        self._pending = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: uvloop's transports are of its own class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        at = time.perf_counter()
        self._pending += data
        while len(self._pending) >= 7:
            size = 6 + struct.unpack_from(">H", self._pending, 4)[0]
            if len(self._pending) < size:
                return
            frame, self._pending = self._pending[:size], self._pending[size:]
            self._answer(frame, at)

    def _answer(self, frame: bytes, at: float) -> None:
        transaction, _, _, unit, function = struct.unpack_from(">HHHBB", frame)
        address, count = struct.unpack_from(">HH", frame, 8)
        if function == 5:
            self._on_coil(address, count, at)
            body = frame[7:12]
        elif function in {1, 2}:
            size = (count + 7) // 8
            body = bytes([function, size]) + bytes(size)
        elif function in {3, 4}:
            body = bytes([function, 2 * count]) + bytes(2 * count)
        else:
            body = frame[7:12]
        assert self._transport is not None
        self._transport.write(struct.pack(">HHHB", transaction, 0, len(body) + 1, unit) + body)


async def open_board(on_coil: Callable[[int, int, float], None]) -> int:
    """A board on a free port. `on_coil(address, value, at)` is called for every single-coil write."""
    server = await asyncio.get_running_loop().create_server(lambda: Board(on_coil), "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    return port
