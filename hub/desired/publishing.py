"""Brings gateways to the newest revision: woken by a change or by a sign of life that says what a gateway holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.desired import Desired
from contract.presence import Presence
from hub.database.failures import passes
from hub.database.pins import Pins
from hub.database.transactions import Database, Outcome
from hub.desired import service
from hub.desired.lagging import Lagging
from hub.desired.steps import PART_ITEMS, Form, Known, Load, Step, fitting, next_parts, next_step, overgrown
from hub.downlink import Send

log = structlog.get_logger(__name__)

STEPS = Counter("gatehouse_desired_steps", "Steps of the desired state sent to gateways", ["form"])

RETRY_S = 1.0

_ENROLLED = text("SELECT id, site, desired FROM gateways")


class DesiredPublishing:
    """Knows what each gateway holds, and sends what it lacks, a few messages at a time."""

    def __init__(self, database: Database, send: Send, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._send = send
        self._monotonic = monotonic
        self._pins = Pins(database.key)
        self._lagging = Lagging(database)
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
        versions = presence.versions
        known.heard(versions.desired, (versions.receiving, versions.parts), born=presence.state == "birth")
        self._behind.add(gateway)
        self._wake.set()

    def connected(self) -> None:
        """The broker is there (again). A birth may have gone by unheard: what a gateway lacks is sent unasked."""
        for known in self._known.values():
            known.forget()
        self._behind |= self._known.keys()
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        await self._until_done(self._remember)
        self.connected()
        while True:
            self._wake.clear()
            while self._behind:
                gateway = self._behind.pop()
                await self._until_done(partial(self.bring, gateway))
            await self._until_done(partial(self._lagging.turn, self._monotonic()))
            due = self._lagging.next_due()
            try:
                async with asyncio.timeout(None if due is None else max(due - self._monotonic(), 0.05)):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def bring(self, gateway: str) -> bool:
        """Send one gateway what it lacks, if it lacks something; False if the broker did not take it."""
        known = self._known[gateway]
        async with self._database.transaction() as conn:
            current, floor = await service.standing(conn, known.site)
            now = self._monotonic()
            self._lagging.saw(gateway, known.site, known.held, current, now)
            messages = await self._parts(conn, known, now)
            if not messages and (known.load is None or known.load.sent == known.load.parts):
                step = next_step(known, current, now, floor=floor)
                if step is not None:
                    messages = await self._step(conn, known, step)
        for message in messages:
            if not self._send(gateway, "desired", message):
                known.forget()
                return False
            self._sent(gateway, known, message)
        if messages and messages[-1].revision < current:
            # There is more: others have their turn first.
            self._behind.add(gateway)
        return True

    async def _step(self, conn: AsyncConnection, known: Known, step: Step) -> list[Desired]:
        """The one message of a step, or the first ones of it in parts."""
        if step.leap:
            await service.leap(conn, known.site, known.held)
        current, _ = await service.standing(conn, known.site)
        found = await service.since(conn, known.site, step.base, PART_ITEMS + 1)
        changed = [one._replace(item=self._pins.told(known.site, one.item)) for one in found]
        more = len(changed) > PART_ITEMS
        fits = None if step.form == "snapshot" and more else fitting(changed, current, more=more)
        if fits is not None and (step.form == "delta" or fits[0] == current):
            return [Desired(form=step.form, base=step.base, revision=fits[0], items=fits[1])]
        if step.base not in (0, known.held):
            # Whoever waits for parts must hold what they build on.
            return []
        form: Form = step.form
        until = current if form == "snapshot" else changed[0].revision
        starts = await service.starts(conn, known.site, step.base, None if form == "snapshot" else until)
        known.load = Load(form, step.base, until, known.held, starts)
        log.info("desired.load", site=known.site, form=form, base=step.base, revision=until, parts=len(starts))
        return await self._parts(conn, known, self._monotonic())

    async def _parts(self, conn: AsyncConnection, known: Known, now: float) -> list[Desired]:
        """The next parts of the load under way, if there is one and it wants some.

        A whole of which a part has outgrown one message is given up: its next step is cut anew.
        """
        load = known.load
        if load is None:
            return []
        found = []
        for part in next_parts(known, load, now):
            held = await service.part(conn, known.site, load, part)
            items = [self._pins.told(known.site, item) for item in held]
            if overgrown(items):
                log.info("desired.overgrown", site=known.site, revision=load.revision, part=part)
                known.load, known.sent = None, 0
                return []
            step = Desired(
                form=load.form, base=load.base, revision=load.revision, items=items, part=part, parts=load.parts
            )
            found.append(step)
            load.sent = part
        return found

    def _sent(self, gateway: str, known: Known, message: Desired) -> None:
        known.sent_at, known.stalled = self._monotonic(), False
        if message.part < message.parts:
            return
        known.base, known.sent = message.base, message.revision
        known.unanswered.append(message.revision)
        log.info("desired.sent", gateway=gateway, form=message.form, base=message.base, revision=message.revision)
        STEPS.labels(message.form).inc()

    async def _remember(self) -> None:
        async with self._database.transaction() as conn:
            for row in await conn.execute(_ENROLLED):
                self._known.setdefault(row.id, Known(row.site, held=row.desired))
        await self._lagging.remember()

    async def _until_done(self, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await work()
            except Exception as error:  # one site's trouble must not keep the others waiting
                if not passes(error):
                    # Its next sign of life tries again.
                    log.exception("desired.not_sent")
                    return
            else:
                return
            await asyncio.sleep(RETRY_S)
