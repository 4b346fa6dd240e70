"""What every answer carries and every request must respect: security headers, size of bodies, origin of writes."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from prometheus_client import Counter
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.texts import Text
from web.errors import Forbidden, NotFound
from web.server.bodies import Bodies
from web.session.press import SERVER_TIME, told_time

CONTENT_SECURITY = "; ".join((
    "default-src 'self'",
    "script-src 'self'",
    # The component library writes style attributes.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
))  # fmt: skip

SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
FULL = Counter("gatehouse_web_bodies_refused", "Bodies for which there was no room beside the others")
_YEAR = "max-age=31536000"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FOREIGN = Text("拒绝来自其他网页的请求", "Requests from other web pages are refused")


class SecurityHeaders:
    """Adds the security headers; answers under `/api` say when, and are not stored unless they say otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _YEAR)
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
                    headers.setdefault(SERVER_TIME, told_time())
            await send(message)

        await self.app(scope, receive, dressed)


class SameOrigin:
    """Refuses writes that another site's page made a browser send. Programs that send no origin are not browsers.

    SameSite=Strict alone does not tell two ports of one host apart (a site is a host), hence this check.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE and _foreign(Headers(scope=scope)):
            raise Forbidden(_FOREIGN, "foreign_origin")
        await self.app(scope, receive, send)


def _foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
    # Compared without the scheme: behind a TLS proxy ours is http while the browser's is https.
    return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


class NoZeros:
    """Refuses U+0000 in paths and queries of `/api`, which PostgreSQL cannot hold. In bodies: `web.asked.Body`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self.app(scope, receive, send)
            return
        if "\x00" in scope["path"]:
            raise NotFound
        if b"%00" in scope["query_string"]:
            raise HTTPException(422)
        await self.app(scope, receive, send)


class BodyLimit:
    """Refuses bodies of more than `limit` bytes; `others`: path prefix → another limit. `bodies`: what all share."""

    def __init__(self, app: ASGIApp, limit: int, others: Mapping[str, int], bodies: Bodies) -> None:
        self.app = app
        self._limit = limit
        self._others = dict(others)
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = next((most for prefix, most in self._others.items() if scope["path"].startswith(prefix)), self._limit)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdigit() and int(announced) > limit:
            raise _too_large()
        address = (scope.get("client") or ("", 0))[0]
        held = 0

        async def counted() -> Message:
            nonlocal held
            message = await receive()
            size = len(message.get("body", b""))
            if held + size > limit:
                raise _too_large()
            if not self._bodies.take(address, size):
                FULL.inc()
                raise HTTPException(503, headers={"Retry-After": "1"})
            held += size
            return message

        try:
            await self.app(scope, counted, send)
        finally:
            self._bodies.give_back(address, held)


def _too_large() -> HTTPException:
    # The framework lets its own exceptions through while it reads a body, and no others.
    return HTTPException(413)
