"""The hub as people meet it: its app over a fresh database, sites with gateways that report, and people signed in."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI
from sqlalchemy import text

from contract.facts.alarms import AlarmCleared, AlarmRaised, TicketRaised
from contract.kinds import encode_data
from contract.layout import DoorLayout, LaneLayout, SiteLayout, ZoneLayout
from contract.rights import viewer_of
from contract.texts import Text
from hub.accounts import service as account_service
from hub.accounts.schemas import NewAccount
from hub.accounts.store import AccountStore
from hub.database.answers import add_database_answers
from hub.database.once import DatabaseOnce
from hub.database.transactions import Database, connection
from hub.domains import JOBS, ROUTERS, STANDING, projections
from hub.events.stream import HUB, witnessed
from hub.gateways.service import enrol
from hub.ingest.accept import accept
from hub.ingest.arrivals import EventsArrived
from hub.ingest.projecting import Projecting
from hub.live import HubLiveSource, tell
from hub.sites import service as site_service
from tests.hub.senders import NOW_MS, Journal
from web.app import make_app
from web.doing import seen
from web.live.stream import Live, LiveLimits
from web.session.passwords import Passwords
from web.session.sessions import SessionLimits, Sessions

PASSWORD = "correct horse battery"
KEY = bytes(range(32))
NO_CONSOLE = Path("/nonexistent")
ADMIN = viewer_of("admin")
PROJECTING = Projecting(projections())
PASSWORDS = Passwords()
"""Of all offices: a password's first hash is work that no test is about."""

_HASHES: dict[str, str] = {}


def layout(site: str, **more: Any) -> SiteLayout:
    """A small site: two doors, a lane, a zone."""
    return SiteLayout(
        site=site,
        gateway=f"{site}-gw",
        name=Text(f"{site} 苑", f"{site} court"),
        timezone="Asia/Shanghai",
        fingerprint="f1",
        doors=[
            DoorLayout(id="lobby-a", name=Text("大堂", "Lobby"), zones=["block-a"]),
            DoorLayout(id="garage", name=Text("车库", "Garage")),
        ],
        lanes=[
            LaneLayout(id="gate-in", name=Text("入口", "Entry"), direction="in", camera="gate-in-cam", can_close=True)
        ],
        zones=[ZoneLayout(id="block-a", name=Text("A 座", "Block A"))],
        **more,
    )


