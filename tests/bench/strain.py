"""`strain`: a site and its hub attacked from outside, all at once, and what residents, cameras and people notice of it.

2,000 half-open connections and 200 floods of bodies against the gateway's console, its port for pushes and the hub;
one enrolled gateway that sends the hub messages made to stall it. Meanwhile cards are shown, a camera pushes, a reader
drops and somebody works at the hub. Attackers come from addresses of their own, as they would on a network.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import uvloop
import yaml

from contract import VERSION, topics
from contract.events import GENESIS
from contract.topics import UpKind
from tests.bench.door import CHANNELS, DOORS, Bench, card_of
from tests.bench.gateway import SHARD, Gateway, site_of_doors
from tests.bench.hub import ELSEWHERE, ROOT, Hub, hub
from tests.bench.rows import Row, percentile

HALF_OPEN = 2000
BODIES = 200
POISONED = "poisoned-gw"
CAMERA = "127.0.0.2"
BACK_S = 60.0
"""A wire that is not back by then counts as lost for so long."""

TRIES = 3
"""How often a camera sends a read again that nobody took."""


@dataclass
class Seen:
    """Times in seconds."""

    quiet: list[float] = field(default_factory=list)
    strained: list[float] = field(default_factory=list)
    overtaken: int = 0
    back_s: float = BACK_S
    pushes: int = 0
    lost: int = 0
    hub_quiet: list[float] = field(default_factory=list)
    hub: list[float] = field(default_factory=list)


def run(short: bool) -> Iterable[Row]:
    """The doors, the pushes, the wire, the hub."""
    seconds = float(os.environ.get("GATEHOUSE_BENCH_S", "10" if short else "60"))
    seen = uvloop.run(_measured(seconds))
    notes: dict[str, float | str] = {"half-open": HALF_OPEN, "body floods": BODIES}
    quiet, strained = (percentile(delays, 0.99) * 1000 for delays in (seen.quiet, seen.strained))
    yield Row("strain", "card → lock under attack, p99 (limit: quiet)", "ms", ours=strained, limit=quiet, aim=3 * quiet,
              notes=notes | {"cards": len(seen.strained), "cards_overtaken": seen.overtaken})  # fmt: skip
    yield Row("strain", "pushes of a camera lost", "", ours=seen.lost, aim=0, notes={"pushes": seen.pushes})
    yield Row("strain", "a reader that dropped is back", "s", ours=seen.back_s, aim=10.0)
    yield Row("strain", "the hub answers others, p95", "s", ours=percentile(seen.hub, 0.95), aim=1.0,
              limit=percentile(seen.hub_quiet, 0.95), notes={"answers": len(seen.hub)})  # fmt: skip


async def _measured(seconds: float) -> Seen:
    bench = Bench()
    await bench.open()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = _with_camera(site_of_doors([reader.port for reader in bench.readers], bench.boards, CHANNELS))
        people = folder / "people.yaml"
        people.write_text(yaml.safe_dump(_people()))
        gateway = Gateway(folder, site, None)
        async with (
            gateway,
            hub(folder, site_file=gateway.site_file, people=people, broker_port=gateway.broker_port) as office,
        ):
            await _until_they_open(bench)
            return await _seen(bench, gateway, office, seconds)


async def _seen(bench: Bench, gateway: Gateway, office: Hub, seconds: float) -> Seen:
    seen = Seen()
    await office.database.execute(
        "INSERT INTO gateways SELECT (jsonb_populate_record(one, $1::jsonb)).* FROM gateways AS one LIMIT 1",
        json.dumps({"id": POISONED}),
    )
    poison = await asyncio.to_thread(_poison)
    working = asyncio.create_task(_work(office, seen.hub_quiet))
    seen.quiet = await bench.drive(seconds)
    working.cancel()
    bench.unanswered = 0
    hub_port = office.client.base_url.port
    assert hub_port is not None
    ports = [gateway.port, gateway.push_port, hub_port]
    async with _flood("half-open", HALF_OPEN, ports), _flood("bodies", BODIES, ports):
        beside = [
            asyncio.create_task(_poisoning(gateway.broker_port, poison)),
            asyncio.create_task(_work(office, seen.hub)),
            asyncio.create_task(_push(gateway.push_port, seen)),
        ]
        seen.strained = await bench.drive(seconds / 2)
        bench.readers[0].drop()
        dropped = time.monotonic()
        try:
            async with asyncio.timeout(BACK_S):
                await bench.readers[0].dialled.wait()
            seen.back_s = time.monotonic() - dropped
            seen.strained += await bench.drive(seconds / 2)
        except TimeoutError:
            pass
        seen.overtaken = bench.unanswered
        for task in beside:
            task.cancel()
        for failed in await asyncio.gather(*beside, return_exceptions=True):
            if isinstance(failed, Exception):
                raise failed
    return seen


# --- Those who belong here


async def _until_they_open(bench: Bench) -> None:
    """Waits until every resident's right has come down from the hub."""
    async with asyncio.timeout(120):
        while len(await bench.drive(1.0)) < 100:  # noqa: ASYNC110 - a foreign process, it can only be asked
            await asyncio.sleep(0.5)


