"""Alembic's entry: in the transaction of `hub.migrations.upgrade`, or by `alembic` with DATABASE_URL for new steps."""

from __future__ import annotations

import asyncio
import os
from typing import Literal

from alembic import context
from sqlalchemy import Connection
from sqlmodel.sql.sqltypes import AutoString

from hub.database.transactions import Database, Moment
from hub.domains import metadata


def wanted(thing: object, name: str | None, kind: str, reflected: bool, compared: object) -> bool:
    """Partitions of `readings` come and go with the months; they are no part of the shape."""
    return not (kind == "table" and (name or "").startswith(("readings_y", "readings_other")))


def rendered(kind: str, thing: object, context_of: object) -> str | Literal[False]:
    """Write steps in SQLAlchemy's own types: a step must not change when our classes do."""
    if kind == "type" and isinstance(thing, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, AutoString):
        return f"sa.String(length={thing.length})"
    return False


def run(connection: Connection) -> None:
    """Run the steps on `connection`."""
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        include_object=wanted,
        render_item=rendered,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_alone() -> None:
    """Without a connection given: for `alembic revision --autogenerate`."""
    database = Database(os.environ["DATABASE_URL"], command_timeout=None)
    async with database.transaction() as conn:
        await conn.run_sync(run)
    await database.close()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_alone())
