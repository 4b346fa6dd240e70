"""The hub as a process, with a real broker: killed in mid-traffic it loses nothing and doubles nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import zlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import msgspec
import pytest

from contract import topics, wire
from contract.acks import Ack
from contract.desired import Desired
from contract.limits import BATCH_LIMIT
from contract.readings import Reading, ReadingsBatch, columns_of
from hub.database.transactions import Database
from simulators.demo.programs import free_port
from tests.hub.pair import until
from tests.hub.rig import ROOT, Rig
from tests.hub.senders import NOW_MS, STREAM, Journal, rows

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


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
    accounts.write_text(
        json.dumps({"accounts": [{"username": "guard", "password": "a long one of ours", "role": "guard"}]})
    )
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


# What a gateway may send by mistake or in malice: (what, payload, what the record of it says)
def spoilt(journal: Journal) -> list[tuple[str, bytes, str]]:
    """Messages that can never be accepted."""
    good = wire.encode(journal.batch(9, 10))
    swapped = msgspec.structs.replace(journal.batch(9, 10), events=tuple(reversed(journal.events[8:10])))
    return [
        ("version", good.replace(b'"v":1', b'"v":99'), "version 99"),
        ("chain", good.replace(b'"by":"free"', b'"by":"fred"', 1), "the chain of 9..10"),
        ("sequence", wire.encode(swapped), "has seq 10, expected 9"),
        ("no JSON", b"\xff\xfe{", "not a Batch"),
        ("cut short", good[:-10], "not a Batch"),
        ("wrong types", good.replace(b'"first_seq":9', b'"first_seq":"nine"'), "not a Batch"),
        ("deep", b'{"v":1,"events":' + b"[" * 100_000, "not a Batch"),
        ("huge", b"x" * 990_000, "not a Batch"),
        ("bomb", zlib.compress(b" " * 20_000_000), "unpacks to more"),
        ("nothing", b"", "not a Batch"),
    ]


async def next_ack(client: aiomqtt.Client) -> tuple[str, int, str]:
    """(state, seq, why) of the next acknowledgement."""
    async with asyncio.timeout(20):
        async for message in client.messages:
            if message.topic.value.endswith("/ack"):
                assert isinstance(message.payload, bytes)
                ack = wire.decode(Ack, message.payload)
                assert ack.stream == STREAM
                return ack.state, ack.seq, ack.why
    raise AssertionError("the connection ended")


async def test_a_gateway_that_breaks_the_stream_rule(rig: Rig, database: Database) -> None:
    """Gap, repeat, foreign stream, wrong version, disagreeing chain: each is answered, none changes what is held."""
    rig.start_broker()
    for name in ("gw-1", "gw-2"):
        assert rig.cli("enrol", "--gateway", name, "--site", "demo").returncode == 0
    rig.start_hub()
    await rig.ready()
    journal = Journal().record_many(10)
    older = journal.copied(6).record_many(4, mark="other")
    async with rig.gateway() as gateway, rig.gateway("gw-2") as other:
        for batch, answer in [
            (journal.batch(1, 5), ("committed", 5)),
            (journal.batch(8, 10), ("expected", 5)),
            (journal.batch(1, 5), ("committed", 5)),
            (journal.batch(4, 8), ("committed", 8)),
            (older.batch(1, 10), ("fork", 6)),
            (older.batch(8, 10), ("expected", 0)),
        ]:
            await publish(gateway, "events", batch)
            assert (await next_ack(gateway))[:2] == answer
        await other.publish(topics.up("s1", "gw-2", "events"), wire.encode(journal.batch(9, 10)), qos=1)
        assert await next_ack(other) == ("refused", 0, f"stream {STREAM} belongs to another gateway")
        for what, payload, why in spoilt(journal):
            await gateway.publish(topics.up("s1", "gw-1", "events"), payload, qos=1)
            if what in {"version", "chain", "sequence", "wrong types"}:
                state, _, said = await next_ack(gateway)
                assert (state, why in said) == ("refused", True), (what, said)
        await gateway.publish("gatehouse/v1/up/s1/gw-1/presence", b'{"v":1,"state":"birth"}', qos=1)
        await publish(gateway, "events", journal.batch(9, 10))
        assert (await next_ack(gateway))[:2] == ("committed", 10)
    held = await rows(database, "SELECT seq, data FROM events WHERE stream = :s ORDER BY seq", s=STREAM)
    assert held == [(seq, {"by": "free"}) for seq in range(1, 11)]
    assert rig.cli("verify").returncode == 0
    # Of each gateway and fault one word a minute is kept: nonsense does not fill the history. All of it is counted.
    query = "SELECT source, data ->> 'why' FROM events WHERE kind = 'batch.refused' ORDER BY id"
    refused = await rows(database, query)
    assert [source for source, _ in refused] == ["gw-2", "gw-1", "gw-1"]
    for (_, reason), words in zip(refused, ("another gateway", "version 99", "the chain of 9..10"), strict=True):
        assert words in str(reason)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.hub_port}") as client:
        lines = (await client.get("/metrics")).text.splitlines()
    counted = [line.split() for line in lines if line.startswith("gatehouse_ingest_refused_total{")]
    assert sum(float(count) for *_, count in counted) == len(spoilt(journal)) + 2


async def figure(port: int, name: str) -> float:
    """A figure of a hub's /metrics."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


async def test_two_hubs_share_one_database_and_what_one_leaves_the_other_does(rig: Rig, database: Database) -> None:
    rig.environment["GATEHOUSE_SILENCE_S"] = "3"
    rig.start_broker()
    assert rig.cli("enrol", "--gateway", "gw-1", "--site", "demo").returncode == 0
    dying, ports = rig.start_hub(), [rig.hub_port, free_port()]
    await rig.ready()
    rig.hub_port = ports[1]
    rig.environment["GATEHOUSE_PORT"] = str(ports[1])
    rig.start_hub()
    await rig.ready()

    async def acquainted() -> bool:
        return [await figure(port, "gatehouse_hub_processes") for port in ports] == [2, 2]

    await until(acquainted)
    lost = "SELECT count(*) FROM events WHERE kind = 'gateway.lost'"

    async def counted(times: int) -> bool:
        return await rows(database, lost) == [(times,)]

    async with rig.gateway() as gateway:
        # Both hear it, and each would see that it falls silent.
        for times in (1, 2):
            await publish(gateway, "presence", Journal().presence(at_ms=NOW_MS + times))
            await until(partial(counted, times))
            await asyncio.sleep(1)
            assert await rows(database, lost) == [(times,)]
            dying.kill()
            dying.wait(10)
    assert await figure(ports[1], 'gatehouse_jobs{job="gateways.silence",state="failed"}') == 0
    stands = "SELECT count(*), count(*) FILTER (WHERE failed_at IS NOT NULL) FROM jobs"
    assert await rows(database, stands) == [(10, 0)]
