"""Commands on their way down: sent when asked, again at each birth, and called expired when their time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from contract.presence import Presence
from hub.commands import service
from hub.commands.service import ANSWER_GRACE
from hub.database.failures import passes
from hub.database.transactions import Database, Outcome
from hub.downlink import Send

log = structlog.get_logger(__name__)

RETRY_S = 1.0


class CommandSending:
    """Wakes when a command was asked, a gateway was born, the broker is back, or the next expiry is due."""

    def __init__(self, database: Database, send: Send, *, now_ms: Callable[[], int]) -> None:
        self._database = database
        self._send = send
        self._now_ms = now_ms
        self._asked: set[str] = set()
        self._born: set[str] = set()
        self._everyone = True
        self._wake = asyncio.Event()
        self._handed: set[str] = set()
        self._since: datetime | None = None

    def told(self, done: Outcome) -> None:
        """A transaction was committed."""
        if done.commands:
            self._asked |= done.commands
            self._wake.set()

    def heard(self, gateway: str, site: str, presence: Presence) -> None:
        """A gateway gave a sign of life; after a birth it has forgotten what it did not put on its disk."""
        if presence.state == "birth":
            self._born.add(gateway)
            self._wake.set()

    def connected(self) -> None:
        """The broker is there (again): what could not be sent can be now."""
        self._everyone = True
        self._wake.set()

    async def run(self) -> None:
        """Send and expire until cancelled."""
        while True:
            self._wake.clear()
            try:
                wait_s = await self.turn()
            except Exception as error:
                if not passes(error):
                    log.exception("commands.turn")
                wait_s = RETRY_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def turn(self) -> float | None:
        """Send what is to be sent and expire what is over; seconds until the next expiry, None if there is none."""
        asked, born, everyone = set(self._asked), set(self._born), self._everyone
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        self._since = self._since or now
        async with self._database.transaction() as conn:
            rows = await service.to_send(conn, await service.waiting(conn) if everyone else asked, born, now)
            expiry = await service.next_expiry(conn)
        # Kept until it is committed that they were sent: nobody may say of them that they never were.
        self._handed |= {row.id for row in rows if self._send(row.gateway, "command", service.message(row))}
        overdue = expiry is not None and expiry + ANSWER_GRACE <= now
        if self._handed or overdue:
            async with self._database.transaction(writes=True) as conn:
                await service.sent(conn, sorted(self._handed), now)
                if overdue:
                    await service.expire(conn, now, since=self._since)
                expiry = await service.next_expiry(conn)
        self._handed.clear()
        self._asked -= asked
        self._born -= born
        self._everyone = self._everyone and not everyone
        return None if expiry is None else max((expiry + ANSWER_GRACE - now).total_seconds(), 0.05)
