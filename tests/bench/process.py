"""A gateway process for the benches of wires: products of the bench's own, its CPU time, what it stored and sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil
import yaml

from contract import topics, wire
from contract.acks import Ack
from contract.desired import Account
from contract.events import Batch
from contract.instants import instant
from contract.presence import Presence
from contract.readings import Column
from gateway.clock import Clock, machine_wall_ms
from gateway.desired.held import Held
from gateway.readings import blobs
from simulators.demo.programs import free_port
from tests.bench.listener import Listener
from tests.bench.slaves import REGISTERS
from tests.gateway.hub_model import ModelHub, now
from web.session.passwords import Passwords

ROOT = Path(__file__).parents[2]
GATEWAY = "bench-gw"
SHARD = "s1"
PROBE = "bench_probe"
USER, PASSWORD = "wang", "correct horse"


class _Sequence(msgspec.Struct):
    store: str
    seq: int


_sequence = msgspec.json.Decoder(_Sequence)


def probe_profile(registers: int = REGISTERS, *, coils: int = 0) -> str:
    """A product with the registers of slave.c, each a point of its own, the count of reads one of two registers."""
    lines = [
        f"id: {PROBE}",
        "kind: test",
        "protocol: modbus",
        "name: {zh: 探针, en: Probe}",
        "confidence: own",
        "sources: [tests/bench/slave.c]",
        "points:",
        "  reads: {fc: 3, address: 0, type: u32, name: {zh: 次数, en: Reads}}",
        *(f"  r{at}: {{fc: 3, address: {at}, name: {{zh: 值 {at}, en: Value {at}}}}}" for at in range(2, registers)),
    ]
    if coils:
        lines.append("outputs:")
        lines += [
            f"  relay_{at}: {{address: {at}, read_fc: null, name: {{zh: 继电器 {at}, en: Relay {at}}}}}"
            for at in range(coils)
        ]
    return "\n".join(lines) + "\n"


def probe_site(buses: dict[str, dict[str, Any]], units: dict[str, tuple[str, int]], period_s: float) -> dict[str, Any]:
    """A site of probes. `units`: device → its bus and unit."""
    return {
        "site": "bench",
        "name": {"zh": "测试台", "en": "Bench"},
        "gateway": GATEWAY,
        "buses": buses,
        "devices": {
            device: {"profile": PROBE, "bus": bus, "unit": unit, "poll_s": period_s}
            for device, (bus, unit) in units.items()
        },
    }


class StandInHub:
    """Where a gateway's uplink ends: acknowledges events and readings as the hub does, and keeps nothing."""

    def __init__(self) -> None:
        self.listener = Listener(self._heard)
        self._model = ModelHub(GATEWAY)

    def _heard(self, topic: str, payload: bytes) -> None:
        up = topics.parse_up(topic)
        if up is None:
            return
        if up.kind == "telemetry":
            head = _sequence.decode(wire.plain(payload))
            self._answer(Ack(stream=head.store, state="committed", seq=head.seq, at=now()))
        elif up.kind == "events":
            self._answer(self._model.batch(wire.decode(Batch, payload)))
        elif up.kind == "presence":
            self._answer(self._model.birth(wire.decode(Presence, payload)))

    def _answer(self, ack: Ack | None) -> None:
        if ack is not None:
            self.listener.say(topics.down(GATEWAY, "ack"), wire.encode(ack))


class GatewayProcess:
    """A running gateway with its stand-in hub: `async with GatewayProcess(folder, site, profile) as gateway`."""

    def __init__(self, folder: Path, site: dict[str, Any], profile: str) -> None:
        self.hub = StandInHub()
        self.port = free_port()
        self.data = folder / "data"
        self._folder = folder
        self._site = site
        self._profile = profile
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=30)
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> GatewayProcess:
        await self.hub.listener.open()
        self.data.mkdir(parents=True)
        products = self._folder / "products"
        products.mkdir()
        (products / f"{PROBE}.yaml").write_text(self._profile)
        await self._hold()
        uplink = {"host": "127.0.0.1", "port": self.hub.listener.port, "shard": SHARD}
        file = self._folder / "site.yaml"
        file.write_text(yaml.safe_dump({**self._site, "uplink": uplink, "profiles": ["products"]}, allow_unicode=True))
        with (self._folder / "gateway.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "--site", str(file), "--data", str(self.data)),
                *("--port", str(self.port)),
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        async with asyncio.timeout(30):
            while not await self._serves():
                assert self.process.returncode is None, (self._folder / "gateway.log").read_text()[-2000:]
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self._client.aclose()
        await self.hub.listener.close()

    async def _serves(self) -> bool:
        try:
            return (await self._client.get("/healthz")).status_code == 200
        except httpx.TransportError:
            return False

    async def stop(self) -> None:
        """Ends it as a service is ended; harmless a second time."""
        assert self.process is not None
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
            await self.process.wait()

    async def _hold(self) -> None:
        """What a hub sent down before: somebody who may write points."""
        far = instant(machine_wall_ms() + 365 * 86_400_000)
        hashed = await Passwords().hash(PASSWORD)
        account = Account(
            id="a-1", username=USER, name="Wang", role="maintenance", password_hash=hashed, expires_at=far
        )
        held = Held.open(self.data / "held.sqlite", clock=Clock())
        held.keep(1, [("account", account.id, msgspec.json.encode(account))])
        await held.close()

    async def sign_in(self) -> None:
        """As somebody who may write points."""
        answer = await self._client.post("/api/session", json={"username": USER, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self._client.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    async def write(self, target: str, value: bool) -> None:
        """Asks for a point to be written, as the console does; returns when it was asked."""
        command = {"site": self._site["site"], "target": target, "kind": "point.write", "reason": "bench"}
        answer = await self._client.post("/api/commands", json={**command, "args": {"value": value}})
        assert answer.status_code == 202, answer.text

    def cpu(self) -> float:
        """CPU seconds of the process so far."""
        assert self.process is not None
        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def memory(self) -> float:
        """Resident memory in MB."""
        assert self.process is not None
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    async def metrics(self) -> dict[str, float]:
        """Its figures by name, those of several wires summed up."""
        found: dict[str, float] = {}
        for line in (await self._client.get("/metrics")).text.splitlines():
            if line.startswith("gatehouse_gateway_"):
                name = line.split("{")[0].split(" ")[0].removeprefix("gatehouse_gateway_")
                found[name] = found.get(name, 0.0) + float(line.rsplit(" ", 1)[1])
        return found

    def stored(self) -> Iterator[Column]:
        """All readings on its disk, blob by blob; for a gateway that has ended."""
        db = sqlite3.connect(f"file:{self.data / 'readings.sqlite'}?mode=ro", uri=True)
        try:
            for (data,) in db.execute("SELECT data FROM blobs ORDER BY seq"):
                yield from blobs.unpack(data)
        except zlib.error as broken:
            raise AssertionError("a blob cannot be read") from broken
        finally:
            db.close()
