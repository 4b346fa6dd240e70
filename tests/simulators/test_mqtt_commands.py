"""Every MQTT product simulated on a real broker: read by the gateway's driver, switched, pulsed, found again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from config import load_site
from drivers.bus import CommandFailed
from drivers.mqtt.bus import MqttBus
from drivers.mqtt.drafts import drafts_of
from drivers.mqtt.product import needs_topic
from drivers.opening import open_bus
from drivers.profiles.files import load_all, parse
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, InputRefused
from simulators.mqtt.announce import announcements
from simulators.mqtt.commands import action_of, topics_of
from tests.brokers import USERNAME, Broker, Ear, listen
from tests.drivers.products import Installed
from tests.drivers.sinks import Heard
from tests.simulators.stage import Stage, simulated, until

PROFILES: dict[str, Profile] = {
    id_: profile for id_, profile in load_all().items() if profile.protocol == "mqtt" and profile.points
}


def site_file(folder: Path, port: int) -> Path:
    devices = "\n".join(
        f"  d-{id_.replace('_', '-')}: {{profile: {id_}, bus: broker, topic: x/{id_}}}" for id_ in PROFILES
    )
    path = folder / "site.yaml"
    path.write_text(
        "site: s\nname: {zh: 站, en: Site}\ngateway: g\n"
        f"buses:\n  broker: {{kind: mqtt, host: 127.0.0.1, port: {port}, username: {USERNAME}}}\n"
        f"devices:\n{devices}\n",
        encoding="utf-8",
    )
    return path


def _all_read(heard: Heard, points: list[str]) -> bool:
    return all(heard.last(point) is not None for point in points)


@asynccontextmanager
async def at_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Broker, Stage, MqttBus, Heard]]:
    """A broker, every product simulated on it, and the driver that hears them."""
    broker = Broker(folder)
    await broker.start()
    monkeypatch.setenv("GATEHOUSE_SITE_BROKER_USERNAME", USERNAME)
    monkeypatch.setenv("GATEHOUSE_SITE_BROKER_PASSWORD_FILE", str(folder / "site-broker.password"))
    path = site_file(folder, broker.port)
    loaded = load_site(path)
    devices = {id_: (Installed(topic=part.topic), loaded.profile_of(id_)) for id_, part in loaded.site.devices.items()}
    heard = Heard()
    bus = open_bus(
        "broker",
        loaded.site.buses["broker"].model_copy(update={"password_file": "site-broker.password"}),
        devices,
        sink=heard,
        clock=lambda: 0,
        folder=folder,
    )
    assert isinstance(bus, MqttBus)
    running = asyncio.create_task(bus.run())
    try:
        async with simulated(folder, site_file=path) as stage:
            await heard.until(lambda: len(heard.of(DeviceFound)) >= len(PROFILES))
            yield broker, stage, bus, heard
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await broker.stop()


async def test_every_product_is_read_switched_and_pulsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work(tmp_path, monkeypatch) as (_, stage, bus, heard):
        for id_, profile in PROFILES.items():
            device = f"d-{id_.replace('_', '-')}"
            points = [f"{device}.{point}" for point in profile.points]
            await heard.until(partial(_all_read, heard, points))
            for output in profile.outputs:
                for value in (True, True, False):
                    await bus.write(device, output, value, within_s=20)
                    assert stage.site.device(device).output_on(output) is value
                assert profile.outputs[output].pulse_s is not None
                await bus.pulse(device, output, 1.0, within_s=20)
                await heard.until_value(f"{device}.{output}", True)
                # The device ends it by itself.
                await heard.until_value(f"{device}.{output}", False)
        assert heard.of(InputRefused) == []
        assert bus.health.refused == 0


async def test_a_stuck_device_confirms_nothing_and_a_dead_one_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_work(tmp_path, monkeypatch) as (_, stage, bus, heard):
        await stage.post("/sim/faults", {"device": "d-tasmota-relay4", "fault": "stuck"})
        await until(lambda: stage.site.device("d-tasmota-relay4").stuck)
        with pytest.raises(CommandFailed, match="not confirmed"):
            await bus.write("d-tasmota-relay4", "relay_2", True, within_s=0.5)
        await stage.post("/sim/faults", {"device": "d-esphome-relay-board", "fault": "offline"})
        await heard.until(lambda: any(lost.device == "d-esphome-relay-board" for lost in heard.of(DeviceLost)))
        with pytest.raises(CommandFailed, match="nothing was sent"):
            await bus.pulse("d-esphome-relay-board", "relay_1", 1, within_s=5)
        await stage.api.delete("/sim/faults")
        await heard.until(lambda: [found.device for found in heard.of(DeviceFound)].count("d-esphome-relay-board") == 2)


async def test_smoke_is_seen_and_a_plug_draws_while_it_is_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_work(tmp_path, monkeypatch) as (_, stage, bus, heard):
        smoke = "d-zigbee2mqtt-jtyj-gd-01lm-bw"
        await heard.until_value(f"{smoke}.smoke", False)
        await stage.post("/sim/faults", {"device": smoke, "fault": "smoke"})
        await heard.until_value(f"{smoke}.smoke", True)
        await bus.write("d-tasmota-plug", "relay_1", True, within_s=20)
        await heard.until(lambda: (last := heard.last("d-tasmota-plug.power")) and float(last.value or 0) > 30)


async def test_what_they_announce_is_drafted_into_sound_profiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_work(tmp_path, monkeypatch) as (broker, _, _, _):
        ear = Ear()
        async with broker.client() as client:
            await client.subscribe("homeassistant/#", qos=1)
            hearing = asyncio.create_task(listen(client, ear))
            wanted = sum(len(profile.points) for profile in PROFILES.values())
            await until(lambda: len({topic for topic, _, _ in ear.messages}) >= wanted)
            hearing.cancel()
        drafts = drafts_of({topic: payload for topic, payload, _ in ear.messages}, "broker", taken=PROFILES)
        assert drafts.refused == ()
        assert len(drafts.drafts) == len(PROFILES)
        for draft in drafts.drafts:
            profile = parse(draft.profile.encode(), Path(f"{draft.id}.yaml"))
            assert not needs_topic(profile)
        names = {draft.name for draft in drafts.drafts}
        assert names == {profile.name.en for profile in PROFILES.values()}


@pytest.mark.parametrize("id_", sorted(PROFILES))
def test_an_announcement_says_every_point_of_its_product(id_: str) -> None:
    """A draft of a product's own announcement reads the same topics and paths as the product's profile."""
    profile = PROFILES[id_]
    drafts = drafts_of(announcements(profile, "x/y", "dev", "Dev"), "broker")
    assert drafts.refused == ()
    (draft,) = drafts.drafts
    drafted = parse(draft.profile.encode(), Path("dev.yaml"))
    assert drafted.points.keys() == profile.points.keys()
    assert drafted.outputs.keys() == profile.outputs.keys()
    for name, point in profile.points.items():
        at = point.source.places[0]  # type: ignore[attr-defined]
        there = drafted.points[name].source.places[0]  # type: ignore[attr-defined]
        assert (at.topic.replace("{topic}", "x/y"), at.path) == (there.topic, there.path)
        assert point.type == drafted.points[name].type


def test_a_device_heeds_nothing_but_its_own_commands() -> None:
    profile = PROFILES["tasmota_plug"]
    assert "cmnd/p/Backlog0" in topics_of(profile, "p")
    assert action_of(profile, "p", "cmnd/q/Backlog0", b"Power1 OFF") is None
    assert action_of(profile, "p", "cmnd/p/Backlog0", b"Reset 1") is None
    assert action_of(profile, "p", "cmnd/p/Backlog0", b"PulseTime1 x; Power1 ON") is None
