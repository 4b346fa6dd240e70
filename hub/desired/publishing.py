"""Brings gateways to the newest revision: woken by a change or by a sign of life that says what a gateway holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from prometheus_client import Counter
from sqlalchemy import text

from contract.desired import Desired
from contract.presence import Presence
from hub.db import Database, Outcome
from hub.desired import service
from hub.desired.steps import DELTA_ITEMS, Known, Step, next_step, parts
from hub.failures import passes
from hub.ingest.downlink import Send

log = structlog.get_logger(__name__)

STEPS = Counter("gatehouse_desired_steps", "Steps of the desired state sent to gateways", ["form"])

RETRY_S = 1.0

_ENROLLED = text("SELECT id, site, desired FROM gateways")


class DesiredPublishing:
    """Knows what each gateway holds, and sends what it lacks."""

    def __init__(self, database: Database, send: Send, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._send = send
        self._monotonic = monotonic
        self._known: dict[str, Known] = {}
        self._behind: set[str] = set()
        self._wake = asyncio.Event()

    def told(self, done: Outcome) -> None:
        """A transaction was committed."""
        if not done.desired:
            return
        self._behind |= {gateway for gateway, known in self._known.items() if known.site in done.desired}
        self._wake.set()

    def heard(self, gateway: str, site: str, presence: Presence) -> None:
        """A gateway said what it holds."""
        known = self._known.setdefault(gateway, Known(site))
        known.site = site
        known.held = presence.versions.desired
        if presence.state == "birth":
            # What was under way on the connection before may be lost.
            known.sent = 0
        self._behind.add(gateway)
        self._wake.set()

    def connected(self) -> None:
        """The broker is there (again). A birth may have gone by unheard: what a gateway lacks is sent unasked."""
        for known in self._known.values():
            known.sent = 0
        self._behind |= self._known.keys()
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        await self._until_done(self._remember)
        self.connected()
        while True:
            while self._behind:
                gateway = self._behind.pop()
                await self._until_done(partial(self.bring, gateway))
            self._wake.clear()
            await self._wake.wait()

    async def bring(self, gateway: str) -> bool:
        """Send one gateway the step that it lacks, if it lacks one; False if the broker did not take it."""
        known = self._known[gateway]
        async with self._database.transaction() as conn:
            current = await service.revision(conn, known.site)
            step = next_step(known, current, self._monotonic())
            if step is None:
                return True
            if step.leap:
                await service.leap(conn, known.site, known.held)
            if step.form == "delta" and await service.count_since(conn, known.site, step.base) > DELTA_ITEMS:
                step = Step("snapshot", 0)
            held = await service.since(conn, known.site, step.base)
            messages = parts(step.form, step.base, held.revision, held.items)
            if step.form == "delta" and len(messages) > 1:
                # Only a snapshot may come in parts.
                step = Step("snapshot", 0)
                held = await service.since(conn, known.site, 0)
                messages = parts(step.form, 0, held.revision, held.items)
        if not all(self._send_one(gateway, message) for message in messages):
            known.sent = 0
            return False
        known.base, known.sent, known.sent_at = step.base, held.revision, self._monotonic()
        log.info("desired.sent", gateway=gateway, form=step.form, base=step.base, revision=held.revision)
        STEPS.labels(step.form).inc()
        return True

    def _send_one(self, gateway: str, message: Desired) -> bool:
        return self._send(gateway, "desired", message)

    async def _remember(self) -> None:
        async with self._database.transaction() as conn:
            for row in await conn.execute(_ENROLLED):
                self._known.setdefault(row.id, Known(row.site, held=row.desired))

    async def _until_done(self, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
            except Exception as error:
                if not passes(error):
                    # One site's trouble must not keep the others waiting; its next sign of life tries again.
                    log.exception("desired.not_sent")
                    return
            else:
                return
            await asyncio.sleep(RETRY_S)
