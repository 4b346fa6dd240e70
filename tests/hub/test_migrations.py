"""The database's shape: what the migrations make is what the models say."""

from __future__ import annotations

from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from typer.testing import CliRunner

from hub import logs, migrations
from hub.__main__ import app
from hub.database import transactions
from hub.database.transactions import Database
from hub.domains import TABLES, metadata
from tests.hub.office import office
from tests.hub.senders import rows

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


@pytest.mark.parametrize(
    ("command", "most_s"), [("migrate", None), ("verify", None), ("reproject", None), ("account list", 60)]
)
def test_what_grows_with_the_history_may_take_its_time(
    monkeypatch: pytest.MonkeyPatch, command: str, most_s: float | None
) -> None:
    asked: list[float | None] = []

    def engine(*_: object, connect_args: dict[str, Any], **__: object) -> None:
        asked.append(connect_args["command_timeout"])
        raise ConnectionRefusedError("no database here")

    monkeypatch.setattr(transactions, "create_async_engine", engine)
    monkeypatch.setattr(logs, "set_up", lambda _: None)  # the runner takes its output away when it is done
    monkeypatch.setenv("DATABASE_URL", "postgresql://x@127.0.0.1/z")
    assert CliRunner().invoke(app, command.split()).exit_code == 1
    assert asked == [most_s]


ODD = (r'{"username":"wang","x":"\u0000"}', r'{"username":"wang\u0000"}', r"[1]")


async def test_odd_words_of_a_gateway_stop_no_migration(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        for data in ODD:
            event = hub.journals["demo"].record("session.opened", data.encode())
            await hub.take(hub.journals["demo"].arrived(event.seq, event.seq))
        # Nor do they keep anybody from their own events.
        answer = await client.get("/api/events", params={"kind": "session.opened"})
        assert [one["data"]["username"] for one in answer.json()["items"]] == ["wang"]
        async with database.transaction() as conn:
            await conn.run_sync(lambda sync: command.downgrade(migrations.config(sync), "tickets_open"))
        await migrations.upgrade(database)
        assert await rows(database, "SELECT 1 FROM accounts WHERE signed_in_at IS NOT NULL") == [(1,)]


def test_every_table_is_named() -> None:
    assert {table.__tablename__ for table in TABLES} == set(metadata().tables)
