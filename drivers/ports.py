"""Opens the two wires that bytes come along: a serial line, and a TCP endpoint that the gateway dials."""

from __future__ import annotations

import asyncio
import termios
from collections.abc import Awaitable, Callable
from typing import Protocol

from drivers.connections import check_parity, keep_alive

CONNECT_S = 3.0


class Opener(Protocol):
    """Opens a wire and hands its bytes to a protocol. Raises `OSError`."""

    name: str

    def __call__(self, protocol: Callable[[], asyncio.Protocol]) -> Awaitable[asyncio.BaseTransport]: ...


class TcpOpener:
    """Dials a TCP endpoint, with keepalive."""

    def __init__(self, host: str, port: int) -> None:
        self.name = f"{host}:{port}"
        self._host = host
        self._port = port

    async def __call__(self, protocol: Callable[[], asyncio.Protocol]) -> asyncio.BaseTransport:
        """Connects within `CONNECT_S`."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            transport, _ = await loop.create_connection(protocol, self._host, self._port)
        # A reader says nothing for hours: only the system's own probes tell that the line is dead.
        keep_alive(transport)
        return transport


class SerialOpener:
    """Opens a serial line for this process alone."""

    def __init__(self, port: str, *, baud: int, parity: str, stop_bits: int = 1) -> None:
        self.name = port
        self._baud = baud
        self._parity = parity
        self._stop_bits = stop_bits

    async def __call__(self, protocol: Callable[[], asyncio.Protocol]) -> asyncio.BaseTransport:
        """Opens the port."""
        import serial_asyncio_fast  # noqa: PLC0415 - only gateways with serial readers need it

        try:
            transport, _ = await serial_asyncio_fast.create_serial_connection(
                asyncio.get_running_loop(),
                protocol,
                self.name,
                baudrate=self._baud,
                parity=self._parity,
                stopbits=self._stop_bits,
                exclusive=True,
            )
        except (termios.error, ValueError) as wrong:
            raise OSError(str(wrong)) from wrong
        if self._parity != "N":
            assert transport.serial is not None
            try:
                check_parity(transport.serial.fileno())
            except termios.error as wrong:
                transport.abort()
                raise OSError(str(wrong)) from wrong
        return transport
