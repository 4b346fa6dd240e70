"""The wire to OSDP readers: a serial port of this process alone, or a TCP connection to a converter. Non-blocking."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import termios
from collections.abc import Awaitable
from typing import Final, Protocol

READ_SIZE: Final = 4096
CONNECT_S: Final = 3.0
KEEPALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class Port(Protocol):
    """An open wire. Raises `OSError` when it is gone."""

    def fileno(self) -> int:
        """What an event loop watches."""

    def read(self) -> bytes:
        """What has come; b"" if nothing has."""

    def write(self, data: bytes) -> None:
        """Sends all of it."""

    def close(self) -> None:
        """Lets the wire go."""


class Opener(Protocol):
    """Opens a wire, as often as it has to be opened again. Raises `OSError`."""

    name: str
    guard_s: float
    """Silence between two frames: two characters (OSDP 2.2, section 5.7)."""
    doubted_after_s: float | None
    """A wire on which nobody answers for so long is opened again; None: it tells by itself that it is gone."""

    def __call__(self) -> Awaitable[Port]: ...


class SerialOpener:
    """A serial port, 8N1."""

    doubted_after_s: float | None = None

    def __init__(self, port: str, baud: int) -> None:
        self.name = port
        self.guard_s = 20 / baud
        self._baud = baud

    async def __call__(self) -> Port:
        """Opens the port for this process alone; the system may take its time."""
        return await asyncio.to_thread(self._open)

    def _open(self) -> Port:
        import serial  # type: ignore[import-untyped]  # noqa: PLC0415 - only gateways with serial readers need it

        try:
            line = serial.Serial(self.name, self._baud, timeout=0, exclusive=True)
        except (termios.error, ValueError) as wrong:
            raise OSError(str(wrong)) from wrong
        with contextlib.suppress(OSError, ValueError, NotImplementedError, AttributeError):
            # USB adapters gather bytes for 16 ms otherwise.
            line.set_low_latency_mode(True)
        return _SerialPort(line)


class _Line(Protocol):
    """A port of pyserial."""

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class _SerialPort:
    def __init__(self, line: _Line) -> None:
        self._line = line
        self._fd: int = line.fileno()

    def fileno(self) -> int:
        return self._fd

    def read(self) -> bytes:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError("the port was unplugged")
        return data

    def write(self, data: bytes) -> None:
        if os.write(self._fd, data) != len(data):
            raise OSError("the port takes no more bytes")

    def close(self) -> None:
        self._line.close()


class TcpOpener:
    """A serial-to-TCP converter that passes the bytes of a line through."""

    guard_s: float = 0.0
    doubted_after_s: float | None = 20.0

    def __init__(self, host: str, port: int) -> None:
        self.name = f"{host}:{port}"
        self._host = host
        self._port = port

    async def __call__(self) -> Port:
        """Connects within `CONNECT_S`."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            family, kind, proto, _, address = found[0]
            connection = socket.socket(family, kind, proto)
            try:
                connection.setblocking(False)
                await loop.sock_connect(connection, address)
            except (OSError, asyncio.CancelledError):
                connection.close()
                raise
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE.items():
            if hasattr(socket, option):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        return _TcpPort(connection)


class _TcpPort:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def fileno(self) -> int:
        return self._connection.fileno()

    def read(self) -> bytes:
        try:
            data = self._connection.recv(READ_SIZE)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError("the converter hung up")
        return data

    def write(self, data: bytes) -> None:
        if self._connection.send(data) != len(data):
            raise OSError("the converter takes no more bytes")

    def close(self) -> None:
        self._connection.close()
