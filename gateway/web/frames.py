"""`GET /api/wires/<id>/frames`: what is said on a wire, as its owner hears it; a line of JSON each.

One wire has one owner, so whoever looks for a bad cable asks here. Keys, PINs and passwords are told nobody, numbers of
cards and plates only who may know them (`contract.rights`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Annotated

import msgspec
import structlog
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contract.instants import instant
from contract.rights import Viewer
from contract.speech import Speech
from contract.texts import Text
from drivers.listening import Eyes, OnWire, Seen
from drivers.overhearing import WireOverheard
from drivers.tap import Tap, Tapped, Watcher
from gateway.web.served import Gateway, Served
from web.errors import NotFound, Refusal, TooMany, language_of
from web.session.sessions import Able, Sessions
from web.users import User
from web.witness import Witnessed

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/api", tags=["site"])

MayWatch = Annotated[User, Depends(Able("wires.watch"))]

QUIET_S = 0.05
"""After so long without a byte a frame that is unfinished will not be finished."""

BEAT_S = 5.0
"""An empty line goes out wherever nothing was said for so long, and the session is looked at."""

AT_ONCE, REST_S = 20, 0.01
"""So many pieces are put into words in one go, and then the doors have their turn; who wants more loses the oldest."""

WRITE_S = 10.0
"""Who does not read for so long is cut off: there is room for few."""

_CROWDED = Text("查看此线路的人过多", "Too many people are looking at this wire")
_UNTOLD = Text("此类线路没有逐帧显示", "What is said on this kind of wire cannot be shown")


class FrameStream(Response):
    """Lines of JSON."""

    media_type = "application/x-ndjson"


@router.get("/wires/{id}/frames", response_class=FrameStream)
async def frames(id: str, request: Request, gateway: Gateway, user: MayWatch, witness: Witnessed) -> Response:
    """Each frame with its time, direction, unit and words, as it comes; `{"lost": n}` where the asker was too slow."""
    bus = gateway.engine.buses.buses.get(id)
    if bus is None:
        raise NotFound
    viewer = user.viewer()
    eyes = Eyes(secrets=False, numbers=viewer.sees("numbers"), plates=viewer.sees("passing"))
    wire = _on_wire(gateway, id, eyes)
    overheard = WireOverheard(gateway.engine.site.buses[id].kind, wire, Speech(language_of(request)))
    if not isinstance(bus, Tapped) or not overheard.understood:
        raise Refusal(409, "cannot_show", _UNTOLD)
    if bus.tap.crowded:
        raise TooMany(30, _CROWDED)
    log.info("somebody looks at a wire", bus=id, account=user.username)
    if eyes.numbers and overheard.numbers:
        witness.read(request, user, "credentials", gateway.site, records=1, id=id)
    return FramesAnswer(request, bus.tap, overheard, viewer)


class FramesAnswer(FrameStream):
    """Writes what is overheard as it comes, until the asker goes, the session ends, or the server stops."""

    def __init__(self, request: Request, tap: Tap, overheard: WireOverheard, viewer: Viewer) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._request = request
        self._tap = tap
        self._overheard = overheard
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._tap.watched() as watcher:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            endings = (self._write(send, watcher), _gone(receive), self._request.app.state.live.closed.wait())
            tasks = [asyncio.ensure_future(each) for each in endings]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                wrong = (await asyncio.gather(*tasks, return_exceptions=True))[0]
            if isinstance(wrong, Exception) and not isinstance(wrong, OSError):
                log.error("what was said on a wire could not be told", why=repr(wrong)[:300])
            with contextlib.suppress(OSError):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _write(self, send: Send, watcher: Watcher) -> None:
        pending = False
        looked_at = time.monotonic()
        await _send(send, b"\n")
        while True:
            lost, chunks = await watcher.next(QUIET_S if pending else BEAT_S, AT_ONCE)
            seen = [each for chunk in chunks for each in self._overheard.hear(chunk)]
            if not chunks and pending:
                seen = self._overheard.quiet()
            lines = ([msgspec.json.encode({"lost": lost})] if lost else []) + _lines(seen)
            if lines or not (chunks or pending):
                await _send(send, b"\n".join([*lines, b""]) or b"\n")
            pending = bool(chunks)
            if len(chunks) == AT_ONCE:
                await asyncio.sleep(REST_S)
            if time.monotonic() - looked_at >= BEAT_S:
                looked_at = time.monotonic()
                if not await self._still_allowed():
                    return

    async def _still_allowed(self) -> bool:
        """Whether the session still stands and still shows the same."""
        sessions: Sessions = self._request.app.state.sessions
        user = await sessions.still_valid(self._request)
        return user is not None and user.may("wires.watch") and user.viewer() == self._viewer


def _lines(seen: Sequence[Seen]) -> list[bytes]:
    return [msgspec.json.encode(_line(each)) for each in seen]


def _line(each: Seen) -> dict[str, object]:
    latency_ms = None if each.latency_s is None else round(1000 * each.latency_s, 1)
    return {
        "at": instant(int(each.at * 1000)),
        "way": each.way,
        "unit": each.unit,
        "latency_ms": latency_ms,
        "words": each.words,
        "raw": each.raw.hex(),
    } | each.fields


def _on_wire(gateway: Served, bus: str, eyes: Eyes) -> OnWire:
    loaded = gateway.engine.loaded
    devices = {
        id: (installed, loaded.profile_of(id)) for id, installed in loaded.site.devices.items() if installed.bus == bus
    }
    return OnWire(devices, (), eyes)


async def _send(send: Send, body: bytes) -> None:
    async with asyncio.timeout(WRITE_S):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
