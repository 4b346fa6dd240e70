"""The gateway's web server, put together: every router of this site in one list."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fastapi import FastAPI

from gateway.web import alarms, commands, events, points, push, site
from gateway.web.screen import SiteScreen
from gateway.web.served import Served
from gateway.web.sessions import HeldSessions
from web.live import Live
from web.passwords import Passwords
from web.session import Sessions
from web.shell import make_app

ROUTERS = (site.router, events.router, alarms.router, commands.router, points.router, push.router)

COOKIE = "gatehouse_site"
"""Another name than the hub's: both may run on one host, which browsers take for one site."""


def gateway_app(gateway: Served, *, console: Path) -> FastAPI:
    """The app; the live stream follows the gateway from now on."""
    engine = gateway.engine
    store = HeldSessions(gateway.people, engine.record, gateway.clock, site=gateway.site, gateway=engine.site.gateway)
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

    async def ready() -> list[str]:
        stalled = gateway.journal.stalled
        return [] if stalled is None else [f"the journal does not record: {stalled}"]

    app = make_app(
        title="Gatehouse gateway",
        version=gateway.software,
        sessions=sessions,
        live=live,
        routers=ROUTERS,
        ready=ready,
        dist=console,
        body_limits={"/push/": push.READ_LIMIT},
    )
    app.state.served = gateway
    app.state.pushes = Counter[str]()
    return app
