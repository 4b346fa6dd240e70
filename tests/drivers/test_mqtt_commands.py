"""Commands over a real broker: what is sent, what confirms it, and everything that must not be sent at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from drivers.bus import CommandFailed
from drivers.mqtt.bus import MqttBus
from drivers.mqtt.ending import end_if_cancelled
from drivers.mqtt.wires import MqttBus as MqttConfig
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.reports import DeviceFound, DeviceLost
from tests.brokers import KINDS, Broker, Kind
from tests.drivers.products import Installed
from tests.drivers.sinks import Heard

DEVICES = {
    "plug": (Installed(topic="p1"), load("tasmota_plug")),
    "board": (Installed(topic="node"), load("esphome_relay_board")),
    "z2m": (Installed(topic="hall/plug"), load("zigbee2mqtt_plug")),
}


@pytest.fixture(params=KINDS)
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    kind: Kind = request.param
    broker = Broker(tmp_path, kind)
    await broker.start()
    yield broker
    await broker.stop()


class Device:
    """The other end: publishes what it is told to, and answers commands as `answers` says."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.got: list[tuple[str, bytes, bool]] = []
        self.answers: Callable[[str, bytes], dict[str, bytes]] = lambda topic, payload: {}
        self._arrived = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            self.got.append((message.topic.value, payload, bool(message.retain)))
            self._arrived.set()
            for topic, answer in self.answers(message.topic.value, payload).items():
                await self.client.publish(topic, answer, qos=1)
                end_if_cancelled()

    async def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await self.client.publish(topic, payload, qos=1, retain=retain)

    async def taken(self, topic: str) -> bytes:
        """The last command under a topic, as soon as there is one."""
        async with asyncio.timeout(20):
            while not any(at == topic for at, _, _ in self.got):
                self._arrived.clear()
                await self._arrived.wait()
        return next(payload for at, payload, _ in reversed(self.got) if at == topic)


@asynccontextmanager
async def at_work(broker: Broker, folder: Path) -> AsyncIterator[tuple[MqttBus, Device, Heard]]:
    """The bus of the three devices, and their other end, connected and heard."""
    heard = Heard()
    config = MqttConfig(
        kind="mqtt", host="127.0.0.1", port=broker.port, username="gateway", password_file="site-broker.password"
    )
    bus = open_bus("site", config, DEVICES, sink=heard, clock=lambda: 0, folder=folder)
    assert isinstance(bus, MqttBus)
    async with broker.client() as client:
        device = Device(client)
        for topics in ("cmnd/#", "node/#", "zigbee2mqtt/#"):
            await client.subscribe(topics, qos=1)
        await device.say("tele/p1/LWT", b"Online", retain=True)
        await device.say("node/status", b"online", retain=True)
        tasks = [asyncio.create_task(device.listen()), asyncio.create_task(bus.run())]
        try:
            await heard.until(lambda: {"plug", "board"} <= {found.device for found in heard.of(DeviceFound)})
            yield bus, device, heard
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_command_is_done_when_the_state_says_so(broker: Broker, tmp_path: Path) -> None:
    async with at_work(broker, tmp_path) as (bus, device, heard):
        assert await device.taken("cmnd/p1/POWER1") == b""  # asked how it stands
        assert await device.taken("cmnd/p1/STATUS") == b"10"
        device.answers = lambda topic, payload: {"stat/p1/POWER": b"ON"} if payload.endswith(b"ON") else {}
        await bus.write("plug", "relay_1", True, within_s=10)
        assert await device.taken("cmnd/p1/Backlog0") == b"PulseTime1 0; Power1 ON"
        await heard.until_value("plug.relay_1", True)
        assert not any(retained for _, _, retained in device.got)


@pytest.mark.parametrize(("seconds", "said"), [(0.5, b"5"), (5, b"50"), (11.1, b"111"), (11.2, b"112"), (30, b"130")])
async def test_a_pulse_is_timed_by_tasmota(tmp_path: Path, seconds: float, said: bytes) -> None:
    broker = Broker(tmp_path)
    await broker.start()
    async with at_work(broker, tmp_path) as (bus, device, _):
        device.answers = lambda topic, payload: {"stat/p1/POWER": b"ON"} if topic.endswith("Backlog0") else {}
        await bus.pulse("plug", "relay_1", seconds, within_s=10)
        assert await device.taken("cmnd/p1/Backlog0") == b"PulseTime1 " + said + b"; Power1 ON"
    await broker.stop()


async def test_zigbee_times_pulses_in_whole_seconds(broker: Broker, tmp_path: Path) -> None:
    async with at_work(broker, tmp_path) as (bus, device, heard):
        off, on = b'{"state": "OFF", "power": 1}', b'{"state": "ON", "power": 1}'
        await device.say("zigbee2mqtt/hall/plug", off)
        await heard.until_value("z2m.relay_1", False)
        device.answers = lambda topic, _: {"zigbee2mqtt/hall/plug": on} if topic.endswith("/set") else {}
        await bus.pulse("z2m", "relay_1", 2.5, within_s=10)
        sent = json.loads(await device.taken("zigbee2mqtt/hall/plug/set"))
        assert sent == {"state": "ON", "on_time": 3}
        await bus.write("z2m", "relay_1", True, within_s=10)
        assert json.loads(await device.taken("zigbee2mqtt/hall/plug/set")) == {"state": "ON"}


