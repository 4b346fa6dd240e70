"""The database's shape: what the migrations make is what the models say."""

from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from hub import migrations
from hub.db import Database
from hub.models import metadata

PARTITIONS = ("readings_y", "readings_other")


def differences(connection: Connection) -> list[object]:
    """Between the models and what is there."""
    context = MigrationContext.configure(
        connection,
        opts={"include_object": lambda thing, name, kind, *_: not str(name).startswith(PARTITIONS)},
    )
    return list(compare_metadata(context, metadata()))


async def test_migrations_make_what_the_models_say(database: Database) -> None:
    async with database.transaction() as conn:
        assert await conn.run_sync(differences) == []


async def test_every_step_after_the_first_can_be_gone_back(database: Database) -> None:
    async with database.transaction() as conn:
        await conn.run_sync(lambda sync: command.downgrade(migrations.config(sync), "0001"))
    assert await migrations.held(database) == "0001"
    await migrations.upgrade(database)
    async with database.transaction() as conn:
        assert await conn.run_sync(differences) == []


async def test_migrating_again_changes_nothing(database: Database) -> None:
    assert await migrations.held(database) == migrations.newest()
    await migrations.upgrade(database)
    assert await migrations.held(database) == migrations.newest()
