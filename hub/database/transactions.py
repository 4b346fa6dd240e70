"""PostgreSQL: the engine, one transaction per request or group, and what is told when it is committed.

Writers of the history go one at a time: a transaction that records an event first takes the history lock and keeps it
until its commit, so that `events.id` is commit order and two writers never wait for each other's rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from typing import Annotated, Any, NamedTuple, Protocol, cast

import structlog
from fastapi import Depends, Request
from prometheus_client import Counter
from sqlalchemy import DateTime, MetaData, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.database import once
from hub.database.event import StoredEvent
from hub.database.failures import passes
from web.errors import Unauthorized
from web.sealing import new_secret
from web.session.sessions import ENDED, Sessions, SignedInUser
from web.users import User

HISTORY_LOCK = 0x6761_7465
"""Key of the advisory lock under which `events.id` is assigned."""

PUT_OFF_FAILED = Counter("gatehouse_put_off_failed", "Work put off to the end of a transaction that failed", ["work"])

_STILL_IN = text(
    "SELECT 1 FROM sessions JOIN accounts ON accounts.id = sessions.account"
    " WHERE token_hash = :token_hash AND account = :account AND active"
)

log = structlog.get_logger(__name__)


class Table(SQLModel):
    """What every table class derives from (`class Door(Table, table=True)`): one set of names for constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Moment(TypeDecorator[datetime]):
    """`timestamptz`: `at: datetime = Field(sa_type=Moment)`."""

    impl = DateTime(timezone=True)
    cache_ok = True


Last = Callable[[AsyncConnection, Sequence[Any]], Awaitable[None]]
"""Work that a transaction does once, right before its commit, with everything that was put off for it."""


@dataclass
class Outcome:
    """What one transaction did that others want to know; told to the subscribers after its commit, never before."""

    events: list[StoredEvent] = field(default_factory=list)
    """Recorded or accepted, by id."""
    states: list[dict[str, Any]] = field(default_factory=list)
    """`state` frames of the live stream: {kind, id, site, …}."""
    desired: set[str] = field(default_factory=set)
    """Sites whose desired state has a new revision."""
    commands: set[str] = field(default_factory=set)
    """Gateways for which commands were asked."""
    waiting: list[tuple[Last, Any]] = field(default_factory=list)
    """What was put off to the end of the transaction, in its order."""

    def put_off(self, work: Last, item: Any) -> None:
        """Have `work` done with `item`, and with all others that are put off for it, right before the commit.

        For rows that lanes with different locks share: whoever locks them last of all waits for nobody while it does.
        """
        self.waiting.append((work, item))

    def state(self, frame: dict[str, Any]) -> None:
        """Tell screens the new state of one thing: the JSON of what REST gives, with `kind`, `id` and `site`.

        In JSON's own types: other processes hear of it, and must show the same. A ticket says in `hands` in whose hand
        its steps are (`web.shapes.TicketHeld`), of which nobody is shown anything.
        """
        self.states.append(frame)

    def mark(self) -> Mark:
        """Where it stands, for `forget_since` when a savepoint is rolled back."""
        return Mark(len(self.events), len(self.states), len(self.waiting), set(self.desired), set(self.commands))

    def forget_since(self, mark: Mark) -> None:
        """Drop what was told after the mark."""
        del self.events[mark.events :]
        del self.states[mark.states :]
        del self.waiting[mark.waiting :]
        self.desired, self.commands = set(mark.desired), set(mark.commands)

    async def finish(self, conn: AsyncConnection) -> None:
        """Do what was put off, each work apart: what fails is logged and counted, and stops nobody's stream."""
        by_work: dict[Last, list[Any]] = {}
        for work, item in self.waiting:
            by_work.setdefault(work, []).append(item)
        for work, items in by_work.items():
            error = await self.apart(conn, partial(work, conn, items))
            if error is not None:
                name = f"{work.__module__}.{work.__qualname__}"
                log.error("commit.put_off_failed", work=name, items=len(items), exc_info=error)
                PUT_OFF_FAILED.labels(name).inc()

    @property
    def shown(self) -> bool:
        """Whether there is something that screens show."""
        return bool(self.events or self.states)

    async def apart(self, conn: AsyncConnection, work: Callable[[], Awaitable[None]]) -> Exception | None:
        """Does work under a savepoint: what fails is undone and not told, and is returned. What may pass is raised."""
        mark = self.mark()
        try:
            async with conn.begin_nested():
                await work()
        except Exception as error:  # whatever one domain makes of one event, the others' stand
            if passes(error):
                raise
            self.forget_since(mark)
            return error
        return None

    def __bool__(self) -> bool:
        return bool(self.events or self.states or self.desired or self.commands)


class Mark(NamedTuple):
    """How far an outcome had come."""

    events: int
    states: int
    waiting: int
    desired: set[str]
    commands: set[str]


class Telling(Protocol):
    """Tells other processes on the same database what this one commits."""

    async def sends(self, conn: AsyncConnection, told: Outcome) -> int | None:
        """In the transaction, right before its commit; a number for it, None if nobody is told."""

    def committed(self, number: int, told: Outcome) -> None:
        """It was, and `told` is about to be told here: without what others did since and is shown already."""

    def undone(self, number: int) -> None:
        """It was not committed, as far as is known."""


