"""The gateway's web server, put together: every router of this site in one list."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.engine.desk.record import Facts
from gateway.web import accounts, alarms, commands, devices, entries, events, frames, points, push, search, site
from gateway.web.screen import SiteScreen
from gateway.web.served import Served
from gateway.web.sessions import HeldSessions
from web.addresses import THIS_MACHINE, Network
from web.app import make_app
from web.errors import LastResort, add_error_answers
from web.headers import SecurityHeaders
from web.live.stream import Live
from web.once import MemoryOnce
from web.server.bodies import Bodies
from web.session.passwords import Passwords
from web.session.sessions import Sessions
from web.witness import Told

ROUTERS = (
    site.router,
    frames.router,
    events.router,
    entries.router,
    search.router,
    alarms.router,
    commands.router,
    points.router,
    devices.router,
    accounts.router,
)

BODY_LIMIT = 64_000
"""A site's people ask for single things; who sends more keeps the doors waiting while it is read."""

BODIES, BODIES_EACH = 8_000_000, 2_000_000
PUSHES, PUSHES_EACH = 64_000_000, 32_000_000
"""Bytes that all bodies and pushes may hold, and those of one address."""

COOKIE = "gatehouse_site"
"""Another name than the hub's: both may run on one host, which browsers take for one site."""


def gateway_app(
    gateway: Served,
    *,
    console: Path,
    metrics_from: tuple[Network, ...] = THIS_MACHINE,
    trusted_proxies: tuple[Network, ...] = (),
    push_port: int = 0,
    pushes: FastAPI | None = None,
) -> FastAPI:
    """The console's app; the live stream follows the gateway from now on.

    Pushes are not its own: they are told where to go (`push_port`), or taken by `pushes` where the settings say so.
    """
    engine = gateway.engine
    store = HeldSessions(
        gateway.people,
        engine.record,
        gateway.clock,
        gateway.sealed,
        site=gateway.site,
        gateway=engine.site.gateway,
        locked=lambda there: engine.turn("account.locked", there=there),
    )
    sessions = Sessions(
        store,
        Passwords(at_once=1, waiting=16),
        cookie=COOKIE,
        wall_s=lambda: gateway.clock.wall_ms() / 1000,
        monotonic_s=gateway.clock.monotonic,
    )
    screen = SiteScreen(gateway)
    live = Live(screen)
    screen.follow(live)
    gateway.people.watch(live.end)

    async def ready() -> list[str]:
        stalled = gateway.journal.stalled
        return [] if stalled is None else [f"the journal does not record: {stalled}"]

    async def record(told: Told) -> None:
        facts = Facts()
        facts.say(told.kind, told.source, told.data)
        await engine.record.append(facts)

    app = make_app(
        title="Gatehouse gateway",
        version=gateway.software,
        sessions=sessions,
        live=live,
        routers=(*ROUTERS, push.elsewhere(push_port)),
        ready=ready,
        dist=console,
        body_limit=BODY_LIMIT,
        # Nothing is read of them, but one with its picture must be told where it belongs too.
        body_limits={"/push/": push.READ_LIMIT},
        bodies=Bodies(BODIES, BODIES_EACH),
        metrics_from=metrics_from,
        trusted_proxies=trusted_proxies,
        once=MemoryOnce(sessions, gateway.clock.monotonic),
        record=record,
        server="gateway",
    )
    app.state.served = gateway
    app.state.sealed = gateway.sealed
    if pushes is not None:
        app.add_middleware(PushesToo, pushes=pushes)
    return app


def push_app(gateway: Served) -> FastAPI:
    """The cameras' app: it knows pushes and nothing else."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(SecurityHeaders), Middleware(LastResort)],
    )
    add_error_answers(app)
    app.include_router(push.router)
    app.state.served = gateway
    app.state.pushes = Counter[tuple[str, str]]()
    app.state.bodies = Bodies(PUSHES, PUSHES_EACH)
    return app


class PushesToo:
    """Hands pushes that come to the console's port to the cameras' app."""

    def __init__(self, app: ASGIApp, pushes: ASGIApp) -> None:
        self.app = app
        self._pushes = pushes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_push = scope["type"] == "http" and scope["path"].startswith("/push/")
        await (self._pushes if is_push else self.app)(scope, receive, send)
