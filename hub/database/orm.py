"""An ORM session inside a transaction that somebody else opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession


@asynccontextmanager
async def session_on(conn: AsyncConnection) -> AsyncIterator[AsyncSession]:
    """A session for one projection: flushed at the end, never committed; the connection's owner does that."""
    session = AsyncSession(bind=conn, expire_on_commit=False, join_transaction_mode="rollback_only")
    try:
        yield session
        await session.flush()
    finally:
        await session.close()
