"""What a server tells its supervisor, and what its version is."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import httpx

from contract import SOFTWARE
from tests.web.servers import house
from web.server.server import make_server

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


async def test_it_is_ready_once_it_answers_and_says_when_it_ends() -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    server = make_server(house().app, port=0, say=said.put_nowait)
    serving = asyncio.create_task(server.serve())
    assert await said.get() == "READY=1"
    port = server.port
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
    server.should_exit = True
    await serving
    assert await said.get() == "STOPPING=1"


def test_the_package_and_the_processes_have_one_version() -> None:
    project = tomllib.loads(PROJECT.read_text())
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "contract.SOFTWARE"}
    assert SOFTWARE.count(".") == 2
