"""The bounded hand-over between broker and database. What does not fit is dropped: its gateway sends it again.

Gateways have their turns by what their messages have cost so far: one that sends much, or little that unpacks to much,
waits for its own, and the others go before it. The messages of one gateway keep their order.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter as Tally
from collections import deque
from collections.abc import Sequence
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
    """Messages of each gateway in the order in which they came, at most `limit` bytes of all of them."""

    def __init__(self, lane: str, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[str, deque[Message]] = {}
        self._spent: dict[str, int] = {}
        """What each gateway's messages have cost, as far as it is ahead of `_now`."""
        self._turns: list[tuple[int, int, str]] = []
        """(spent, order, gateway) of each gateway that has messages: a heap."""
        self._now = 0
        self._order = 0
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
        self._queue(gateway).append(message)
        self._count(gateway, size)
        self._wake.set()
        return True

    async def take(self, most_bytes: int) -> list[Message]:
        """Wait for at least one message; then what is there, up to about `most_bytes`, the cheapest gateway first."""
        while not self._turns:
            self._wake.clear()
            await self._wake.wait()
        taken: list[Message] = []
        room = most_bytes
        while self._turns and (room > 0 or not taken):
            gateway = self._next()
            message = self._waiting[gateway].popleft()
            size = _size(message)
            room -= size
            self._count(gateway, -size)
            self.charge(gateway, size)
            self._again(gateway)
            taken.append(message)
        return taken

    def give_back(self, messages: Sequence[Message]) -> None:
        """Take back what was taken last of all and not looked at; each gateway's come before what it sent since."""
        for message in reversed(messages):
            gateway, size = message.topic.gateway, _size(message)
            self._queue(gateway).appendleft(message)
            self._count(gateway, size)
            self.charge(gateway, -size)

    def charge(self, gateway: str, cost: int) -> None:
        """What a gateway's messages cost beyond their size, once that is known."""
        self._spent[gateway] = max(self._spent.get(gateway, 0), self._now) + cost

    def _queue(self, gateway: str) -> deque[Message]:
        """The gateway's messages; if it had none, it has its turn from now on."""
        queue = self._waiting.get(gateway)
        if queue is None:
            queue = self._waiting[gateway] = deque()
            self._push(gateway)
        return queue

    def _next(self) -> str:
        """Whose turn it is."""
        while True:
            spent, _, gateway = heapq.heappop(self._turns)
            if spent >= self._spent.get(gateway, 0):
                self._now = max(self._now, spent)
                return gateway
            self._push(gateway)  # it was charged meanwhile

    def _again(self, gateway: str) -> None:
        if self._waiting[gateway]:
            self._push(gateway)
            return
        del self._waiting[gateway]
        if not self._waiting:
            # Who is not ahead of the others begins with them anyway.
            self._spent = {name: spent for name, spent in self._spent.items() if spent > self._now}

    def _push(self, gateway: str) -> None:
        self._order += 1
        heapq.heappush(self._turns, (max(self._spent.get(gateway, 0), self._now), self._order, gateway))

    def _count(self, gateway: str, size: int) -> None:
        self._bytes += size
        self._by_gateway[gateway] += size
        if self._by_gateway[gateway] <= 0:
            del self._by_gateway[gateway]
        self._gauge.set(self._bytes)


def _size(message: Message) -> int:
    return len(message.payload) + _OVERHEAD
