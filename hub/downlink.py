"""What goes down to gateways. Nothing waits for a broker that is away: what mattered is found at the next birth."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple, Protocol

import msgspec
import structlog
from prometheus_client import Counter

from contract import topics, wire
from contract.errors import TooLarge
from contract.presence import Presence
from contract.versions import LOWEST, readable

log = structlog.get_logger(__name__)

SENT = Counter("gatehouse_downlink_messages", "Messages to gateways", ["kind"])
UNSENT = Counter("gatehouse_downlink_unsent", "Messages to gateways that could not be handed to the broker", ["kind"])

MOST_WAITING = 20_000


class Send(Protocol):
    """Sends a message to a gateway."""

    def __call__(self, gateway: str, kind: topics.DownKind, message: msgspec.Struct) -> bool:
        """False if it was not taken (no broker, too many waiting); whoever calls must be able to live with it."""


class Outgoing(NamedTuple):
    """One message on its way to the broker."""

    topic: str
    payload: bytes


class Downlink:
    """Messages for the broker, in order, while there is a connection to it; to each gateway in a version it reads."""

    def __init__(self) -> None:
        self._waiting: deque[Outgoing] = deque()
        self._reads: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._open = False

    def __call__(self, gateway: str, kind: topics.DownKind, message: msgspec.Struct) -> bool:
        """Hand `message` over to be published; see `Send`."""
        if not self._open or len(self._waiting) >= MOST_WAITING:
            UNSENT.labels(kind).inc()
            return False
        try:
            # What every gateway reads, until this one has said what it reads.
            payload = wire.encode(message, version=self._reads.get(gateway, LOWEST))
        except TooLarge as error:
            # Not the broker's absence: the same message will never go.
            log.error("downlink.too_large", gateway=gateway, kind=kind, error=str(error))  # noqa: TRY400 - no fault of code
            UNSENT.labels(kind).inc()
            return False
        self._waiting.append(Outgoing(topics.down(gateway, kind), payload))
        SENT.labels(kind).inc()
        self._wake.set()
        return True

    def heard(self, gateway: str, site: str, presence: Presence) -> None:
        """A gateway said which version it reads."""
        self._reads[gateway] = readable(presence.reads)

    def open(self) -> None:
        """There is a connection."""
        self._open = True

    def shut(self) -> None:
        """The connection is gone, and with it what waited."""
        self._open = False
        self._waiting.clear()

    async def next(self) -> Outgoing:
        """Wait for the next message."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()
