"""Cameras of Frigate on a real broker: simulated, read by the project's own driver."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from config import load_site
from drivers.mqtt.bus import MqttBus
from drivers.opening import open_bus
from drivers.reports import DeviceFound, DeviceLost, InputRefused, PlateRead
from simulators.camera.frigate import messages
from simulators.camera.picture import Shot
from simulators.camera.zhenshi import Seen
from simulators.demo.programs import free_port
from tests.drivers.sinks import Heard
from tests.simulators.stage import Stage, simulated
from tests.simulators.test_mqtt import broker

SITE = """
site: nvr
name: {zh: 录像机, en: Recorder}
gateway: nvr-gw
buses:
  site-mqtt: {kind: mqtt, host: 127.0.0.1, port: 1, username: gateway, password_file: gateway.password}
  net: {kind: modbus-tcp, host: 127.0.0.1, port: 3}
devices:
  cam: {profile: frigate_lpr, bus: site-mqtt, topic: gate_in}
  leak: {profile: mqtt_leak_sensor, bus: site-mqtt, topic: garage/leak}
  relays: {profile: waveshare_eth_relay8_di8, bus: net}
lanes:
  lane:
    name: {zh: 一, en: One}
    direction: in
    camera: cam
    barrier: {kind: relay, open: {device: relays, output: relay_1}}
"""


@asynccontextmanager
async def listened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Stage, Heard]]:
    """Broker, simulators and the driver of the yard's one Frigate camera."""
    port = free_port()
    for name, secret in (("sim.password", "sim-secret"), ("gateway.password", "gw-secret")):
        (folder / name).write_text(f"{secret}\n")
    monkeypatch.setenv("GATEHOUSE_SITE_BROKER_USERNAME", "simulators")
    monkeypatch.setenv("GATEHOUSE_SITE_BROKER_PASSWORD_FILE", str(folder / "sim.password"))
    monkeypatch.setattr("drivers.mqtt.reconnecting.RECONNECT_S", (0.1,))
    monkeypatch.setattr("simulators.mqtt.frigate.RECONNECT_S", 0.1)
    site_file, wires = folder / "nvr.yaml", {"site-mqtt": {"host": "127.0.0.1", "port": port}}
    site_file.write_text(SITE, encoding="utf-8")
    (folder / "known.json").write_text(json.dumps(wires))
    with broker(folder, port):
        async with simulated(folder, site_file=site_file, wires_in=folder / "known.json") as stage:
            loaded = load_site(site_file, wires=wires)
            devices = {id: (loaded.site.devices[id], loaded.profile_of(id)) for id in ("cam", "leak")}
            heard = Heard()
            bus = open_bus(
                "site-mqtt",
                loaded.site.buses["site-mqtt"],
                devices,
                sink=heard,
                clock=lambda: time.time_ns() // 1_000_000,
                folder=folder,
            )
            assert isinstance(bus, MqttBus)
            task = asyncio.create_task(bus.run())
            try:
                await heard.until(lambda: DeviceFound("cam") in heard.reports)
                yield stage, heard
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def drive_up(stage: Stage, plate: str, **more: int) -> bool:
    said = await stage.post("/sim/lanes/lane/drive-up", {"plate": plate} | more)
    return bool(said["sent"])


async def test_a_car_is_one_read_with_the_best_plate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listened(tmp_path, monkeypatch) as (stage, heard):
        assert await drive_up(stage, "沪A12345", confidence=97)
        assert await drive_up(stage, "苏E54321", confidence=70)
        await heard.until(lambda: len(heard.of(PlateRead)) == 2)
        assert [(read.camera, read.plate, read.confidence) for read in heard.of(PlateRead)] == [
            ("cam", "沪A12345", 0.97),
            ("cam", "苏E54321", 0.7),
        ]
        assert not heard.of(InputRefused)


# fault → plates, and whether anything is refused
FAULTS = [("repeat", ["沪A12345"], False), ("missing", [], True), ("corrupt", [], True), ("blind", [], False)]


@pytest.mark.parametrize(("fault", "plates", "refused"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_faults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, plates: list[str], refused: bool
) -> None:
    async with listened(tmp_path, monkeypatch) as (stage, heard):
        await stage.post("/sim/faults", {"device": "cam", "fault": fault})
        await drive_up(stage, "沪A12345", confidence=97)
        await stage.api.delete("/sim/faults")
        await drive_up(stage, "苏E54321", confidence=97)
        await heard.until(lambda: any(read.plate == "苏E54321" for read in heard.of(PlateRead)))
        assert [read.plate for read in heard.of(PlateRead) if read.plate != "苏E54321"] == plates
        assert bool(heard.of(InputRefused)) is refused


async def test_frigate_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listened(tmp_path, monkeypatch) as (stage, heard):
        await stage.post("/sim/faults", {"device": "cam", "fault": "offline"})
        await heard.until(lambda: heard.of(DeviceLost))
        for wet in (True, False, True, False):  # meanwhile it says nothing, and others on the broker do
            await stage.post("/sim/points/leak/leak", {"value": wet})
            await heard.until_value("leak.leak", wet)
        await stage.api.delete("/sim/faults")
        await heard.until(lambda: len([found for found in heard.of(DeviceFound) if found.device == "cam"]) == 2)
        assert heard.of(DeviceLost) == [DeviceLost("cam", "it says that it is offline")]


def test_what_is_said_of_one_car() -> None:
    seen = Seen("沪A12345", 7, 1_795_000_000_000, 90, Shot(b"", b"", (0, 0, 0, 0)))
    said = [(topic, json.loads(payload)) for topic, payload in messages("gate_in", seen)]
    assert [topic for topic, _ in said] == ["events", "tracked_object_update", "tracked_object_update", "events"]
    assert [document["type"] for _, document in said] == ["new", "lpr", "lpr", "end"]
    assert (said[1][1]["score"], said[2][1]["score"]) == (0.54, 0.9)
