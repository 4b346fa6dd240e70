"""How TCP connections to devices and converters are kept, and how every wire is ended."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import termios
from typing import cast

IDLE_S, EVERY_S, PROBES = 10, 5, 3
"""A connection on which nothing moves is probed by the kernel: gone is noticed after `IDLE_S + PROBES * EVERY_S`."""


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Sends each request at once, and notices that the other end is gone while nothing is asked."""
    connection = transport.get_extra_info("socket")
    if connection is None:
        return
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", None), IDLE_S),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", None), EVERY_S),
        (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", None), PROBES),
    ):
        if option is not None:
            with contextlib.suppress(OSError, ValueError):  # gone already, or a system without it
                connection.setsockopt(level, option, value)


def tear_down(transport: asyncio.BaseTransport) -> None:
    """Ends a connection or serial port: neither this process nor the kernel sends anything more of it.

    A closed socket still sends what the network has not taken: a pulse would go out whenever that comes back.
    """
    connection, port = transport.get_extra_info("socket"), transport.get_extra_info("serial")
    # Gone already: uvloop's sockets of closed connections have the descriptor -1, which is no OSError.
    with contextlib.suppress(OSError, ValueError, termios.error):
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if port is not None:
            port.reset_output_buffer()
    cast("asyncio.Transport", transport).abort()  # uvloop's transports only look like it


def check_parity(fd: int) -> None:
    """Has the kernel drop each byte whose parity is wrong, so that its frame is too short to be believed.

    pyserial sends parity and ignores it when it reads (INPCK off): of two bits that a disturbance turned in opposite
    directions, a sum modulo 256 says nothing, while each of their bytes has the wrong parity (termios(3)).
    """
    attributes = termios.tcgetattr(fd)
    attributes[0] |= termios.INPCK | termios.IGNPAR
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
