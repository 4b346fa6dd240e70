"""A real hub for the benches: PostgreSQL, migrated and seeded with a site, the process, and somebody signed in."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import httpx

from simulators.demo.programs import Postgres, free_port, prepare_postgres
from tests.leftovers import ends_with_us, postgres_folder

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"

ELSEWHERE = ("nice", "-n", "19")
"""The hub, its database and attackers stand for other machines: they take what the site leaves of this one."""


class Hub:
    """A running hub: its database, and the API as an administrator sees it."""

    def __init__(self, database: asyncpg.Connection, client: httpx.AsyncClient) -> None:
        self.database = database
        self.client = client


@asynccontextmanager
async def hub(folder: Path, *, site_file: Path, people: Path, broker_port: int) -> AsyncIterator[Hub]:
    """A hub of that site whose broker listens on `broker_port`."""
    home = postgres_folder()
    postgres, server = database_at(home)
    port = free_port()
    password = folder / "hub.password"
    password.write_text("bench")
    accounts = folder / "accounts.json"
    accounts.write_text(json.dumps({"accounts": [{"username": "li", "password": PASSWORD, "role": "admin"}]}))
    accounts.chmod(0o600)
    env = {
        **os.environ,
        "DATABASE_URL": postgres.url,
        "GATEHOUSE_PORT": str(port),
        "GATEHOUSE_BROKER_PORT": str(broker_port),
        "GATEHOUSE_BROKER_USER": "bench",
        "GATEHOUSE_BROKER_PASSWORD_FILE": str(password),
        "GATEHOUSE_KEY_FILE": str(password.with_name("hub.key")),
        "PYTHONPATH": str(ROOT),
    }
    process: asyncio.subprocess.Process | None = None
    try:
        async with asyncio.timeout(60):
            while not await asyncio.to_thread(postgres.ready):  # noqa: ASYNC110 - a foreign process
                await asyncio.sleep(0.05)
        seed = ["seed", "--site-file", str(site_file), "--accounts", str(accounts), "--people", str(people)]
        with (folder / "hub.log").open("ab") as log:
            for words in (["migrate"], seed, ["serve"]):
                process = await asyncio.create_subprocess_exec(
                    *ELSEWHERE, sys.executable, "-m", "hub", *words, env=env, stdout=log, stderr=log
                )
                if words != ["serve"]:
                    assert await process.wait() == 0, (folder / "hub.log").read_text()[-2000:]
        database = await asyncpg.connect(postgres.url)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            await _ready(client)
            answer = await client.post("/api/session", json={"username": "li", "password": PASSWORD})
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            yield Hub(database, client)
        await database.close()
    finally:
        if process is not None and process.returncode is None:
            process.terminate()
            await process.wait()
        server.send_signal(signal.SIGINT)
        await asyncio.to_thread(server.wait, 30)
        shutil.rmtree(home, ignore_errors=True)


def database_at(home: Path) -> tuple[Postgres, subprocess.Popen[bytes]]:
    postgres = prepare_postgres(home)
    with (home / "data" / "gatehouse.conf").open("a") as settings:
        settings.write("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
    program = postgres.program
    return postgres, subprocess.Popen(
        [*ELSEWHERE, *program.argv],
        cwd="/",
        user=program.user,
        env={**os.environ, **program.env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=ends_with_us(signal.SIGINT),  # noqa: PLW1509 - one system call, no lock
    )


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
