"""The hub as a process, with a real broker: killed in mid-traffic it loses nothing and doubles nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import msgspec
import pytest

from contract import topics, wire
from contract.acks import Ack
from contract.desired import Desired
from contract.events import BATCH_LIMIT
from contract.readings import Reading, ReadingsBatch, columns_of
from hub.db import Database
from simulators.engines import BrokerUser, free_port, prepare_broker
from tests.hub.senders import NOW_MS, STREAM, Journal, rows

pytestmark = [pytest.mark.journey, pytest.mark.timeout(90)]

ROOT = Path(__file__).parents[2]


class Rig:
    """A broker, and a hub that can be killed and started again."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.hub_port = free_port()
        self.password = "for this test only"
        users = [BrokerUser(name, self.password) for name in ("hub", "gw-1", "demo-gw")]
        self.broker = prepare_broker(folder, "broker", free_port(), users)
        password_file = folder / "hub.password"
        password_file.write_text(self.password)
        self.environment = os.environ | {
            "DATABASE_URL": database_url,
            "GATEHOUSE_PORT": str(self.hub_port),
            "GATEHOUSE_BROKER_PORT": str(self.broker.port),
            "GATEHOUSE_BROKER_USER": "hub",
            "GATEHOUSE_BROKER_PASSWORD_FILE": str(password_file),
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        with (self.folder / "processes.log").open("ab") as log:
            process = subprocess.Popen(argv, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_broker(self) -> subprocess.Popen[bytes]:
        return self.start(*self.broker.program.argv)

    def start_hub(self) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, "-m", "hub", "serve")

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    async def ready(self) -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.hub_port}") as client:
            while True:
                try:
                    if (await client.get("/readyz")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                assert self.processes[-1].poll() is None, (self.folder / "processes.log").read_text()
                await asyncio.sleep(0.05)

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait(10)

    @asynccontextmanager
    async def gateway(self, name: str = "gw-1") -> AsyncIterator[aiomqtt.Client]:
        async with aiomqtt.Client(
            "127.0.0.1", self.broker.port, username=name, password=self.password, identifier=name
        ) as client:
            await client.subscribe(topics.down(name, "ack"), qos=1)
            await client.subscribe(topics.down(name, "desired"), qos=1)
            yield client


@pytest.fixture
async def rig(tmp_path: Path, database_url: str) -> AsyncIterator[Rig]:
    found = Rig(tmp_path, database_url)
    try:
        yield found
    finally:
        found.stop()


async def publish(client: aiomqtt.Client, kind: Any, message: msgspec.Struct) -> None:
    await client.publish(topics.up("s1", "gw-1", kind), wire.encode(message), qos=1)


async def send_until_held(client: aiomqtt.Client, journal: Journal, after: int) -> int:
    """Send everything, from the last acknowledgement on, again after silence; what is held then."""
    acked = after
    while acked < len(journal.events):
        for first in range(acked + 1, min(acked + 8 * BATCH_LIMIT, len(journal.events)) + 1, BATCH_LIMIT):
            last = min(first + BATCH_LIMIT - 1, len(journal.events))
            await publish(client, "events", journal.batch(first, last))
        try:
            async with asyncio.timeout(1):
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    if message.topic.value != topics.down("gw-1", "ack"):
                        continue
                    ack = wire.decode(Ack, message.payload)
                    assert ack.state in ("committed", "expected"), ack
                    acked = max(acked, ack.seq)
                    if acked >= len(journal.events):
                        break
        except TimeoutError:
            pass
    return acked


async def test_killed_in_mid_traffic(rig: Rig, database: Database) -> None:
    rig.start_broker()
    assert rig.cli("--check").returncode == 0
    assert rig.cli("enrol", "--gateway", "gw-1", "--site", "demo").returncode == 0
    hub = rig.start_hub()
    await rig.ready()
    journal = Journal()
    async with rig.gateway() as gateway:
        await publish(gateway, "presence", journal.presence())
        acked = 0
        for _ in range(3):
            journal.record_many(3000)
            sending = asyncio.create_task(send_until_held(gateway, journal, acked))
            await asyncio.sleep(0.15)
            hub.kill()
            hub.wait(10)
            hub = rig.start_hub()
            acked = await sending
    query = "SELECT count(*), min(seq), max(seq), count(DISTINCT seq) FROM events WHERE stream = :s"
    held = await rows(database, query, s=STREAM)
    assert held == [(9000, 1, 9000, 9000)]
    verified = rig.cli("verify")
    assert verified.returncode == 0, verified.stdout
    hub.send_signal(signal.SIGTERM)
    assert hub.wait(20) == 0


async def test_the_broker_comes_later_and_goes_on(rig: Rig, database: Database) -> None:
    rig.cli("enrol", "--gateway", "gw-1", "--site", "demo")
    hub = rig.start_hub()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.hub_port}") as client:
        while True:
            try:
                waiting = await client.get("/readyz")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        assert waiting.status_code == 503
        assert waiting.json()["reasons"] == ["broker: not connected"]
    broker = rig.start_broker()
    await rig.ready()
    journal = Journal().record_many(10)
    async with rig.gateway() as gateway:
        acked = await send_until_held(gateway, journal, 0)
    broker.kill()
    broker.wait(10)
    rig.start_broker()
    await rig.ready()
    journal.record_many(10)
    async with rig.gateway() as gateway:
        await send_until_held(gateway, journal, acked)
        readings = columns_of([Reading(point="a.b", value=1.5, quality="good", at=NOW_MS)])
        await publish(gateway, "telemetry", ReadingsBatch(store="d" * 32, seq=1, oldest=1, columns=readings))
        async for message in gateway.messages:
            assert isinstance(message.payload, bytes)
            if wire.decode(Ack, message.payload).stream == "d" * 32:
                break
    assert await rows(database, "SELECT count(*) FROM events WHERE stream = :s", s=STREAM) == [(20,)]
    hub.send_signal(signal.SIGINT)
    assert hub.wait(20) == 0
    lines = [json.loads(line) for line in (rig.folder / "processes.log").read_text().splitlines() if line[:1] == "{"]
    assert {"hub.started", "broker.connected", "hub.stopped"} <= {line["event"] for line in lines}


