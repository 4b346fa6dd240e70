"""asyncpg's own connection under a SQLAlchemy one: for arrays and COPY, inside the caller's transaction."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy.ext.asyncio import AsyncConnection

Driver: TypeAlias = asyncpg.Connection
"""asyncpg's own connection under a SQLAlchemy one."""


async def driver(conn: AsyncConnection) -> Driver:
    """asyncpg's connection. The transaction must have begun: execute something through `conn` before."""
    raw = await conn.get_raw_connection()
    found = raw.driver_connection
    assert isinstance(found, asyncpg.Connection)
    return found
