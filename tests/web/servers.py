"""A server made of `web` alone: accounts and sessions in memory, the live stream over lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from fastapi import APIRouter, FastAPI

from contract.commands import Person
from web.addresses import networks
from web.app import make_app
from web.live.screens import LiveEvent, View
from web.live.states import State
from web.live.stream import Live, LiveLimits, Snapshot
from web.server.server import Doorway, Server, make_server
from web.session.passwords import Passwords
from web.session.sessions import SessionLimits, Sessions, normal_username
from web.session.store import StoredAccount, StoredSession
from web.users import User


class Clock:
    """Both clocks of a server, moved by hand."""

    def __init__(self) -> None:
        self.wall = 1_800_000_000.0
        self.monotonic = 100.0

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@dataclass
class MemoryStore:
    """`SessionStore` in dictionaries; `records` is what it would have recorded."""

    accounts: dict[str, StoredAccount] = field(default_factory=dict)
    sessions: dict[str, StoredSession] = field(default_factory=dict)
    records: list[tuple[str, str, str]] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)

    async def account(self, username: str) -> StoredAccount | None:
        return self.accounts.get(username)

    async def takes_code(self, account: str, code: str, at: int) -> bool:
        return self.codes.pop(code, None) == account

    async def open(self, session: StoredSession, account: StoredAccount) -> bool:
        if account not in self.accounts.values():
            return False
        self.sessions[session.token_hash] = session
        self.records.append(("opened", account.user.username, session.address))
        return True

    async def find(self, token_hash: str) -> tuple[StoredSession, User] | None:
        session = self.sessions.get(token_hash)
        if session is None:
            return None
        owner = next((stored.user for stored in self.accounts.values() if stored.user.id == session.account), None)
        return None if owner is None else (session, owner)

    async def of_account(self, account: str) -> list[StoredSession]:
        return [session for session in self.sessions.values() if session.account == account]

    async def seen(self, token_hash: str, at: int) -> None:
        self.sessions[token_hash] = self.sessions[token_hash]._replace(seen_at=at)

    async def proven(self, token_hash: str, at: int) -> None:
        self.sessions[token_hash] = self.sessions[token_hash]._replace(proven_at=at)

    async def slowed(self, user: User, address: str, noun: str, share: int) -> None:
        self.records.append(("slowed", user.username, noun))

    async def close(self, session: StoredSession, user: User, by: Person | None = None) -> None:
        self.sessions.pop(session.token_hash, None)
        self.records.append(("closed", user.username, ""))

    async def refused(self, username: str, address: str, why: str) -> None:
        self.records.append(("refused", username, why))


@dataclass
class MemorySource:
    """`LiveSource` over a list of events; `slow` holds back snapshots until it is set."""

    events: list[LiveEvent] = field(default_factory=list)
    snapshots: int = 0
    slow: asyncio.Event | None = None

    def _seen(self, view: View) -> list[LiveEvent]:
        return [found for event in self.events if (found := event.seen(view)) is not None]

    async def missed(self, view: View, after: int, limit: int) -> list[LiveEvent] | None:
        if after > max((event.id for event in self.events), default=0):
            return None
        found = [event for event in self._seen(view) if event.id > after]
        return None if len(found) > limit else found

    async def snapshot(self, view: View) -> Snapshot:
        self.snapshots += 1
        last = max((event.id for event in self.events), default=0)
        newest = [event.id for event in self._seen(view)][-50:][::-1]
        if self.slow is not None:
            await self.slow.wait()
        return Snapshot(last, msgspec.json.encode({"as_of": "2027-01-15T08:00:00.000Z", "events": newest}))


@dataclass
class House:
    """One server under test."""

    app: FastAPI
    store: MemoryStore
    source: MemorySource
    live: Live
    sessions: Sessions
    clock: Clock
    passwords: Passwords

    async def add(
        self,
        username: str,
        password: str,
        role: str = "guard",
        sites: Sequence[str] = ("a",),
        *,
        second_factor: bool = False,
    ) -> User:
        user = User.model_validate(
            {"id": f"id-{username}", "username": username, "name": username.title(), "role": role, "sites": sites}
        )
        hashed = await self.passwords.hash(password)
        self.store.accounts[normal_username(username)] = StoredAccount(user, hashed, "one" if second_factor else "")
        return user

    def client(self, address: str = "192.0.2.7", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 40_000))
        return httpx.AsyncClient(transport=transport, base_url="http://site.example", headers=headers)

    def publish(self, *events: LiveEvent, states: Sequence[State] = ()) -> None:
        self.source.events.extend(events)
        self.live.publish(events, states)


QUICK = LiveLimits(tick_s=0.02)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for another task to have done something; the test's own time-out ends it."""
    while not holds():  # noqa: ASYNC110 — what is awaited has no event of its own
        await asyncio.sleep(0.005)


