"""The gateway's two web servers: people's console, and where cameras push. Each has a port, a certificate and a limit
of connections of its own, so that neither can be filled, nor read, from the other's network.

Doors do not wait for them: one that cannot listen is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from config.site import Site
from contract.texts import Text
from drivers.camera.push.wires import HttpPushBus
from drivers.reports import InputRefused
from gateway.settings import Listening, Settings
from gateway.web import metrics
from gateway.web.app import gateway_app, push_app
from gateway.web.push import STRANGERS, allowed_networks
from gateway.web.served import Served
from web.addresses import THIS_MACHINE, lies_in, networks
from web.server import descriptors
from web.server.listener import listening_socket
from web.server.room import Limits
from web.server.server import Doorway, limits_of, make_server
from web.server.turns import Turns

log = structlog.get_logger(__name__)

REBIND_S = 5.0

CONSOLE = Limits(in_all=256, each=64, rate=5.0)
"""A site's people: a few screens, six connections each and a live stream."""

PUSHES = Limits(in_all=128, each=32, rate=10.0)
"""A camera has one or two; several may come from one address, behind a recorder."""

RESTS = 9.0
"""A rush of requests may take a tenth of the loop's time, people's and cameras' each; the wires have the rest."""


@dataclass(frozen=True, slots=True)
class WebServer:
    """One of them."""

    app: FastAPI
    listening: Listening
    doorway: Doorway


def unheard(site: Site, settings: Settings) -> Text | None:
    """What keeps cameras of another machine from pushing though the site file allows them; None: nothing."""
    buses = [bus for bus in site.buses.values() if isinstance(bus, HttpPushBus)]
    ranges = [network for bus in buses for network in allowed_networks(bus.allow)]
    host, port = settings.pushes.host, settings.pushes.port
    if host != "localhost" and not lies_in(host, THIS_MACHINE):
        return None
    if all(lies_in(str(network.network_address), THIS_MACHINE) for network in ranges):
        return None
    return Text(
        f"项目配置允许其他机器上的相机推送，但推送端口 {port} 只在 {host} 上监听，相机连不上；"
        "请设置 --push-host，例如 0.0.0.0",
        f"the site file allows cameras of other machines, but port {port} for pushes listens on {host} alone, which "
        "none of them reaches; set --push-host, to 0.0.0.0 for example",
    )


def web_servers(gateway: Served, settings: Settings) -> Iterator[WebServer]:
    """The console, and the cameras' server where the site has cameras that push."""
    pushes = push_app(gateway)
    limits = dict(zip(("console", "push"), descriptors.for_outside(CONSOLE.in_all, PUSHES.in_all), strict=True))
    metrics.publish(gateway)

    def doorway(name: str, most: Limits, listening: Listening, proxies: str) -> Doorway:
        return Doorway(
            name=name,
            limits=limits_of(most, limits[name], proxies),
            certificate=None if listening.certificate is None else str(listening.certificate),
            key=None if listening.key is None else str(listening.key),
            trusted_proxies=proxies,
            on_refused=lambda words: gateway.engine.report(InputRefused(name, words)),
            turns=Turns(RESTS),
        )

    console = gateway_app(
        gateway,
        console=settings.console,
        metrics_from=settings.metrics_from,
        trusted_proxies=networks(settings.trusted_proxies),
        push_port=settings.pushes.port,
        pushes=pushes if settings.pushes_at_console else None,
    )
    yield WebServer(console, settings.people, doorway("console", CONSOLE, settings.people, settings.trusted_proxies))
    if any(isinstance(bus, HttpPushBus) for bus in gateway.engine.site.buses.values()):
        deaf = unheard(gateway.engine.site, settings)
        if deaf is not None:
            log.error("no camera can push", why=deaf.en)
            gateway.engine.report(InputRefused(STRANGERS, deaf.en))
        # Cameras come themselves: who may say where a push comes from could be any of them.
        yield WebServer(pushes, settings.pushes, doorway("push", PUSHES, settings.pushes, ""))


async def keep_serving(server: WebServer) -> None:
    """Serves until cancelled; doors do not wait for a port that somebody else has."""
    name, listening = server.doorway.name, server.listening
    while True:
        try:
            await _serve_once(server)
            log.error("web server ended by itself", server=name)
        except OSError as error:  # also a certificate that cannot be read
            log.error("web server cannot run", server=name, host=listening.host, port=listening.port, why=str(error))  # noqa: TRY400
        except Exception:  # begun anew: people come and go, doors do not wait for it
            log.exception("web server crashed", server=name)
        await asyncio.sleep(REBIND_S)


async def _serve_once(web: WebServer) -> None:
    host, port = web.listening.host, web.listening.port
    with await asyncio.to_thread(listening_socket, host, port) as listening:
        log.info("web server listens", server=web.doorway.name, host=host, port=listening.getsockname()[1])
        server = make_server(web.app, host=host, port=port, doorway=web.doorway, heeds_signals=False)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving
