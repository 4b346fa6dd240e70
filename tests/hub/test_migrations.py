"""The database's shape: what the migrations make is what the models say."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from hub import migrations
from hub.db import Database
from hub.models import metadata

PARTITIONS = ("readings_y", "readings_other")


async def test_migrations_make_what_the_models_say(database: Database) -> None:
    def compared(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda thing, name, kind, *_: not str(name).startswith(PARTITIONS)},
        )
        return list(compare_metadata(context, metadata()))

    async with database.transaction() as conn:
        differences = await conn.run_sync(compared)
    assert differences == []


async def test_migrating_again_changes_nothing(database: Database) -> None:
    assert await migrations.held(database) == migrations.newest()
    await migrations.upgrade(database)
    assert await migrations.held(database) == migrations.newest()