def house(
    *,
    limits: LiveLimits = QUICK,
    session_limits: SessionLimits | None = None,
    routers: Sequence[APIRouter] = (),
    reasons: Sequence[str] = (),
    dist: Path = Path("/nonexistent"),
    trusted_proxies: str = "",
) -> House:
    clock, store, source, passwords = Clock(), MemoryStore(), MemorySource(), Passwords()
    live = Live(source, limits)
    sessions = Sessions(
        store,
        passwords,
        limits=session_limits or SessionLimits(),
        wall_s=lambda: clock.wall,
        monotonic_s=lambda: clock.monotonic,
    )

    async def ready() -> list[str]:
        return list(reasons)

    app = make_app(
        title="test", version="0", sessions=sessions, live=live, routers=routers, ready=ready, dist=dist,
        trusted_proxies=networks(trusted_proxies),
    )  # fmt: skip
    return House(app, store, source, live, sessions, clock, passwords)


def event(number: int, site: str = "a", **data: Any) -> LiveEvent:
    return typed_event(number, "door.opened", site, **data)


def typed_event(number: int, kind: str, site: str = "a", source: str = "x", **data: Any) -> LiveEvent:
    """An event whose item is its data, its id and its site."""

    def item(seen: msgspec.Raw) -> bytes:
        return msgspec.json.encode({"id": number, "site": site, **msgspec.json.decode(seen)})

    return LiveEvent(number, site, kind, source, msgspec.Raw(msgspec.json.encode(data)), item)


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[str]:
    """The app behind a real uvicorn on a free port; its address."""
    server = make_server(app)
    serving = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.listener is not None or serving.done())
        port = server.port
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@dataclass
class Frame:
    name: str
    data: Any
    id: int | None


class Stream:
    """Reads server-sent events as a browser does."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self.comments = 0
        self.retry: int | None = None

    async def next(self) -> Frame | None:
        """The next event, None when the server ended the stream."""
        name, last_id, data = "", None, ""
        async with asyncio.timeout(20):
            async for line in self._lines:
                key, _, value = line.partition(": ")
                if line == "" and data:
                    return Frame(name, msgspec.json.decode(data), last_id)
                if line.startswith(":"):
                    self.comments += 1
                elif key == "event":
                    name = value
                elif key == "id":
                    last_id = int(value)
                elif key == "data":
                    data += value
                elif key == "retry":
                    self.retry = int(value)
        return None

    async def named(self, name: str) -> Frame:
        """The next event of that name; others on the way are skipped."""
        while True:
            found = await self.next()
            assert found is not None, f"the stream ended before {name}"
            if found.name == name:
                return found


@asynccontextmanager
async def streaming(url: str, token: str, last_id: int | None = None, **query: str) -> AsyncIterator[Stream]:
    headers = {"Authorization": f"Bearer {token}"} | ({} if last_id is None else {"Last-Event-ID": str(last_id)})
    async with (
        httpx.AsyncClient(base_url=url, timeout=30) as client,
        client.stream("GET", "/api/live", params=query, headers=headers) as response,
    ):
        response.raise_for_status()
        yield Stream(response)


@asynccontextmanager
async def serving(app: FastAPI, doorway: Doorway) -> AsyncIterator[Server]:
    """The app on a port of its own, until the block ends."""
    server = make_server(app, doorway=doorway)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.listener is not None)
    try:
        yield server
    finally:
        server.should_exit = True
        await task
