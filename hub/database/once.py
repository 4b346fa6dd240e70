"""Answers kept in the database, in the transaction that did what they tell of (`web.once`).

Writers go one at a time: a twin waits at the history lock and finds the answer when it has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from web.once import DAY_S, Asked, Given, Plain

KEPT = timedelta(seconds=DAY_S)

_FIND = text(
    "SELECT asked, status, body, etag FROM answers WHERE id = :id AND at > now() - make_interval(secs => :kept_s)"
)
_KEEP = text(
    "INSERT INTO answers (id, asked, status, body, etag, at) VALUES (:id, :asked, :status, :body, :etag, now())"
    " ON CONFLICT (id) DO UPDATE SET asked = excluded.asked, status = excluded.status, body = excluded.body,"
    " etag = excluded.etag, at = excluded.at"
)
_FORGET = text("DELETE FROM answers WHERE position(convert_to(:said, 'UTF8') IN body) > 0")
_PRUNE = text(
    "DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE at <= now() - make_interval(secs => :kept_s)"
    " ORDER BY at LIMIT :most)"
)


@dataclass(slots=True)
class Pending:
    """A request with a key that is under way. `conn`, `id`: once its transaction has begun."""

    asked: Asked
    conn: AsyncConnection | None = None
    id: bytes = b""


class _Again(Exception):
    """The same request was answered before."""

    def __init__(self, given: Given) -> None:
        super().__init__()
        self.given = given


class DatabaseOnce:
    """`web.once.Once` over PostgreSQL."""

    async def once(self, request: Request, asked: Asked, plain: Plain) -> Response:
        """See `web.once.Once`. The transaction is still open when `plain` has answered: it ends with the route."""
        pending = request.state.once = Pending(asked)
        try:
            response = await plain(request)
        except _Again as again:
            return again.given.again(asked)
        if pending.conn is not None and response.status_code < 300:
            await pending.conn.execute(_KEEP, {"id": pending.id, **Given.to(asked, response)._asdict()})
        return response


async def begin(conn: AsyncConnection, request: Request, account: str) -> None:
    """A request's transaction has begun, under the history lock; raises where the request was done before."""
    pending: Pending | None = getattr(request.state, "once", None)
    if pending is None:
        return
    pending.id = pending.asked.of(account)
    row = (await conn.execute(_FIND, {"id": pending.id, "kept_s": DAY_S})).one_or_none()
    if row is not None:
        raise _Again(Given(row.asked, row.status, row.body, row.etag))
    pending.conn = conn


async def forget(conn: AsyncConnection, record: str) -> None:
    """Drop answers that tell of a record: who is erased is not to be found in them either."""
    await conn.execute(_FORGET, {"said": f'"{record}"'})


async def prune(conn: AsyncConnection, most: int) -> int:
    """Drop at most `most` answers that are older than a day; how many."""
    return (await conn.execute(_PRUNE, {"kept_s": DAY_S, "most": most})).rowcount
