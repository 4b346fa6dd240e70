"""The database's shape, step by step (Alembic). `upgrade` brings a database to the newest step."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from hub.database.pins import Pins
from hub.database.transactions import Database

MIGRATION_LOCK = 0x6D69_6772
"""Key of the advisory lock that lets one process migrate at a time."""


def config(connection: Connection | None = None, pins: Pins | None = None) -> Config:
    """Alembic's settings; they need no file. `pins`: for the step that seals them."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    if connection is not None:
        found.attributes["connection"] = connection
    if pins is not None:
        found.attributes["pins"] = pins
    return found


def newest() -> str:
    """The revision that this software expects."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    assert head is not None
    return head


async def upgrade(database: Database) -> None:
    """Bring the database to the newest step, in one transaction."""
    async with database.transaction() as conn:
        await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        pins = Pins(database.key)
        await conn.run_sync(lambda sync: command.upgrade(config(sync, pins), "head"))


async def held(database: Database) -> str | None:
    """The revision that the database has, None for an empty one."""
    async with database.transaction() as conn:
        return await conn.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
