"""Turns what the hub wants here into what the gateway decides by: access index, accounts, holders' names."""

from __future__ import annotations

import asyncio

import structlog

from contract.desired import Account, Holder
from gateway.engine.site import SiteEngine
from gateway.held import Applied, Held
from gateway.web.served import People
from web.session import normal_username

log = structlog.get_logger(__name__)


class Desire:
    """Follows the desired state that is held: one index at a time, always from the newest revision."""

    def __init__(self, held: Held, engine: SiteEngine, people: People) -> None:
        self._held = held
        self._engine = engine
        self._people = people
        self._newer = asyncio.Event()
        self._items = 0
        held.watch(self._applied)

    async def take_over(self) -> None:
        """Decides by the revision that is held now."""
        held = self._held
        self._people.accounts = {normal_username(each.username): each for each in held.of(Account).values()}
        self._people.holders = dict(held.of(Holder))
        await self._engine.desired_changed(held.items(), held.revision)

    async def keep_up(self) -> None:
        """Takes over every step that comes, until cancelled."""
        while True:
            await self._newer.wait()
            self._newer.clear()
            try:
                await self.take_over()
                self._engine.desired_applied(self._items)
            except Exception:
                # The revision before stands; the next step tries again.
                log.exception("revision could not be taken over", revision=self._held.revision)

    def _applied(self, applied: Applied) -> None:
        self._items = applied.items
        self._newer.set()
