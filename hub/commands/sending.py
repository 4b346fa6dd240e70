"""Commands on their way down: sent when asked, again at each birth, and called expired when their time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from contract.presence import Presence
from contract.texts import Text
from hub.commands import service
from hub.commands.service import ANSWER_GRACE
from hub.database.failures import passes
from hub.database.transactions import Database, Outcome
from hub.downlink import Send
from hub.jobs.job import Again, Done, Job, Result, Retry, Work

log = structlog.get_logger(__name__)

RETRY_S = 1.0


class CommandSending:
    """Wakes when a command was asked, a gateway was born, or the broker is back.

    `together`: until when another hub process was there, None if none ever was.
    """

    def __init__(
        self,
        database: Database,
        send: Send,
        *,
        now_ms: Callable[[], int],
        together: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        self._database = database
        self._send = send
        self._now_ms = now_ms
        self._asked: set[str] = set()
        self._born: set[str] = set()
        self._everyone = True
        self._wake = asyncio.Event()
        self._handed: set[str] = set()
        self._together = together
        self._since: datetime | None = None
        # Whoever calls a command expired must know whether it is just being sent.
        self._alone = asyncio.Lock()

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
        """Send until cancelled."""
        while True:
            self._wake.clear()
            wait_s = None
            try:
                await self.turn()
            except Exception as error:  # whatever it was, the next turn must come
                if not passes(error):
                    log.exception("commands.turn")
                wait_s = RETRY_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def turn(self) -> None:
        """Send what is to be sent."""
        async with self._alone:
            asked, born, everyone = set(self._asked), set(self._born), self._everyone
            now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
            self._only_since(now)
            async with self._database.transaction() as conn:
                rows = await service.to_send(conn, await service.waiting(conn) if everyone else asked, born, now)
            # Kept until it is committed that they were sent: nobody may say of them that they never were.
            self._handed |= {row.id for row in rows if self._send(row.gateway, "command", service.message(row))}
            await self._note_sent(now)
            self._asked -= asked
            self._born -= born
            self._everyone = self._everyone and not everyone

    async def expire(self, now: datetime) -> float | None:
        """Call expired what is over at `now`; seconds until the next expiry, None if there is none."""
        async with self._alone:
            since = self._only_since(now)
            async with self._database.transaction() as conn:
                expiry = await service.next_expiry(conn)
            if expiry is not None and expiry + ANSWER_GRACE <= now:
                await self._note_sent(now)
                async with self._database.transaction(writes=True) as conn:
                    await service.expire(conn, now, since=since)
                    expiry = await service.next_expiry(conn)
        return None if expiry is None else max((expiry + ANSWER_GRACE - now).total_seconds(), 0.05)

    def _only_since(self, now: datetime) -> datetime:
        """Since when nobody else on this database can have sent anything."""
        started, together = self._since or now, self._together()
        self._since = started if together is None else max(started, together)
        return self._since

    async def _note_sent(self, now: datetime) -> None:
        if self._handed:
            async with self._database.transaction(writes=True) as conn:
                await service.sent(conn, sorted(self._handed), now)
            self._handed.clear()


async def _expire(work: Work) -> Result:
    wait_s = await work.part(CommandSending).expire(work.now)
    return Done() if wait_s is None else Again(wait_s)


EXPIRING = Job(
    name=service.EXPIRY,
    text=Text("结束超时未答复的指令", "Call commands expired that nobody answered"),
    work=_expire,
    lease_s=10,
    retry=Retry(first_s=1, most_s=30, times=None),
)
"""Never given up: somebody waits before a screen."""
