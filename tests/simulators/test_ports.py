"""Ends of wires on this machine: where they listen, and that they come back where they were."""

from __future__ import annotations

import asyncio
import socket

import pytest

from simulators.ports import LISTENING_PORTS, LOOPBACK, TcpEnd, listening_socket, socket_on


async def _nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_an_end_comes_back_where_it_was_or_not_at_all() -> None:
    end = TcpEnd(_nothing)
    await end.open(None)
    port = end.port
    await end.set_online(False)
    with socket_on(port):
        await end.set_online(True)
        assert end.port == port
        with pytest.raises(OSError, match=r"in use"):
            socket_on(port)  # it is still the other one's
    await end.set_online(True)
    _, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.close()
    await end.close()


def test_ports_are_none_that_outgoing_connections_get() -> None:
    with listening_socket(None) as found:
        assert found.getsockname()[1] in LISTENING_PORTS


def test_a_preferred_port_that_is_taken_is_replaced() -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        with listening_socket(other.getsockname()[1]) as found:
            assert found.getsockname()[1] != other.getsockname()[1]