class Database:
    """The hub's PostgreSQL. Every transaction goes through `transaction` or `session`.

    `key`: gives the hub's own key (`hub.own_key`), with which its sealed values are sealed, when it is first needed.
    Without one they can be read by this object only. `command_timeout`: seconds of one statement at the most; None for
    work that grows with the history: an index over all events takes as long as it takes.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        key: Callable[[], bytes] = new_secret,
        command_timeout: float | None = 60,
    ) -> None:
        self._key_of = key
        self._url = dialect_url(url)
        self._arguments: dict[str, Any] = {
            "timeout": 5,
            "command_timeout": command_timeout,
            "server_settings": {"application_name": "gatehouse-hub"},
        }
        self.engine: AsyncEngine = create_async_engine(
            self._url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
            # Errors end up in logs; what people sent, and hashes, must not.
            hide_parameters=True,
            connect_args=self._arguments,
        )
        self.telling: Telling | None = None
        self._subscribers: list[Callable[[Outcome], None]] = []

    @cached_property
    def key(self) -> bytes:
        """The hub's own key."""
        return self._key_of()

    def subscribe(self, told: Callable[[Outcome], None]) -> Callable[[], None]:
        """`told` is called on the loop after each commit that did something; returns how to end it."""
        self._subscribers.append(told)
        return lambda: self._subscribers.remove(told)

    @asynccontextmanager
    async def transaction(self, *, writes: bool = False) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        `writes`: the block records events or changes rows that projections change too; takes the history lock first.
        """
        async with self.engine.connect() as conn:
            told = conn.info["outcome"] = Outcome()
            telling = self.telling
            number: int | None = None
            with ExitStack() as unless_committed:
                async with conn.begin():
                    if writes:
                        await lock_history(conn)
                    yield conn
                    await told.finish(conn)
                    if telling is not None and told.shown:
                        number = await telling.sends(conn, told)
                        if number is not None:
                            unless_committed.callback(telling.undone, number)
                unless_committed.pop_all()
            # Before the connection is given back: whoever is cancelled there has committed all the same.
            if telling is not None and number is not None:
                telling.committed(number, told)
            self._tell(told)

    @asynccontextmanager
    async def session(self, *, writes: bool = False) -> AsyncIterator[AsyncSession]:
        """The same as an ORM session; it is flushed and committed once, by this block."""
        async with self.transaction(writes=writes) as conn:
            # The session joins the connection's transaction; it cannot commit by itself.
            session = AsyncSession(bind=conn, expire_on_commit=False, join_transaction_mode="rollback_only")
            try:
                yield session
                await session.commit()
            finally:
                await session.close()

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[AsyncConnection]:
        """A connection beside the pool, for whoever keeps one: to hear what others notify."""
        engine = create_async_engine(self._url, poolclass=NullPool, connect_args=self._arguments)
        async with engine.connect() as conn:
            yield conn

    def _tell(self, told: Outcome) -> None:
        if not told:
            return
        for subscriber in list(self._subscribers):
            try:
                subscriber(told)
            except Exception:  # the commit stands; one deaf subscriber must not make it look undone
                log.exception("commit.not_told", subscriber=repr(subscriber))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def dialect_url(url: str) -> URL:
    """`DATABASE_URL` (postgresql://…) as SQLAlchemy's asyncpg dialect wants it."""
    return make_url(url).set(drivername="postgresql+asyncpg")


def outcome(conn: AsyncConnection) -> Outcome:
    """What the transaction of this connection will tell after its commit."""
    return cast(Outcome, conn.info["outcome"])


async def lock_history(conn: AsyncConnection) -> None:
    """Take the history lock (again, if this transaction has it)."""
    await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": HISTORY_LOCK})


async def connection(session: AsyncSession) -> AsyncConnection:
    """The session's connection, for `stream.record`, `desired.changed` and `outcome`; flushes first."""
    await session.flush()
    return await session.connection()


def database(request: Request) -> Database:
    """The process's database (FastAPI dependency)."""
    return cast(Database, request.app.state.database)


# Who is asking is settled first: a request that held a connection while it looked up its session in another one would
# block itself and others as soon as the pool is used up.
async def _reading(request: Request, _: SignedInUser) -> AsyncIterator[AsyncSession]:
    async with database(request).session() as session:
        yield session


async def _writing_later(request: Request, user: SignedInUser) -> AsyncIterator[Later]:
    async with AsyncExitStack() as stack:
        yield Later(request, user, stack)


async def _writing(later: WritingLater) -> AsyncSession:
    return await later.begin()


class Later:
    """A signed-in person's transaction that begins when the slow work before it is done."""

    def __init__(self, request: Request, user: User, stack: AsyncExitStack) -> None:
        self._request = request
        self._user = user
        self._stack = stack

    async def begin(self) -> AsyncSession:
        """The session; it is committed before the answer is sent. Raises where the request was done before.

        `Unauthorized` if who asks was signed out since: what ended their session, as a new password does, came first.
        """
        session = await self._stack.enter_async_context(database(self._request).session(writes=True))
        conn = await session.connection()
        sessions: Sessions = self._request.app.state.sessions
        asking = {"token_hash": sessions.token_hash(self._request), "account": self._user.id}
        if (await conn.execute(_STILL_IN, asking)).one_or_none() is None:
            raise Unauthorized(ENDED, "session_ended")
        await once.begin(conn, self._request, self._user.id)
        return session


Reading = Annotated[AsyncSession, Depends(_reading, scope="function")]
"""A signed-in person's session that changes nothing which events or projections touch."""

WritingLater = Annotated[Later, Depends(_writing_later, scope="function")]
"""As `Writing`, for routes that hash a password first: `session = await later.begin()`."""

Writing = Annotated[AsyncSession, Depends(_writing, scope="function")]
"""A signed-in person's session that records or changes; committed before the answer is sent.

No slow work (hashing) inside.
"""
