"""uvicorn, told to end the live streams before it waits for open requests: they would never end by themselves."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from web.live import Live

GRACE_S = 5


class Server(uvicorn.Server):
    """One HTTP server of a process. `serve()` returns after SIGTERM, SIGINT or `should_exit`."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the live streams, then everything else."""
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
) -> Server:
    """The server of an app made by `web.shell`. TLS with `certificate` and `key` (PEM files)."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        forwarded_allow_ips=trusted_proxies,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    return Server(config, app.state.live)
