"""Sensors on a real broker: state and availability kept, faults as they travel, a broker that goes and comes."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiomqtt
import pytest

from simulators.demo.programs import BrokerUser, free_port, listening, prepare_broker
from tests.simulators.stage import Stage, simulated, until

TOPIC = "garage/leak-1"


@contextmanager
def broker(folder: Path, port: int) -> Iterator[None]:
    """nats-server, as the demo runs it."""
    users = [BrokerUser("simulators", "sim-secret"), BrokerUser("gateway", "gw-secret")]
    prepared = prepare_broker(folder, "site_broker", port, users)
    process = subprocess.Popen(prepared.program.argv)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    found = free_port()
    secret = tmp_path / "sim.password"
    secret.write_text("sim-secret\n")
    monkeypatch.setenv("GATEHOUSE_SITE_BROKER_USERNAME", "simulators")
    monkeypatch.setenv("GATEHOUSE_SITE_BROKER_PASSWORD_FILE", str(secret))
    known = {"garage-mqtt": {"host": "127.0.0.1", "port": found, "username": "gateway", "password_file": "x"}}
    (tmp_path / "known.json").write_text(json.dumps(known))
    return found


class Listener:
    """What a gateway hears on the site's broker."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []

    def last(self, topic: str) -> bytes | None:
        """The last payload of a topic."""
        return next((payload for at, payload, _ in reversed(self.heard) if at == topic), None)

    def state(self, sensor: str = TOPIC) -> dict[str, object]:
        """The last state of a sensor as JSON; empty if there is none."""
        found: dict[str, object] = json.loads(self.last(f"{sensor}/state") or b"{}")
        return found


@asynccontextmanager
async def listening_to(port: int) -> AsyncIterator[Listener]:
    """A client that hears everything of the garage."""
    listener = Listener()
    async with aiomqtt.Client("127.0.0.1", port, username="gateway", password="gw-secret") as client:
        await client.subscribe("garage/#", qos=1)

        async def hear() -> None:
            async for message in client.messages:
                payload = message.payload if isinstance(message.payload, bytes) else b""
                listener.heard.append((message.topic.value, payload, message.retain))

        hearing = asyncio.create_task(hear())
        try:
            yield listener
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


@asynccontextmanager
async def sensors(folder: Path, port: int) -> AsyncIterator[tuple[Stage, Listener]]:
    """Simulators on a broker, and who hears them."""
    with broker(folder / "broker", port):
        await until(lambda: listening(port))
        async with simulated(folder, wires_in=folder / "known.json") as stage, listening_to(port) as listener:
            await until(listener.state)
            yield stage, listener


async def test_state_and_availability_are_kept_for_whoever_comes_later(tmp_path: Path, port: int) -> None:
    async with sensors(tmp_path, port) as (stage, listener):
        assert stage.wires["garage-mqtt"]["port"] == port
        await until(lambda: listener.last(f"{TOPIC}/availability") == b"online")
        assert listener.state() == {"leak": False, "battery": 94.0}
        async with listening_to(port) as later:
            await until(lambda: later.state() == {"leak": False, "battery": 94.0})
            assert all(kept for topic, _, kept in later.heard if topic.startswith(TOPIC))


async def test_water_is_told_at_once_and_a_cut_sensor_is_offline(tmp_path: Path, port: int) -> None:
    async with sensors(tmp_path, port) as (stage, listener):
        await stage.post("/sim/faults", {"device": "garage-leak", "fault": "leak"})
        await until(lambda: listener.state()["leak"] is True, within_s=3)
        await stage.post("/sim/faults", {"device": "garage-leak", "fault": "offline"})
        await until(lambda: listener.last(f"{TOPIC}/availability") == b"offline")
        await stage.api.delete("/sim/faults")
        await until(lambda: listener.last(f"{TOPIC}/availability") == b"online")
        await until(lambda: listener.state()["leak"] is False)


async def test_spoiled_payloads(tmp_path: Path, port: int) -> None:
    async with sensors(tmp_path, port) as (stage, listener):
        await stage.post("/sim/faults", {"device": "garage-leak", "fault": "wrong-type"})
        await until(lambda: listener.state()["leak"] == [False])
        await stage.api.delete("/sim/faults")
        await stage.post("/sim/faults", {"device": "garage-leak", "fault": "huge"})
        await until(lambda: len(listener.last(f"{TOPIC}/state") or b"") > 200_000)
        await stage.api.delete("/sim/faults")
        await stage.post("/sim/faults", {"device": "garage-leak", "fault": "corrupt"})
        await until(lambda: (listener.last(f"{TOPIC}/state") or b"").endswith(b"\xff\xfe"))


async def test_sensors_outlive_a_broker_that_forgot_everything(tmp_path: Path, port: int) -> None:
    async with simulated(tmp_path, wires_in=tmp_path / "known.json") as stage:
        for memory in ("first", "second"):
            # The second broker has a folder of its own: it knows nothing of what the first one kept.
            with broker(tmp_path / memory, port):
                await until(lambda: listening(port))
                async with listening_to(port) as listener:
                    await until(lambda: listener.state() == {"leak": False, "battery": 94.0}, within_s=20)
        assert (await stage.device("garage-leak"))["online"] is True
