"""Hub and gateway after one of them lost records, and behind a long backlog: both sides are equal, nobody is misled."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy.engine import make_url

from contract.facts.machines import InputRefused
from gateway.journal import Draft, Keep
from tests.hub.pair import Gateway, Office, begin, gateway, office, until, write_site
from tests.hub.rig import Rig

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


@pytest.fixture
async def rig(tmp_path: Path, database_url: str) -> AsyncIterator[Rig]:
    found = Rig(tmp_path, database_url)
    try:
        yield found
    finally:
        found.stop()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.uplink.uplink.pause_s", lambda failures, jitter: 0.05)
    monkeypatch.setattr("gateway.engine.standing.SETTLES_S", 0.5)


async def equal(site: Gateway, hub: Office) -> None:
    """Until both sides have the same open alarms in the same states."""

    async def same() -> bool:
        open_there = {id: state for id, state in (await hub.alarms()).items() if state != "closed"}
        return open_there == site.open_alarms()

    await until(same)


async def closable(rig: Rig, ticket: str) -> None:
    """Whoever does the work can end the ticket."""
    async with office(rig, "fitter") as fitter:
        await fitter.post(f"/api/tickets/{ticket}/take")
        assert (await fitter.post(f"/api/tickets/{ticket}/finish", text="疏通"))["state"] == "closed"


async def the_ticket(hub: Office) -> str:
    async def found() -> Any:
        return (await hub.get("/api/tickets"))["items"]

    [ticket] = await until(found)
    return str(ticket["id"])


@pytest.mark.parametrize("trouble", ["an older journal", "no journal"])
async def test_after_the_journal_was_lost_no_alarm_stays_open_for_ever(rig: Rig, tmp_path: Path, trouble: str) -> None:
    rig.start_broker()
    site = write_site(tmp_path / "gw", rig)
    await begin(rig, site)
    async with office(rig) as hub:
        async with gateway(site) as here:
            await here.read(input_8=False, input_1=False)
            await here.synced()
        shutil.copytree(tmp_path / "gw", tmp_path / "older")
        async with gateway(site) as here:
            alarm = await here.full()
            await here.synced()
            assert (await hub.alarms())[alarm] == "active"
            ticket = await the_ticket(hub)
        if trouble == "an older journal":
            shutil.rmtree(tmp_path / "gw")
            shutil.copytree(tmp_path / "older", tmp_path / "gw")
        else:
            for file in (tmp_path / "gw").glob("journal.sqlite*"):
                file.unlink()
        async with gateway(site) as here:
            await here.read(input_8=False)
            await equal(here, hub)
            assert (await hub.alarms())[alarm] == "closed"
            answer = await hub.client.post(f"/api/alarms/{alarm}/ack")
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "alarm_state")
            await closable(rig, ticket)


async def test_a_hub_restored_from_a_backup_gets_what_stands(rig: Rig, tmp_path: Path, postgres_url: str) -> None:
    rig.start_broker()
    site = write_site(tmp_path / "gw", rig)
    await begin(rig, site)
    name = make_url(rig.environment["DATABASE_URL"]).database
    admin = await asyncpg.connect(postgres_url)
    # What the hub has is soon gone from this journal: only the statement can bring the alarm again.
    async with gateway(site, Keep(quota_bytes=1, prune_every_s=0.2)) as here:

        async def pruned() -> bool:
            return here.journal.floor == here.journal.acked

        await here.read(input_8=False)
        await here.synced()
        await stop_hub(rig)
        await admin.execute(f"CREATE DATABASE {name}_backup TEMPLATE {name} STRATEGY FILE_COPY")
        rig.start_hub()
        await rig.ready()
        alarm = await here.full()
        await here.synced()
        async with office(rig) as hub:
            assert alarm in await hub.alarms()
        await stop_hub(rig)
        await admin.execute(f"DROP DATABASE {name}")
        await admin.execute(f"ALTER DATABASE {name}_backup RENAME TO {name}")
        await admin.close()
        await until(pruned)
        rig.start_hub()
        await rig.ready()
        await here.read(input_1=True)
        async with office(rig) as hub:
            await equal(here, hub)
            assert (await hub.alarms())[alarm] == "active"
            await the_ticket(hub)


async def stop_hub(rig: Rig) -> None:
    """The hub's process ends, and with it its connections."""
    rig.processes[-1].terminate()
    await asyncio.to_thread(rig.processes[-1].wait, 30)


class SlowLine:
    """A line to the broker on which bytes up take their time, until it is opened wide."""

    def __init__(self, to: int, bytes_per_s: int) -> None:
        self._to = to
        self._per_s = bytes_per_s
        self._wide = False
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def widen(self) -> None:
        self._wide = True

    def close(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._pump(reader, far_writer, slow=True), self._pump(far_reader, writer, slow=False))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool) -> None:
        try:
            while data := await reader.read(4096):
                if slow and not self._wide:
                    await asyncio.sleep(len(data) / self._per_s)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


async def test_a_command_is_done_at_the_hub_while_thousands_of_events_wait(rig: Rig, tmp_path: Path) -> None:
    rig.start_broker()
    line = SlowLine(rig.broker.port, 60_000)
    await line.open()
    site = write_site(tmp_path / "gw", rig, line.port)
    await begin(rig, site)
    async with office(rig) as hub, gateway(site) as here:
        alarm = await here.full()
        await here.synced()
        for _ in range(10):
            noise = [InputRefused(wire="x", why=secrets.token_hex(300), count=1) for _ in range(400)]
            await here.journal.put([Draft(kind="input.refused", source="x", data=data) for data in noise])
        last = here.journal.last
        asked = await hub.post(f"/api/alarms/{alarm}/ack")

        async def answered() -> Any:
            state = (await hub.get(f"/api/commands/{asked['id']}"))["state"]
            assert state in ("asked", "sent", "done")
            return state == "done"

        await until(answered)
        assert last - here.journal.acked > 1_000
        assert (await hub.alarms())[alarm] == "active"
        line.widen()
        await here.synced()
        assert (await hub.alarms())[alarm] == "acknowledged"
        assert (await hub.get(f"/api/commands/{asked['id']}"))["state"] == "done"
    line.close()
