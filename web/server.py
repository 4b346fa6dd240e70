"""uvicorn, told to end the live streams before it waits for open requests: they would never end by themselves."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from web.live import Live
from web.patience import Patient

GRACE_S = 5
READY = "READY=1"
STOPPING = "STOPPING=1"


class Server(uvicorn.Server):
    """One HTTP server of a process. `serve()` returns after SIGTERM, SIGINT or `should_exit`."""

    def __init__(self, config: uvicorn.Config, live: Live, say: Callable[[str], object]) -> None:
        super().__init__(config)
        self._live = live
        self._say = say

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._say(READY)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams, then everything else."""
        self._say(STOPPING)
        self._live.close()
        await super().shutdown(sockets)


def make_server(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    certificate: str | None = None,
    key: str | None = None,
    trusted_proxies: str = "127.0.0.1",
    say: Callable[[str], object] = lambda state: None,
) -> Server:
    """The server of an app made by `web.shell`. TLS with `certificate` and `key` (PEM files).

    `trusted_proxies`: whose X-Forwarded-For and -Proto count (addresses, with commas). `say`: hears `READY=1` once it
    listens and `STOPPING=1` when it begins to end (`web.notify`).
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Patient,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        forwarded_allow_ips=trusted_proxies,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config, app.state.live, say)