async def _work(office: Hub, took: list[float]) -> None:
    """Somebody at the hub looks at something five times a second."""
    while True:
        for path in ("/api/events?limit=50", "/api/gateways", "/api/about"):
            began = time.monotonic()
            try:
                answer = await office.client.get(path)
                assert answer.status_code == 200, answer.text
            finally:
                took.append(time.monotonic() - began)
            await asyncio.sleep(0.2)


async def _push(port: int, seen: Seen) -> None:
    """A camera sees a car twice a second and pushes it, once more where nobody takes it, as cameras do."""
    transport = httpx.AsyncHTTPTransport(local_address=CAMERA)
    headers = {"Connection": "close"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=5) as camera:
        while True:
            seen.pushes += 1
            plate = {"license": f"沪A{seen.pushes:05}", "confidence": 96, "plateid": seen.pushes}
            body = {"AlarmInfoPlate": {"result": {"PlateResult": plate}}}
            for _ in range(TRIES):
                try:
                    if (await camera.post("/push/cam", json=body, headers=headers)).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(1.0)
            else:
                seen.lost += 1
            await asyncio.sleep(0.5)


# --- Those who do not


@asynccontextmanager
async def _flood(what: str, number: int, ports: list[int]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(*ELSEWHERE, sys.executable, "-m", "tests.bench.flood", what, str(number), *map(str, ports)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline(), "the attacker did not begin"
        yield
    finally:
        process.terminate()
        await process.wait()


def _poison() -> list[tuple[UpKind, bytes]]:
    """Messages that are small on the way and large in memory. It takes seconds: nothing is measured meanwhile."""
    stream = "0" * 32
    many = 1_000_000
    column: dict[str, Any] = {"point": "a.b", "at": [1] * many, "values": [1] * many, "quality": ["good"] * many}
    readings = {"store": stream, "seq": 1, "oldest": 1, "columns": [column], "v": VERSION}
    event = {"seq": 1, "at": "2027-01-15T08:00:00.000Z", "kind": "door.opened", "source": "a", "clock": "ok"}
    batch = {"stream": stream, "first_seq": 1, "prev": GENESIS, "head": GENESIS, "v": VERSION}
    large = batch | {"events": [event | {"data": {"x": "x" * 14_000_000}}]}
    return [("telemetry", _packed(readings)), ("events", _packed(large))]


async def _poisoning(broker_port: int, messages: list[tuple[UpKind, bytes]]) -> None:
    """Two of them a second."""
    async with aiomqtt.Client("127.0.0.1", broker_port, username="bench", password="bench") as client:
        while True:
            for kind, payload in messages:
                await client.publish(topics.up(SHARD, POISONED, kind), payload, qos=1)
                await asyncio.sleep(0.5)


def _packed(document: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 9)


# --- The site


def _with_camera(site: dict[str, Any]) -> dict[str, Any]:
    site["buses"]["cams"] = {"kind": "http-push", "allow": [f"{CAMERA}/32"]}
    site["devices"]["cam"] = {"profile": "zhenshi_plate_camera", "bus": "cams"}
    name = {"zh": "车道", "en": "Lane"}
    site["lanes"] = {"gate": {"name": name, "direction": "in", "camera": "cam", "barrier": {"kind": "camera"}}}
    return site


def _people() -> dict[str, list[dict[str, object]]]:
    """A resident a door, whose card always opens it."""
    doors = [f"d-{door}" for door in range(DOORS)]
    return {
        "holders": [{"id": name, "name": name} for name in doors],
        "credentials": [
            {"id": f"c-{name}", "kind": "card", "value": card_of(door), "holder": name}
            for door, name in enumerate(doors)
        ],
        "grants": [{"id": f"g-{name}", "holder": name, "places": [f"door-{door}"]} for door, name in enumerate(doors)],
    }
