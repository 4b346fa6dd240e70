"""The bounded hand-over between broker and database. What does not fit is dropped: its gateway sends it again."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections import deque
from typing import NamedTuple

from prometheus_client import Counter, Gauge

from contract.topics import UpTopic

DROPPED = Counter("gatehouse_ingest_dropped", "Messages dropped because the database was slower", ["lane"])
WAITING = Gauge("gatehouse_ingest_waiting_bytes", "Bytes that wait for the database", ["lane"])

_OVERHEAD = 300
"""Bytes that a message costs beside its payload."""

_SHARE = 4
"""No gateway may fill more than one part in so many."""


class Message(NamedTuple):
    """One message as it came. `at_ms`: when it was received."""

    topic: UpTopic
    payload: bytes
    at_ms: int


class Handover:
    """Messages in the order in which they came, at most `limit` bytes of them."""

    def __init__(self, lane: str, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[Message] = deque()
        self._by_gateway: Tally[str] = Tally()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._dropped = DROPPED.labels(lane)
        self._gauge = WAITING.labels(lane)

    def put(self, message: Message) -> bool:
        """Hand a message over; False if it had to be dropped."""
        size = _size(message)
        gateway = message.topic.gateway
        share = self._limit // _SHARE
        full = self._bytes + size > self._limit or self._by_gateway[gateway] + size > share
        if full and self._bytes > 0:
            self._dropped.inc()
            return False
        self._waiting.append(message)
        self._count(gateway, size)
        self._wake.set()
        return True

    async def take(self, most_bytes: int) -> list[Message]:
        """Wait for at least one message; then what is there, up to about `most_bytes`."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        taken: list[Message] = []
        room = most_bytes
        while self._waiting and (room > 0 or not taken):
            message = self._waiting.popleft()
            room -= _size(message)
            self._count(message.topic.gateway, -_size(message))
            taken.append(message)
        return taken

    def _count(self, gateway: str, size: int) -> None:
        self._bytes += size
        self._by_gateway[gateway] += size
        if self._by_gateway[gateway] <= 0:
            del self._by_gateway[gateway]
        self._gauge.set(self._bytes)


def _size(message: Message) -> int:
    return len(message.payload) + _OVERHEAD
