"""The hub is upgraded first: a hub of the next version serves gateways of this one, and then of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract import VERSION
from simulators.demo.programs import free_port
from tests.hub.pair import PASSWORD, Office, begin, office, until, write_site
from tests.hub.rig import ROOT, Rig

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

PACKAGES = ("contract", "rules", "drivers", "config", "web", "hub", "gateway")
NEXT = VERSION + 1


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """The packages as they would be after the version of the envelope was raised."""
    tree = tmp_path / "next"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    contract = tree / "contract" / "__init__.py"
    raised = re.sub(rf"^VERSION = {VERSION}$", f"VERSION = {NEXT}", contract.read_text(), flags=re.MULTILINE)
    assert f"VERSION = {NEXT}\n" in raised
    contract.write_text(raised)
    return tree


@pytest.fixture
async def rig(tmp_path: Path, database_url: str) -> AsyncIterator[Rig]:
    found = Rig(tmp_path, database_url)
    try:
        yield found
    finally:
        found.stop()


@contextmanager
def running(tree: Path, site: Path) -> Iterator[str]:
    """`python -m gateway` of the packages in `tree`; the address of its own server."""
    port = free_port()
    argv = (sys.executable, "-m", "gateway", "--site", str(site), "--data", str(site.parent), "--port", str(port))
    with (site.parent / "gateway.log").open("ab") as log:
        process = subprocess.Popen(argv, cwd=tree, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


async def served(hub: Office, reads: int) -> None:
    """The gateway has its records at the hub, its desired state, and does what it is asked."""

    async def there() -> bool:
        item = await hub.gateway()
        up_to_date: bool = item["online"] and item["versions"]["reads"] == reads and item["backlog"] == 0
        return up_to_date and item["versions"]["desired"] > 0

    await until(there)

    async def alarm() -> Any:
        # Nothing is at the end of the site's wire: that device is lost.
        return [id for id, state in (await hub.alarms()).items() if state == "active"]

    [lost] = await until(alarm)
    asked = await hub.post(f"/api/alarms/{lost}/shelve", for_s=60)

    async def done() -> bool:
        return bool((await hub.get(f"/api/commands/{asked['id']}"))["state"] == "done")

    await until(done)

    async def shelved() -> bool:
        return (await hub.alarms())[lost] == "shelved"

    await until(shelved)
    asked = await hub.post(f"/api/alarms/{lost}/unshelve")
    await until(done)


async def test_a_hub_of_the_next_version_serves_gateways_of_this_one_and_of_its_own(
    rig: Rig, tmp_path: Path, next_version: Path
) -> None:
    rig.start_broker()
    rig.tree = next_version
    site = write_site(tmp_path / "gw", rig)
    await begin(rig, site)
    async with office(rig) as hub:
        with running(ROOT, site) as address:
            await served(hub, reads=VERSION)
            async with httpx.AsyncClient(base_url=address) as client:
                # The accounts came down as well, and nothing that came down was refused.
                answer = await client.post("/api/session", json={"username": "boss", "password": PASSWORD})
                assert answer.status_code == 200, answer.text
                assert (await client.get("/api/about")).json()["hub_connected"] is True
        log = (site.parent / "gateway.log").read_text()
        assert "uplink.refused" not in log
        with running(next_version, site):
            await served(hub, reads=NEXT)
    assert "uplink.refused" not in (site.parent / "gateway.log").read_text()


async def test_a_gateway_that_is_newer_than_its_hub_is_refused_and_says_so_at_the_site(
    rig: Rig, tmp_path: Path, next_version: Path
) -> None:
    rig.start_broker()
    site = write_site(tmp_path / "gw", rig)
    await begin(rig, site)
    with running(ROOT, site):
        async with office(rig) as hub:
            await served(hub, reads=VERSION)
    with running(next_version, site) as address:
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:

            async def signed_in() -> Any:
                try:
                    answer = await client.post("/api/session", json={"username": "boss", "password": PASSWORD})
                except httpx.TransportError:
                    return None
                return answer.json().get("token")

            client.headers["Authorization"] = f"Bearer {await until(signed_in)}"

            async def told() -> Any:
                items = (await client.get("/api/alarms")).json()["items"]
                return [item["message"]["en"] for item in items if item["rule"] == "hub.refuses"]

            [message] = await until(told)
            assert f"version {NEXT}" in message
