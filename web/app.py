"""The outside of a server: errors, headers, health, metrics, sessions, the live stream, the console, in one order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from rules.abilities import Server
from web.addresses import THIS_MACHINE, Network, lies_in
from web.asked import only_known
from web.console import DIST, console_router
from web.errors import ErrorAnswer, LastResort, NotFound, add_error_answers
from web.headers import BodyLimit, NoZeros, SameOrigin, SecurityHeaders
from web.live.packing import PackedAnswers
from web.live.routes import router as live_router
from web.live.stream import Live
from web.once import MemoryOnce, Once
from web.paging import Cursors
from web.reference import reference_router
from web.sealing import new_secret
from web.server.bodies import Bodies
from web.server.proxies import UnnamedProxies, is_for_another
from web.session.routes import router as session_router
from web.session.sessions import Sessions, address_of
from web.witness import Recorder, Told, Witness

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Ready = Callable[[], Awaitable[list[str]]]
"""What keeps the server from serving, in words; nothing when it is ready."""

EVERYWHERE: tuple[APIRouter, ...] = (session_router, live_router)
"""What every server of ours answers, whatever it serves."""

BODY_LIMIT = 1_000_000
BODIES = 64_000_000
BODIES_EACH = 16_000_000
SIGN_IN_LIMIT = 16_000
"""What may be sent by whom nobody knows yet."""


def make_app(
    *,
    title: str,
    version: str,
    sessions: Sessions,
    live: Live,
    routers: Sequence[APIRouter],
    ready: Ready,
    lifespan: Lifespan | None = None,
    dist: Path = DIST,
    body_limit: int = BODY_LIMIT,
    body_limits: Mapping[str, int] = MappingProxyType({}),
    bodies: Bodies | None = None,
    metrics_from: tuple[Network, ...] = THIS_MACHINE,
    trusted_proxies: tuple[Network, ...] = (),
    once: Once | None = None,
    secret: bytes | None = None,
    record: Recorder | None = None,
    server: Server = "hub",
) -> FastAPI:
    """A server's app, of the hub or of a gateway. `body_limit`: bytes of one body, `body_limits`: of one under a path's
    prefix; `bodies`: what all of them share. `metrics_from`: who may read /metrics. `trusted_proxies`: as
    `web.server.server` has them. `once`: where answers to requests with an Idempotency-Key are remembered, in memory if
    nothing is said. `secret`: what cursors are sealed with; without one they hold until the server stops. `record`:
    where reads and refusals go.

    Sessions and live stream are reachable as `app.state.sessions` and `app.state.live`. `web.server.server` closes the
    live stream before it waits for open requests.
    """
    witness = Witness(record or _unrecorded)
    app = FastAPI(
        title=title,
        version=version,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_closing(live, witness, lifespan),
        responses=_ERRORS,
        dependencies=_EACH_ASKS,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(UnnamedProxies, trusted=trusted_proxies),
            Middleware(PackedAnswers),
            Middleware(LastResort),
            Middleware(SameOrigin),
            Middleware(NoZeros),
            Middleware(
                BodyLimit,
                limit=body_limit,
                others={"/api/session": SIGN_IN_LIMIT, **body_limits},
                bodies=bodies or Bodies(BODIES, BODIES_EACH),
            ),
        ],
    )
    app.state.server = server
    app.state.sessions = sessions
    app.state.live = live
    app.state.witness = witness
    app.state.cursors = Cursors(secret or new_secret())
    app.state.once = once or MemoryOnce(sessions)
    sessions.watch(live.end_session)
    add_error_answers(app, witness.refused)
    app.include_router(_health_router(ready, metrics_from))
    for router in (*EVERYWHERE, *routers):
        app.router.routes.extend(_read(router))
    app.include_router(reference_router("/api/openapi.json"))
    app.include_router(console_router(dist))
    return app


_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorAnswer}, 422: {"model": ErrorAnswer}}
_EACH_ASKS = [Depends(only_known)]


_READ: dict[int, list[BaseRoute]] = {}
"""By a router's identity, which stays its own as long as its routes are here."""


def _read(router: APIRouter) -> list[BaseRoute]:
    """A router's routes with what holds for every route of ours, for any app of this process.

    What FastAPI reads of their signatures and shapes at the first request takes half a second of a processor for all of
    a hub's. It keeps that with the inclusion; so the inclusion is kept, and a second app of the process has it.
    """
    if id(router) not in _READ:
        if len(_READ) > 100:  # Some routers are one app's own: they must not gather.
            _READ.clear()
        whole = APIRouter(responses=_ERRORS, dependencies=_EACH_ASKS)
        whole.include_router(router)
        _READ[id(router)] = whole.routes
    return _READ[id(router)]


async def _unrecorded(told: Told) -> None:
    """Where nobody records what people read."""


def _closing(live: Live, witness: Witness, lifespan: Lifespan | None) -> Lifespan:
    @asynccontextmanager
    async def whole(app: FastAPI) -> AsyncIterator[None]:
        try:
            if lifespan is None:
                yield
            else:
                async with lifespan(app):
                    yield
        finally:
            live.close()
            await witness.close()

    return whole


def _health_router(ready: Ready, metrics_from: tuple[Network, ...]) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/readyz", responses={503: {"description": "not ready, and why"}})
    async def readyz() -> JSONResponse:
        """The process can do its work; 503 and the reasons while it cannot."""
        reasons = await ready()
        body = {"status": "waiting" if reasons else "ok", "reasons": reasons}
        return JSONResponse(body, status_code=503 if reasons else 200)

    @router.get("/metrics", response_class=Response)
    async def metrics(request: Request) -> Response:
        """Prometheus text format, for whom the settings name: it names sites and gateways."""
        address = address_of(request)
        # Without an address: a Unix socket, or a test without one.
        if is_for_another(request.scope) or (address and not lies_in(address, metrics_from)):
            raise NotFound
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router