async def test_a_device_that_says_nothing_new_is_believed(broker: Broker, tmp_path: Path) -> None:
    """ESPHome tells a switch's state only when it changes: what it said before counts, Tasmota's does not."""
    async with at_work(broker, tmp_path) as (bus, device, heard):
        await device.say("node/switch/relay_1/state", b"ON")
        await device.say("stat/p1/POWER", b"ON")
        await heard.until_value("board.relay_1", True)
        await heard.until_value("plug.relay_1", True)
        await bus.write("board", "relay_1", True, within_s=10)
        assert await device.taken("node/switch/relay_1/command") == b"ON"
        with pytest.raises(CommandFailed, match="not confirmed"):
            await bus.write("plug", "relay_1", True, within_s=0.3)


async def test_another_state_or_another_output_confirms_nothing(broker: Broker, tmp_path: Path) -> None:
    async with at_work(broker, tmp_path) as (bus, device, heard):
        device.answers = lambda topic, payload: (
            {
                "node/switch/relay_1/state": b"OFF",
                "node/switch/relay_2/state": b"ON",
            }
            if topic == "node/switch/relay_1/command"
            else {}
        )
        with pytest.raises(CommandFailed, match="not confirmed"):
            await bus.write("board", "relay_1", True, within_s=0.5)
        await heard.until_value("board.relay_2", True)


async def test_what_was_retained_confirms_no_command_of_a_device_that_repeats(broker: Broker, tmp_path: Path) -> None:
    async with broker.client() as before:
        await before.publish("stat/p1/POWER", b"ON", qos=1, retain=True)
    async with at_work(broker, tmp_path) as (bus, _, heard):
        await heard.until(lambda: heard.last("plug.relay_1"))
        with pytest.raises(CommandFailed, match="not confirmed"):
            await bus.write("plug", "relay_1", True, within_s=0.3)


async def test_nothing_is_sent_to_a_device_that_is_away(broker: Broker, tmp_path: Path) -> None:
    async with at_work(broker, tmp_path) as (bus, device, heard):
        await device.say("tele/p1/LWT", b"Offline", retain=True)
        await heard.until(lambda: [lost.device for lost in heard.of(DeviceLost)] == ["plug"])
        with pytest.raises(CommandFailed, match="nothing was sent"):
            await bus.pulse("plug", "relay_1", 1, within_s=5)
        with pytest.raises(CommandFailed, match="nothing was sent"):
            await bus.write("z2m", "relay_1", True, within_s=5)  # nobody ever heard of it
        await device.say("cmnd/p1/last", b"x")
        await device.taken("cmnd/p1/last")
        assert not any(topic.endswith(("Backlog0", "/set")) for topic, _, _ in device.got)


async def test_a_device_that_leaves_meanwhile_fails_the_command_at_once(broker: Broker, tmp_path: Path) -> None:
    async with at_work(broker, tmp_path) as (bus, device, _):
        device.answers = lambda topic, _: {"node/status": b"offline"} if topic.endswith("/command") else {}
        with pytest.raises(CommandFailed, match="went away meanwhile"):
            await bus.write("board", "relay_1", True, within_s=30)


async def test_a_command_without_a_broker_is_never_sent_later(broker: Broker, tmp_path: Path) -> None:
    async with at_work(broker, tmp_path) as (bus, device, _):
        device.answers = lambda topic, payload: {"stat/p1/POWER": b"ON"} if topic.endswith("Backlog0") else {}
        await bus.write("plug", "relay_1", True, within_s=10)
        await broker.stop()
        with pytest.raises(CommandFailed):
            await bus.pulse("plug", "relay_1", 1, within_s=1)
        await broker.start()
        async with broker.client() as client, asyncio.timeout(30):
            again = Device(client)
            await client.subscribe("cmnd/#", qos=1)
            listening = asyncio.create_task(again.listen())
            again.answers = lambda topic, payload: {"stat/p1/POWER": b"OFF"} if topic.endswith("Backlog0") else {}
            await again.taken("cmnd/p1/POWER1")  # the gateway is back: it asks how the device stands
            await again.say("tele/p1/LWT", b"Online", retain=True)
            while True:
                try:
                    await bus.write("plug", "relay_1", False, within_s=5)
                    break
                except CommandFailed:
                    await asyncio.sleep(0.05)
            sent = [payload for topic, payload, _ in again.got if topic == "cmnd/p1/Backlog0"]
            assert set(sent) == {b"Power1 OFF"}
            listening.cancel()


async def test_what_a_product_cannot_do_is_refused_before_a_byte_is_sent(tmp_path: Path) -> None:
    config = MqttConfig(kind="mqtt", host="127.0.0.1", port=1)
    bus = open_bus("site", config, DEVICES, sink=Heard(), clock=lambda: 0, folder=tmp_path)
    for asked in (
        bus.write("plug", "nothing", True, within_s=1),
        bus.write("plug", "relay_1", 1.0, within_s=1),
        bus.write("nobody", "relay_1", True, within_s=1),
        bus.pulse("plug", "power", 1, within_s=1),
        bus.pulse("plug", "relay_1", 5000, within_s=1),
        bus.write("plug", "relay_1", True, within_s=1),
    ):
        with pytest.raises(CommandFailed):
            await asked
