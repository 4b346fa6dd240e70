"""uvicorn, told to end the live streams before it waits for open requests: they would never end by themselves.

Its connections are accepted by `web.server.listener`, which lets nobody have all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import structlog
import uvicorn
from fastapi import FastAPI

from web.addresses import networks
from web.live.stream import Live
from web.server.listener import Listener, OnRefused, Place, listening_socket
from web.server.patience import Patient
from web.server.room import Limits
from web.server.turns import Turns

log = structlog.get_logger("web.server")

GRACE_S = 5
READY = "READY=1"
STOPPING = "STOPPING=1"
CANNOT_LISTEN = 3
"""Exit status, uvicorn's own for the same."""

PEOPLE = Limits(in_all=1000, each=250)
"""A company's people: an office's browsers come from one address, six connections each and a live stream."""


@dataclass(frozen=True, slots=True)
class Doorway:
    """Who gets in. `name`: what the server is called in figures and logs; `on_refused` hears who was turned away.

    `certificate` and `key`: PEM files, for TLS. `trusted_proxies`: whose X-Forwarded-For and -Proto count (addresses
    and ranges, with commas); nobody's if empty. `turns`: by which requests begin.
    """

    name: str = "console"
    limits: Limits = PEOPLE
    certificate: str | None = None
    key: str | None = None
    trusted_proxies: str = ""
    on_refused: OnRefused = lambda words: None
    turns: Turns | None = None


class Server(uvicorn.Server):
    """One HTTP server of a process. `serve()` returns after `should_exit`, and after SIGTERM or SIGINT if it `heeds`
    them: of several in one process none does, who started them ends them."""

    def __init__(
        self,
        config: uvicorn.Config,
        doorway: Doorway,
        live: Live | None,
        say: Callable[[str], object],
        *,
        heeds_signals: bool,
    ) -> None:
        super().__init__(config)
        self._doorway = doorway
        self._live = live
        self._say = say
        self._heeds_signals = heeds_signals
        self.listener: Listener | None = None

    @property
    def port(self) -> int:
        """The port that it listens on; for a server that has started."""
        assert self.listener is not None
        return self.listener.port

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        try:
            [listening] = sockets or [listening_socket(self.config.host, self.config.port)]
        except OSError as wrong:
            log.error("cannot listen", host=self.config.host, port=self.config.port, why=str(wrong))  # noqa: TRY400
            sys.exit(CANNOT_LISTEN)
        await super().startup([])
        if not self.started:
            listening.close()
            return
        self.listener = Listener(
            self._doorway.name,
            listening,
            self._protocol,
            self._doorway.limits,
            tls=self.config.ssl,
            on_refused=self._doorway.on_refused,
        )
        self.listener.start()
        self._say(READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams, then everything else."""
        self._say(STOPPING)
        if self.listener is not None:
            self.listener.close()
        if self._live is not None:
            self._live.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT end the server, if it heeds them."""
        with super().capture_signals() if self._heeds_signals else contextlib.nullcontext():
            yield

    def _protocol(self, place: Place) -> asyncio.Protocol:
        return Patient(self.config, self.server_state, self.lifespan.state, place, self._doorway.turns)


def make_server(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    doorway: Doorway = Doorway(),
    say: Callable[[str], object] = lambda state: None,
    heeds_signals: bool = True,
) -> Server:
    """The server of an app made by `web.app`. `say`: hears `READY=1` once it listens and `STOPPING=1` when it begins
    to end (`web.systemd`)."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Patient,
        ssl_certfile=doorway.certificate,
        ssl_keyfile=doorway.key,
        proxy_headers=bool(doorway.trusted_proxies),
        forwarded_allow_ips=doorway.trusted_proxies,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    live: Live | None = getattr(app.state, "live", None)
    return Server(config, doorway, live, say, heeds_signals=heeds_signals)


def limits_of(limits: Limits, descriptors: int, trusted_proxies: str) -> Limits:
    """`limits` within so many descriptors; trusted proxies speak for many. `ValueError` names what is no address."""
    return replace(limits, spared=networks(trusted_proxies)).within(descriptors)