async def test_a_seeded_hub_brings_its_gateway_up_to_date(rig: Rig, tmp_path: Path) -> None:
    rig.start_broker()
    accounts = tmp_path / "accounts.json"
    accounts.write_text(json.dumps({"accounts": [{"username": "guard", "password": "a long one", "role": "guard"}]}))
    site, people = ROOT / "config/sites/demo.yaml", ROOT / "config/examples/demo-people.yaml"
    for _ in range(2):
        seeded = rig.cli("seed", "--site-file", str(site), "--accounts", str(accounts), "--people", str(people))
        assert seeded.returncode == 0, seeded.stderr
    rig.start_hub()
    await rig.ready()
    async with rig.gateway("demo-gw") as gateway:
        birth = wire.encode(Journal("demo-gw").presence())
        await gateway.publish(topics.up("s1", "demo-gw", "presence"), birth, qos=1)
        async for message in gateway.messages:
            if message.topic.value == topics.down("demo-gw", "desired"):
                break
        assert isinstance(message.payload, bytes)
        desired = wire.decode(Desired, message.payload)
        assert (desired.form, desired.base) == ("snapshot", 0)
        assert {"holder", "credential", "grant", "account"} <= {item.kind for item in desired.items}


def test_checking_without_starting(rig: Rig, migrated: str) -> None:
    assert migrated
    assert rig.cli("--check").stdout == "ok\n"
    rig.environment |= {"DATABASE_URL": "postgresql://gatehouse@/none?host=/nonexistent"}
    away = rig.cli("--check")
    assert (away.returncode, away.stdout) == (1, "")
    assert away.stderr.startswith("the database cannot be reached: ")
