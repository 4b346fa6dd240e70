"""A bare MQTT listener: takes what clients publish, acknowledges it and keeps nothing. No broker could cost them less.

MQTT 3.1.1 and 5.0 (OASIS), sections 3.1 to 3.14, as far as a publishing client needs it: QoS 0 and 1, no retained
messages, no filters (whoever is connected gets what `say` sends), no properties of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 10, 12, 14

OnPublish = Callable[[str, bytes], None]


class Listener:
    """Listens on `port` of loopback after `open`; `heard(topic, payload)` is called for every message."""

    def __init__(self, heard: OnPublish) -> None:
        self.port = 0
        self.connected = asyncio.Event()
        self._heard = heard
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listens on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Hangs up on everybody."""
        assert self._server is not None
        self._server.close()
        for client in list(self._clients):
            client.hang_up()

    def say(self, topic: str, payload: bytes) -> None:
        """Publishes to whoever is connected, with QoS 0."""
        name = topic.encode()
        for client in self._clients:
            client.write(PUBLISH, 0, len(name).to_bytes(2, "big") + name + client.nothing + payload)

    def took(self, topic: str, payload: bytes) -> None:
        """A message came."""
        self._heard(topic, payload)

    def came(self, client: _Client) -> None:
        """A client has connected."""
        self._clients.add(client)
        self.connected.set()

    def left(self, client: _Client) -> None:
        """A client is gone."""
        self._clients.discard(client)


class _Client(asyncio.Protocol):
    def __init__(self, listener: Listener) -> None:
        self.nothing = b""
        """An empty list of properties, as its version of the protocol writes it."""
        self._listener = listener
        self._held = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not checked: uvloop's transports are of its own class.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.left(self)

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (head := _number(self._held, 1)) is not None:
            size, begin = head
            if len(self._held) < begin + size:
                return
            first, body = self._held[0], bytes(self._held[begin : begin + size])
            del self._held[: begin + size]
            self._packet(first >> 4, first & 0x0F, body)

    def write(self, kind: int, flags: int, body: bytes) -> None:
        """One packet."""
        assert self._transport is not None
        size, head = len(body), bytearray([kind << 4 | flags])
        while True:
            size, part = size >> 7, size & 0x7F
            head.append(part | (0x80 if size else 0))
            if not size:
                break
        self._transport.write(bytes(head) + body)

    def hang_up(self) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.close()

    def _packet(self, kind: int, flags: int, body: bytes) -> None:
        if kind == CONNECT:
            self.nothing = b"\0" if body[6] == 5 else b""
            self.write(2, 0, b"\0\0" + self.nothing)
            self._listener.came(self)
        elif kind == PUBLISH:
            end = 2 + int.from_bytes(body[:2], "big")
            topic, start = body[2:end].decode(), end
            if flags & 0x06:
                self.write(PUBACK, 0, body[end : end + 2])
                start += 2
            self._listener.took(topic, body[self._after_properties(body, start) :])
        elif kind == SUBSCRIBE:
            granted, at = bytearray(), self._after_properties(body, 2)
            while at < len(body):
                at += 2 + int.from_bytes(body[at : at + 2], "big")
                granted.append(min(body[at] & 3, 1))
                at += 1
            self.write(9, 0, body[:2] + self.nothing + granted)
        elif kind == UNSUBSCRIBE:
            self.write(11, 0, body[:2] + (b"\0\0" if self.nothing else b""))
        elif kind == PINGREQ:
            self.write(13, 0, b"")
        elif kind == DISCONNECT:
            self.hang_up()

    def _after_properties(self, body: bytes, at: int) -> int:
        if not self.nothing:
            return at
        found = _number(body, at)
        return at if found is None else sum(found)


def _number(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """A variable byte integer at `at` (section 1.5.5) and where it ends; None while it is not there whole."""
    value = 0
    for place in range(4):
        if at + place >= len(data):
            return None
        value |= (data[at + place] & 0x7F) << 7 * place
        if not data[at + place] & 0x80:
            return value, at + place + 1
    raise ValueError("not MQTT")
