"""What other processes notify (LISTEN): one connection beside the pool, made again whenever it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from hub.database.driver import driver
from hub.database.failures import passes
from hub.database.transactions import Database

log = structlog.get_logger(__name__)

RETRY_S = 1.0

BEAT_S = 30.0
"""So often the connection has to show that it is there, and has so long to do it."""

Heard = Callable[[int, str], None]
"""Called on the loop with the sender's backend and what it said."""


class Hearing:
    """Hears the channels that are subscribed to before it runs. What is said while it is not `up` is not heard."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._heard: list[tuple[str, Heard]] = []
        self._up: list[Callable[[bool], None]] = []
        self.up = False

    def subscribe(self, channel: str, heard: Heard) -> None:
        """`heard` is called with everything that is notified there, by this process too."""
        self._heard.append((channel, heard))

    def on_change(self, up: Callable[[bool], None]) -> None:
        """`up` is told each time that it begins or ceases to hear: between the two, things were missed."""
        self._up.append(up)

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except Exception as error:  # whatever became of the connection, there must be another
                if not passes(error):
                    raise
                log.warning("database.not_heard", error=repr(error)[:300])
            finally:
                self._change(up=False)
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        async with self._database.apart() as conn:
            pg = await driver(conn)
            gone = asyncio.Event()
            pg.add_termination_listener(lambda _: gone.set())
            for channel, heard in self._heard:
                await pg.add_listener(channel, lambda _, pid, __, words, heard=heard: heard(pid, words))
            self._change(up=True)
            while not gone.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_S):
                        await gone.wait()
                        return
                # A connection that a firewall forgot tells nobody that it is gone.
                await pg.execute("SELECT 1", timeout=BEAT_S)

    def _change(self, *, up: bool) -> None:
        if up == self.up:
            return
        self.up = up
        for told in self._up:
            told(up)
