"""The same request sent twice is one act: `Idempotency-Key`.

The answer to a request with a key is remembered, by who asked, for what, and under which key: the same request again
gets the same answer, and nothing is done a second time; another request under the same key is refused (422). What was
refused is not remembered: it may be put right and sent again. A twin that comes while the first is under way waits.

`OnceRoute` is the route class of every router that writes; where answers are remembered is the server's to say
(`app.state.once`).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple, Protocol

import msgspec
from fastapi import Depends, Header
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from contract.texts import Text
from web.errors import Invalid
from web.session.sessions import Sessions

DAY_S = 86_400.0
"""For how long an answer is remembered."""

LONGEST = 128

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SECRETS = frozenset({"password", "current"})
"""Fields of bodies that leave no trace, not even in a hash: a hash of a password could be guessed at leisure. So could
that of a PIN, the `value` of a body whose `kind` says so."""

_OTHER = Text("此幂等键已用于另一项请求", "this key was used for another request")
REPLAYED = "Idempotency-Replayed"
"""Header of an answer that was given before."""

Plain = Callable[[Request], Awaitable[Response]]


class Asked(NamedTuple):
    """A request with a key. `route`: method and address; `body`: a fingerprint of what it says."""

    route: str
    key: str
    body: bytes

    def of(self, account: str) -> bytes:
        """Under what its answer is remembered."""
        return hashlib.sha256("\n".join((account, self.route, self.key)).encode()).digest()


class Given(NamedTuple):
    """An answer that was given. `asked`: the fingerprint of the body that it answers."""

    asked: bytes
    status: int
    body: bytes
    etag: str | None

    @classmethod
    def to(cls, asked: Asked, response: Response) -> Given:
        """The answer to a request."""
        return cls(asked.body, response.status_code, bytes(response.body), response.headers.get("ETag"))

    def again(self, asked: Asked) -> Response:
        """The same answer; `Invalid` if the request is another one."""
        if self.asked != asked.body:
            raise Invalid({"Idempotency-Key": _OTHER}, _OTHER)
        headers = {REPLAYED: "true"} | ({"ETag": self.etag} if self.etag else {})
        media_type = "application/json" if self.body else None
        return Response(self.body or None, self.status, headers, media_type)


class Once(Protocol):
    """Where a server remembers its answers."""

    async def once(self, request: Request, asked: Asked, plain: Plain) -> Response:
        """The answer that the same request got before, else that of `plain`, remembered if it was done."""


def _declared(
    _: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=LONGEST,
            description="Any text of one's own: the same request under the same key is done once, within a day.",
        ),
    ] = None,
) -> None:
    """Only says that the header is known."""


def _every_time() -> None:
    """Only says that no key makes it one."""


EVERY_TIME = Depends(_every_time)
"""In a route's `dependencies`: done as often as it is sent, and no key is promised."""


class OnceRoute(APIRoute):
    """A route whose writes are done once a key."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        before = list(more.get("dependencies") or ())
        self._writes = not _SAFE.issuperset(more.get("methods") or {"GET"}) and EVERY_TIME not in before
        if self._writes and all(one.dependency is not _declared for one in before):
            more["dependencies"] = [*before, Depends(_declared)]
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler, and before it the question whether this was asked before."""
        plain = super().get_route_handler()
        if not self._writes:
            return plain

        async def once(request: Request) -> Response:
            key = request.headers.get("Idempotency-Key", "")
            if not 1 <= len(key) <= LONGEST:
                return await plain(request)
            asked = Asked(_route(request), key, _fingerprint(await request.body()))
            memory: Once = request.app.state.once
            return await memory.once(request, asked, plain)

        return once


def _route(request: Request) -> str:
    return f"{request.method} {request.url.path}?{request.url.query}"


def _fingerprint(body: bytes) -> bytes:
    """Of what the body says, however it is written, without secrets."""
    try:
        said = msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The route will refuse it.
        return hashlib.sha256(body).digest()
    if isinstance(said, dict):
        secrets = _SECRETS | ({"value"} if said.get("kind") == "pin" else set())
        said = {name: value for name, value in said.items() if name not in secrets}
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).digest()


@dataclass(slots=True)
class _Remembered:
    asked: Asked
    at: float
    given: asyncio.Future[Given | None]
    """None: it was refused, and may be asked again."""


@dataclass(slots=True)
class MemoryOnce:
    """Answers remembered in memory, the newest of each account: for a server whose acts end within minutes.

    `most`: of one account; `accounts`: of how many.
    """

    sessions: Sessions
    monotonic_s: Callable[[], float] = time.monotonic
    most: int = 200
    accounts: int = 500
    _held: OrderedDict[str, OrderedDict[bytes, _Remembered]] = field(default_factory=OrderedDict)

    async def once(self, request: Request, asked: Asked, plain: Plain) -> Response:
        """See `Once`."""
        # The route itself counts the write: here it is only asked whose it is.
        account = (await self.sessions.session_of(request))[1].id
        place = asked.of(account)
        while (held := self._find(account, place)) is not None:
            given = await asyncio.shield(held.given)
            if given is not None:
                return given.again(asked)
            # It was refused: whoever waited asks for itself.
        mine = self._begin(account, place, asked)
        response = None
        try:
            response = await plain(request)
        finally:
            if response is None or response.status_code >= 300:
                self._drop(account, place, mine)
            else:
                mine.given.set_result(Given.to(asked, response))
        return response

    def _find(self, account: str, place: bytes) -> _Remembered | None:
        found = self._held.get(account, OrderedDict()).get(place)
        if found is not None and self.monotonic_s() - found.at > DAY_S and found.given.done():
            del self._held[account][place]
            return None
        return found

    def _begin(self, account: str, place: bytes, asked: Asked) -> _Remembered:
        mine = _Remembered(asked, self.monotonic_s(), asyncio.get_running_loop().create_future())
        theirs = self._held.setdefault(account, OrderedDict())
        self._held.move_to_end(account)
        theirs[place] = mine
        if len(theirs) > self.most:
            theirs.popitem(last=False)
        if len(self._held) > self.accounts:
            self._held.popitem(last=False)
        return mine

    def _drop(self, account: str, place: bytes, mine: _Remembered) -> None:
        theirs = self._held.get(account, OrderedDict())
        if theirs.get(place) is mine:
            del theirs[place]
        mine.given.set_result(None)