class Office:
    """One hub under test."""

    def __init__(self, database: Database, limits: SessionLimits | None = None, dist: Path = NO_CONSOLE) -> None:
        self.database = database
        self.ahead_s = 0.0
        self.passwords = PASSWORDS
        self.live = Live(HubLiveSource(database, STANDING), LiveLimits(tick_s=0.02))
        self.sessions = Sessions(
            AccountStore(database, KEY),
            self.passwords,
            limits=limits or SessionLimits(),
            wall_s=lambda: time.time() + self.ahead_s,
        )
        self.journals: dict[str, Journal] = {}
        self.now_ms = NOW_MS

        async def ready() -> list[str]:
            return []

        self.app: FastAPI = make_app(
            title="hub", version="0", sessions=self.sessions, live=self.live, routers=ROUTERS, ready=ready,
            dist=dist, once=DatabaseOnce(), secret=database.key, record=witnessed(database),
        )  # fmt: skip
        self.app.state.database = database
        self.app.state.jobs = JOBS
        add_database_answers(self.app)
        self.told: list[dict[str, Any]] = []
        database.subscribe(tell(self.live))
        database.subscribe(lambda outcome: self.told.extend(outcome.states))

    async def site(self, site: str = "demo") -> Journal:
        """Set up a site whose gateway has described it."""
        async with self.database.session(writes=True) as session:
            await site_service.ensure(session, site, Text(site, site), "Asia/Shanghai")
            await enrol(await connection(session), f"{site}-gw", site)
        self.journals[site] = Journal(f"{site}-gw", uuid.uuid4().hex)
        await self.report("site.described", layout(site), site, site=site)
        return self.journals[site]

    async def report(self, kind: str, data: msgspec.Struct, source: str, *, site: str = "demo") -> None:
        """An event of the site's gateway, through the ingest."""
        journal = self.journals[site]
        event = journal.record(kind, bytes(encode_data(data)), source)
        await self.take(journal.arrived(event.seq, event.seq))

    async def take(self, batch: EventsArrived) -> None:
        """A batch of a gateway, through the ingest."""
        async with self.database.transaction(writes=True) as conn:
            await accept(conn, [batch], PROJECTING, self.now_ms + batch.batch.first_seq)

    async def raise_alarm(
        self, *, site: str = "demo", rule: str = "dry-run@pump-1", severity: str = "major", asset: str = "pump-1",
        alarm: str | None = None, ticket: bool = False,
    ) -> str:  # fmt: skip
        """A fault at the site; the alarm's id."""
        alarm = alarm or str(uuid.uuid4())
        raised = AlarmRaised(
            alarm=alarm,
            rule=rule,
            severity=severity,  # type: ignore[arg-type]
            message=Text("水泵干转", "Pump runs dry"),
            asset=asset,
            response=Text("停泵", "Stop the pump"),
            values={f"{asset}.flow": 0.0},
        )
        await self.report("alarm.raised", raised, asset, site=site)
        if ticket:
            await self.raise_ticket(alarm, site=site, rule=rule, severity=severity, asset=asset)
        return alarm

    async def raise_ticket(self, alarm: str, *, site: str, rule: str, severity: str, asset: str) -> str:
        """The ticket of an alarm; its id."""
        raised = TicketRaised(
            ticket=str(uuid.uuid4()),
            alarm=alarm,
            cause=rule,
            asset=asset,
            severity=severity,  # type: ignore[arg-type]
            title=Text("水泵干转", "Pump runs dry"),
            place="泵房",
            history=[(f"{asset}.flow", NOW_MS, 0.0)],
        )
        await self.report("ticket.raised", raised, asset, site=site)
        return raised.ticket

    async def clear(self, alarm: str, *, rule: str = "dry-run@pump-1", site: str = "demo") -> None:
        """The device is back to normal."""
        await self.report("alarm.cleared", AlarmCleared(alarm=alarm, rule=rule), rule.partition("@")[2], site=site)

    async def account(self, username: str, role: str, *sites: str) -> str:
        """Open an account; its id. All passwords are `PASSWORD`."""
        if PASSWORD not in _HASHES:
            _HASHES[PASSWORD] = await self.passwords.hash(PASSWORD)
        wanted = NewAccount.model_validate(
            {"username": username, "password": PASSWORD, "name": username.title(), "role": role, "sites": sites}
        )
        async with self.database.session(writes=True) as session:
            return (await account_service.create(session, wanted, _HASHES[PASSWORD], HUB)).id

    async def token(self, username: str) -> str:
        """Sign in."""
        return (await self.sessions.sign_in(username, PASSWORD, "192.0.2.1")).token

    @asynccontextmanager
    async def client(self, username: str | None = None, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A program that speaks to the hub as that account, and changes whatever stands unless it says what."""
        headers.setdefault("If-Match", "*")
        if username is not None:
            headers["Authorization"] = f"Bearer {await self.token(username)}"
        transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.example", headers=headers) as client:
            yield client

    @asynccontextmanager
    async def signed_in(self, username: str, role: str, *sites: str) -> AsyncIterator[httpx.AsyncClient]:
        """A new account and a program that speaks as it."""
        await self.account(username, role, *(sites or ("demo",)))
        async with self.client(username) as client:
            yield client

    async def events(self, *kinds: str) -> list[tuple[str, str | None, dict[str, Any]]]:
        """(kind, site, data) of the hub's own events of these kinds, oldest first."""
        async with self.database.transaction() as conn:
            query = text("SELECT kind, site, data FROM events WHERE gateway IS NULL AND kind = ANY(:kinds) ORDER BY id")
            return [(row.kind, row.site, row.data) for row in await conn.execute(query, {"kinds": list(kinds)})]

    async def desired(self, site: str, kind: str) -> dict[str, Any]:
        """What the site's gateway shall hold of a kind: id → value."""
        async with self.database.transaction() as conn:
            query = text(
                "SELECT id, value FROM desired_items WHERE site = :site AND kind = :kind AND value IS NOT NULL"
            )
            found = await conn.execute(query, {"site": site, "kind": kind})
            return {row.id: row.value for row in found}


@asynccontextmanager
async def office(
    database: Database, *sites: str, limits: SessionLimits | None = None, dist: Path = NO_CONSOLE
) -> AsyncIterator[Office]:
    """A hub with these sites (one, `demo`, if none is named). `dist`: the console that it serves."""
    found = Office(database, limits, dist)
    for site in sites or ("demo",):
        await found.site(site)
    try:
        yield found
        for state in found.told:
            # What another process hears of it, it shows alike.
            heard = msgspec.json.decode(msgspec.json.encode(state))
            shown = [msgspec.json.encode(seen(ADMIN, each["kind"], each)) for each in (state, heard)]
            assert shown[0] == shown[1]
    finally:
        await found.app.state.witness.close()
