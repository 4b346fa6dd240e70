"""What signed-in people read of others' personal data, and what they were refused: told, without flooding the history.

The first of its kind is told at once; what the same account does of the same kind at the same site within the next
minute is one event at its end. How it is recorded is the server's business (`Recorder`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

import msgspec
import structlog
from fastapi import Depends
from prometheus_client import Counter
from starlette.requests import Request

from contract.commands import Person
from contract.facts.people import ReadWhat, RecordsRead, RequestRefused
from web.session.sessions import address_of
from web.users import User

log = structlog.get_logger("web.witness")

UNTOLD = Counter("gatehouse_witness_untold", "Reads and refusals of which too many waited to be told")

QUIET_S = 60.0
MOST_KEPT = 5000
"""Accounts and kinds at once. Beyond it what is new is counted (`UNTOLD`) and not told."""

MOST_IDS = 50


class Told(NamedTuple):
    """An event to record: `source` is the account's id; `site` None: of no one site."""

    kind: str
    source: str
    data: msgspec.Struct
    site: str | None


Recorder = Callable[[Told], Awaitable[None]]


class _Key(NamedTuple):
    kind: str
    account: str
    what: str
    site: str | None


@dataclass(slots=True)
class _Waiting:
    """What came within the minute."""

    by: Person
    address: str
    times: int = 0
    records: int = 0
    ids: dict[str, None] = field(default_factory=dict)


class Witness:
    """Belongs to one event loop."""

    def __init__(self, record: Recorder, *, quiet_s: float = QUIET_S) -> None:
        self._record = record
        self._quiet_s = quiet_s
        self._waiting: dict[_Key, _Waiting] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def read(
        self, request: Request, user: User, what: ReadWhat, site: str | None, *, records: int, id: str | None = None
    ) -> None:
        """Somebody was given so many `records`. `id`: of the one that was asked for by name."""
        key = _Key("records.read", user.id, what, site or _only_site(user))
        self._saw(key, user, address_of(request), records, id)

    def refused(self, request: Request, user: User) -> None:
        """Somebody was answered 403."""
        route = getattr(request.scope.get("route"), "path", None) or "/…"
        key = _Key("request.refused", user.id, f"{request.method} {route}", _only_site(user))
        self._saw(key, user, address_of(request), 0, None)

    async def close(self) -> None:
        """Tell what waits: the server stops."""
        for key in list(self._waiting):
            self._over(key)
        if self._telling:
            await asyncio.wait(self._telling, timeout=5)

    def _saw(self, key: _Key, user: User, address: str, records: int, id: str | None) -> None:
        waiting = self._waiting.get(key)
        at_once = waiting is None
        if waiting is None:
            if len(self._waiting) >= MOST_KEPT:
                UNTOLD.inc()
                return
            waiting = self._waiting[key] = _Waiting(user.person(), address)
        waiting.times += 1
        waiting.records += records
        if id is not None and len(waiting.ids) < MOST_IDS:
            waiting.ids[id] = None
        if at_once:
            self._tell(key, waiting)

    def _tell(self, key: _Key, waiting: _Waiting) -> None:
        """Record it; what comes within the next minute waits for its end."""
        self._waiting[key] = _Waiting(waiting.by, waiting.address)
        asyncio.get_running_loop().call_later(self._quiet_s, self._over, key)
        task = asyncio.create_task(self._recorded(key, waiting), name="witness")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _over(self, key: _Key) -> None:
        waiting = self._waiting.pop(key, None)
        if waiting is not None and waiting.times:
            self._tell(key, waiting)

    async def _recorded(self, key: _Key, seen: _Waiting) -> None:
        try:
            await self._record(Told(key.kind, key.account, _data(key, seen), key.site))
        except Exception:  # what is read is answered all the same; that nobody wrote it down is counted
            UNTOLD.inc(seen.times)
            log.exception("witness.not_recorded", kind=key.kind, account=key.account, times=seen.times)


def _data(key: _Key, seen: _Waiting) -> msgspec.Struct:
    if key.kind == "request.refused":
        return RequestRefused(by=seen.by, request=key.what, times=seen.times, address=seen.address)
    what = msgspec.convert(key.what, ReadWhat)
    return RecordsRead(
        by=seen.by, what=what, times=seen.times, records=seen.records, ids=list(seen.ids), address=seen.address
    )


def _only_site(user: User) -> str | None:
    return user.sites[0] if len(user.sites) == 1 and not user.sees_all else None


def _witness(request: Request) -> Witness:
    found: Witness = request.app.state.witness
    return found


Witnessed = Annotated[Witness, Depends(_witness)]
"""Dependency: who tells what is read."""
