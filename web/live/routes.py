"""`GET /api/live`: the live stream on the wire. Ends when the browser goes, the session ends, or the server stops."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import AsyncGenerator
from typing import Annotated

import structlog
from fastapi import APIRouter, Query
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from web import shapes
from web.live.packing import PackedStream, takes_packed
from web.live.screens import Screen, View
from web.live.sse import HEARTBEAT, parse_last_id, retry
from web.live.stream import Live
from web.paging import sites_asked
from web.session.sessions import Sessions, SignedInUser

log = structlog.get_logger("web.live")

BROKEN = Counter("gatehouse_live_broken", "Live streams that ended because what they show could not be read")

router = APIRouter(prefix="/api/live", tags=["live"])

_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(Response):
    """Server-sent events."""

    media_type = "text/event-stream"


@router.get("", response_class=EventStream, responses={200: {"model": shapes.LiveFrames}})
async def live(
    request: Request,
    user: SignedInUser,
    site: str | None = None,
    last_event_id: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Server-sent events: `snapshot`, `events`, `state`, `reset`. `last_event_id` stands in for the header."""
    stream: Live = request.app.state.live
    after = parse_last_id(request.headers.get("last-event-id", "") or last_event_id)
    asked = sites_asked(user, site)
    sessions: Sessions = request.app.state.sessions
    view = View(None if asked is None else frozenset(asked), user.viewer())
    screen = stream.open(user.id, view, sessions.token_hash(request))
    return LiveAnswer(stream, screen, after, request)


class LiveAnswer(EventStream):
    """Writes one screen's frames as they come; a browser that does not read for `write_s` is cut off."""

    def __init__(self, stream: Live, screen: Screen, after: int | None, request: Request) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._packed = PackedStream() if takes_packed(request.headers) else None
        if self._packed is not None:
            self.headers["Content-Encoding"] = "gzip"
            self.headers.add_vary_header("Accept-Encoding")
        self._stream = stream
        self._screen = screen
        self._after = after
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            writing = asyncio.ensure_future(self._write(send))
            leaving = asyncio.ensure_future(_gone(receive))
            try:
                await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                writing.cancel()
            await asyncio.wait({writing})
            error = None if writing.cancelled() else writing.exception()
            if error is not None and not isinstance(error, OSError):
                # The head is out, so that no answer can say what happened; the browser comes again by itself.
                BROKEN.inc()
                log.warning("live.broken", error=repr(error)[:300])
                with contextlib.suppress(OSError):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._stream.leave(self._screen)

    async def _write(self, send: Send) -> None:
        # A herd of screens that lost the server together must not come back together.
        await self._send(send, retry(1000 + random.randrange(2000)))
        # It may have ended between the question and the screen, which nobody told to end then.
        looked_at = -math.inf
        async with contextlib.aclosing(self._beating()) as chunks:
            async for chunk in chunks:
                await self._send(send, chunk)
                if time.monotonic() - looked_at >= self._stream.limits.look_s:
                    looked_at = time.monotonic()
                    if not await self._still_allowed():
                        break
        last = b"" if self._packed is None else self._packed.end()
        await send({"type": "http.response.body", "body": last, "more_body": False})

    async def _beating(self) -> AsyncGenerator[bytes, None]:
        """The screen's frames, and a beat wherever none has come for `heartbeat_s`.

        Also while the first snapshot is being read: a browser takes a stream without a byte for dead.
        """
        async with contextlib.aclosing(self._stream.frames(self._screen, self._after)) as frames:
            while True:
                following = asyncio.ensure_future(anext(frames, None))
                try:
                    while not (await asyncio.wait({following}, timeout=self._stream.limits.heartbeat_s))[0]:
                        yield HEARTBEAT
                finally:
                    # Frames can only be closed once nobody waits for the next of them.
                    following.cancel()
                    await asyncio.wait({following})
                chunk = following.result()
                if chunk is None:
                    return
                yield chunk

    async def _send(self, send: Send, chunk: bytes) -> None:
        body = chunk if self._packed is None else self._packed.add(chunk, await self._stream.pieces.of(chunk))
        async with asyncio.timeout(self._stream.limits.write_s):
            await send({"type": "http.response.body", "body": body, "more_body": True})

    async def _still_allowed(self) -> bool:
        """Whether the session still stands and still shows the same of the same sites."""
        sessions: Sessions = self._request.app.state.sessions
        user = await sessions.still_valid(self._request)
        sites, viewer = self._screen.view
        if user is None or user.viewer() != viewer:
            return False
        return user.sees_all if sites is None else all(user.may_see(site) for site in sites)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
