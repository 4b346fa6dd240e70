"""A real PostgreSQL for the hub's tests: one server a worker, one database a test, copied from a migrated one."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.engine import make_url

from hub import migrations
from hub.database.transactions import Database
from simulators.demo.programs import prepare_postgres
from tests.leftovers import ends_with_us, postgres_folder

_names = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of this worker, in a folder that its unprivileged user can reach."""
    folder = postgres_folder()
    server = prepare_postgres(folder)
    with (folder / "data" / "gatehouse.conf").open("a") as settings:
        # Only speed: what a test database loses in a power cut is lost anyway.
        settings.write("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nautovacuum = off\n")
    program = server.program
    process = subprocess.Popen(
        program.argv,
        cwd="/",
        user=program.user,
        env={**os.environ, **program.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=ends_with_us(signal.SIGINT),  # noqa: PLW1509 - one system call, no lock
    )
    try:
        deadline = time.monotonic() + 30
        while not server.ready():
            assert process.poll() is None, "PostgreSQL did not start"
            assert time.monotonic() < deadline, "PostgreSQL was not ready within 30 s"
            time.sleep(0.05)
        yield server.url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def of_name(url: str, name: str) -> str:
    """The same server's database `name`."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def migrated(postgres_url: str) -> str:
    """The name of a database with every table and no rows."""
    asyncio.run(_migrate(postgres_url, "gatehouse_template"))
    return "gatehouse_template"


async def _migrate(url: str, name: str) -> None:
    await _admin(url, f"CREATE DATABASE {name}")
    database = Database(of_name(url, name), pool_size=1)
    await migrations.upgrade(database)
    await database.close()


@pytest.fixture
async def database_url(postgres_url: str, migrated: str) -> AsyncIterator[str]:
    """A fresh migrated database."""
    name = f"gatehouse_{next(_names)}"
    await _admin(postgres_url, f"CREATE DATABASE {name} TEMPLATE {migrated} STRATEGY FILE_COPY")
    yield of_name(postgres_url, name)
    await _admin(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The hub's access to a fresh database."""
    found = Database(database_url, pool_size=5)
    yield found
    await found.close()


async def _admin(url: str, statement: str) -> None:
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()
