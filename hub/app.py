"""The hub: everything that one process runs, put together by hand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine

import structlog
from fastapi import FastAPI

from contract import SOFTWARE
from hub import metrics, migrations
from hub.accounts.store import AccountStore
from hub.commands.sending import CommandSending
from hub.database.answers import add_database_answers
from hub.database.failures import FAULTS
from hub.database.hearing import Hearing
from hub.database.once import DatabaseOnce
from hub.database.pins import sealed_otherwise
from hub.database.transactions import Database
from hub.desired.publishing import DesiredPublishing
from hub.domains import JOBS, LATEST, ROUTERS, STANDING, STATES, projections
from hub.downlink import Downlink
from hub.events.stream import witnessed
from hub.hints import Hints
from hub.ingest.broker import Broker
from hub.ingest.presence import GatewayPresence
from hub.ingest.worker import Ingest
from hub.jobs import queue
from hub.jobs.worker import Worker
from hub.live import HubLiveSource, tell
from hub.retention.terms import Terms
from hub.settings import Settings
from hub.telemetry.ingest import Readings
from hub.tickets.kinds import kinds
from web.addresses import networks
from web.app import make_app
from web.console import DIST
from web.contact import contact_of, contact_router
from web.live.stream import Live
from web.server import descriptors
from web.server.server import PEOPLE, Doorway, limits_of, make_server
from web.session.passwords import Passwords
from web.session.sessions import Sessions
from web.systemd import keep_watchdog_fed, notify

log = structlog.get_logger(__name__)


class Hub:
    """One hub process: its parts, its app, and what runs beside it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        kinds()  # one that cannot be worked by is found before anybody waits for it
        self.database = Database(settings.database_url, pool_size=settings.pool_size, key=settings.own_key)
        self._key_fits = False
        self.terms = Terms(
            pictures=settings.keep_pictures_days,
            changes=settings.keep_changes_days,
            numbers=settings.keep_numbers_days,
        )
        self.passwords = Passwords()
        self.live = Live(HubLiveSource(self.database, STANDING))
        self.hearing = Hearing(self.database)
        self.hints = self.database.telling = Hints(self.database, self.hearing, self.live, tell(self.live), STATES)
        self.downlink = Downlink()
        self.presence = GatewayPresence(self.database, self.downlink, silence_s=settings.silence_s, now_ms=wall_ms)
        self.desired = DesiredPublishing(self.database, self.downlink)
        self.commands = CommandSending(self.database, self.downlink, now_ms=wall_ms, together=self.hints.together)
        self.readings = Readings(self.database, LATEST, now_ms=wall_ms)
        self.ingest = Ingest(
            self.database,
            projections(),
            self.downlink,
            self.presence,
            self.readings.store,
            now_ms=wall_ms,
            handover_bytes=settings.handover_bytes,
            group_events=settings.group_events,
        )
        self.broker = Broker(settings, self.downlink, self.ingest.receive, self._connected)
        self.presence.subscribe(self.downlink.heard)
        self.presence.subscribe(self.desired.heard)
        self.presence.subscribe(self.commands.heard)
        # One road: what was committed is shown, then what it asks for is sent.
        self.database.subscribe(tell(self.live))
        self.database.subscribe(self.desired.told)
        self.database.subscribe(self.commands.told)
        self.worker = Worker(self.database, JOBS, (self.terms, self.presence, self.commands))
        self.hearing.subscribe(queue.CHANNEL, lambda _, __: self.worker.wake())
        self.hearing.on_change(lambda _: self.worker.wake())
        self.app = self._app()

    def _connected(self) -> None:
        self.presence.connected()
        self.commands.connected()
        self.desired.connected()

    def _app(self) -> FastAPI:
        sessions = Sessions(
            AccountStore(self.database, self.database.key),
            self.passwords,
            cookie="gatehouse_hub",
            secure_cookies=self.settings.secure_cookies,
        )
        app = make_app(
            title="Gatehouse hub",
            version=SOFTWARE,
            sessions=sessions,
            live=self.live,
            routers=(*ROUTERS, contact_router(contact_of(self.settings.security_contact))),
            ready=self.reasons,
            dist=self.settings.console_dir or DIST,
            metrics_from=networks(self.settings.metrics_from),
            trusted_proxies=networks(self.settings.trusted_proxies),
            once=DatabaseOnce(),
            secret=self.database.key,
            record=witnessed(self.database),
        )
        sessions.watch(self.hints.end_session)
        app.state.database = self.database
        app.state.terms = self.terms
        app.state.jobs = JOBS
        add_database_answers(app)
        return app

    async def reasons(self) -> list[str]:
        """What keeps the hub from doing its work."""
        found = []
        try:
            async with asyncio.timeout(2):
                held = await migrations.held(self.database)
                if held != migrations.newest():
                    needs = f"this software needs {migrations.newest()}: python -m hub migrate"
                    found.append(f"database is at {held}, {needs}")
                elif not self._key_fits:
                    strange = await sealed_otherwise(self.database)
                    self._key_fits = strange is None
                    found += [] if strange is None else [strange]
        except FAULTS as error:
            found.append(f"database: {type(error).__name__}")
        if not self.broker.up:
            found.append("broker: not connected")
        return found

    async def run(self) -> None:
        """Serve until told to stop. A part that fails for good ends the process: whoever started it starts it again."""
        descriptors.raise_limit()
        unwatch = metrics.watch(self.database, self.worker.figures)
        [share] = descriptors.for_outside(PEOPLE.in_all)
        server = make_server(
            self.app,
            host=self.settings.host,
            port=self.settings.port,
            doorway=Doorway(
                limits=limits_of(PEOPLE, share, self.settings.trusted_proxies),
                trusted_proxies=self.settings.trusted_proxies,
                certificate=None if self.settings.certificate is None else str(self.settings.certificate),
                key=None if self.settings.certificate_key is None else str(self.settings.certificate_key),
            ),
            say=notify,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                work = [tasks.create_task(part, name=name) for name, part in self._parts().items()]
                log.info("hub.started", host=self.settings.host, port=self.settings.port, version=SOFTWARE)
                await server.serve()
                for task in work:
                    task.cancel()
        finally:
            unwatch()
            self.passwords.close()
            await self.database.close()
            log.info("hub.stopped")

    def _parts(self) -> dict[str, Coroutine[None, None, None]]:
        return {
            "ingest": self.ingest.run(),
            "broker": self.broker.run(),
            "greetings": self.presence.greet(),
            "desired": self.desired.run(),
            "commands": self.commands.run(),
            "hearing": self.hearing.run(),
            "hints": self.hints.run(),
            "jobs": self.worker.run(),
            "watchdog": keep_watchdog_fed(),
        }


def wall_ms() -> int:
    """The hub's clock: Unix milliseconds."""
    return time.time_ns() // 1_000_000
