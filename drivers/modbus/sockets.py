"""How TCP connections to Modbus endpoints are kept and ended."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
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
            with contextlib.suppress(OSError):  # gone already, or a system without it
                connection.setsockopt(level, option, value)


def tear_down(transport: asyncio.BaseTransport) -> None:
    """Resets a connection: neither this process nor the kernel sends anything more of it.

    A closed socket still sends what the network has not taken: a pulse would go out whenever that comes back.
    """
    connection = transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # gone already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    cast("asyncio.Transport", transport).abort()  # uvloop's transports only look like it
