"""Ends of wires on this machine: TCP ports that stay the same over a restart, ptys behind stable names."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import tty
from collections.abc import Awaitable, Callable
from pathlib import Path

LOOPBACK = "127.0.0.1"


LISTENING_PORTS = range(20_000, 32_000)
"""Below Linux' range for outgoing connections (ip_local_port_range begins at 32768): whoever leaves the network and
comes back finds his port free."""

TRIED = 100


def listening_socket(preferred: int | None) -> socket.socket:
    """A listening socket on loopback, on the preferred port if it is free and on any free port otherwise."""
    first = () if preferred is None else (preferred,)
    for port in (*first, *random.sample(LISTENING_PORTS, TRIED), 0):
        with contextlib.suppress(OSError):
            return socket_on(port)
    raise OSError("no free port on loopback")


def socket_on(port: int) -> socket.socket:
    """A listening socket on this port of loopback. Raises `OSError` if somebody else has it."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
        found.listen(16)
    except OSError:
        found.close()
        raise
    found.setblocking(False)
    return found


class Pty:
    """A serial line whose other end is a file name. Bytes that nobody reads are dropped, as on a real line."""

    def __init__(self, link: Path, received: Callable[[bytes], None]) -> None:
        self.link = link
        self._received = received
        self._master = -1
        self._slave = -1

    def open(self) -> None:
        """Opens the pair and points the name at it."""
        self._master, self._slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link.with_name(self.link.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def write(self, data: bytes) -> int:
        """Puts bytes on the line; tells how many went out."""
        if self._master < 0:
            return 0
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Takes the line away; its name is left dangling, so that a gateway sees an unplugged port."""
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1
        with contextlib.suppress(FileNotFoundError):
            self.link.unlink()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._received(os.read(self._master, 4096))


class TcpEnd:
    """A TCP server on one port that can be taken off the network and put back on the same port."""

    def __init__(self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._peers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @property
    def peers(self) -> frozenset[asyncio.StreamWriter]:
        """Who is connected now."""
        return frozenset(self._peers)

    async def open(self, preferred: int | None) -> None:
        """Listens on the preferred port, or on any."""
        await self._listen(listening_socket(preferred))

    async def _listen(self, sock: socket.socket) -> None:
        self.port = sock.getsockname()[1]
        self._server = await asyncio.start_server(self._connected, sock=sock)

    async def set_online(self, online: bool) -> None:
        """Takes the server off the network, or puts it back where it was: as soon as nobody else has its port."""
        if online and self._server is None:
            with contextlib.suppress(OSError):
                await self._listen(socket_on(self.port))
        elif not online and self._server is not None:
            await self.close()

    async def close(self) -> None:
        """Stops listening and hangs up on everybody."""
        if self._server is None:
            return
        self._server.close()
        for peer in list(self._peers):
            peer.transport.abort()
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._peers.add(writer)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._peers.discard(writer)
            writer.close()
