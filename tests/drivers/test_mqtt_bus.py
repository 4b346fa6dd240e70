"""MQTT devices through a real broker: values, last wills, silence, and a broker that goes and comes back."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from drivers.bus import CommandFailed
from drivers.mqtt.bus import MqttBus
from drivers.mqtt.wires import MqttBus as MqttConfig
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.profiles.profile import Profile
from drivers.reports import DeviceFound, DeviceLost, InputRefused
from tests.brokers import Broker
from tests.drivers.products import Installed
from tests.drivers.sinks import Heard


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    broker = Broker(tmp_path)
    await broker.start()
    yield broker
    await broker.stop()


@asynccontextmanager
async def running(broker: Broker, folder: Path, heard: Heard, profile: Profile | None = None) -> AsyncIterator[MqttBus]:
    config = MqttConfig(
        kind="mqtt", host="127.0.0.1", port=broker.port, username="gateway", password_file="site-broker.password"
    )
    devices = {
        "co": (Installed(topic="garage/co-1"), profile or load("mqtt_co_sensor")),
        "leak": (Installed(topic="garage/leak-1"), load("mqtt_leak_sensor")),
    }
    bus = open_bus("site", config, devices, sink=heard, clock=lambda: 0, folder=folder)
    assert isinstance(bus, MqttBus)
    task = asyncio.create_task(bus.run())
    try:
        yield bus
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_values_and_nonsense(broker: Broker, tmp_path: Path) -> None:
    heard = Heard()
    async with broker.client() as sensor:
        await sensor.publish("garage/co-1/state", b'{"co": 3}', qos=1, retain=True)
        async with running(broker, tmp_path, heard) as bus:
            # What was retained is of unknown age: it is told as stale and is no sign of life.
            await heard.until(lambda: heard.last("co.co"))
            assert [(reading.value, reading.quality) for reading in heard.readings("co.co")] == [(3.0, "stale")]
            assert not bus.online("co")
            await sensor.publish("garage/co-1/state", b'{"co": 3}', qos=1)
            await heard.until(lambda: heard.of(DeviceFound))
            await heard.until(lambda: (last := heard.last("co.co")) and last.quality == "good")
            await sensor.publish("garage/leak-1/state", b'{"leak": true, "battery": 88}', qos=1)
            await heard.until_value("leak.leak", True)
            for nonsense in (b"", b"\xff\xfe", b"{", b'{"co": "much"}', b"x" * 70000):
                await sensor.publish("garage/co-1/state", nonsense, qos=1)
            await heard.until(lambda: len(heard.of(InputRefused)) == 5)
            assert {refusal.wire for refusal in heard.of(InputRefused)} == {"co"}
            assert all(len(refusal.sample) <= 64 for refusal in heard.of(InputRefused))
            await sensor.publish("garage/co-1/state", b'{"co": 44}', qos=1)
            await heard.until_value("co.co", 44.0)
            assert bus.health.refused == 5
            with pytest.raises(CommandFailed):
                await bus.write("co", "co", 1.0, within_s=1)


async def test_a_last_will_loses_the_device_at_once(broker: Broker, tmp_path: Path) -> None:
    heard = Heard()
    will = aiomqtt.Will("garage/co-1/availability", b"offline", qos=1)
    async with running(broker, tmp_path, heard) as bus, broker.client(will) as sensor:
        await asyncio.sleep(0)
        while not heard.of(DeviceFound):
            await sensor.publish("garage/co-1/availability", b"online", qos=1)
            await asyncio.sleep(0.05)
        assert bus.online("co")
        # The connection breaks without a good-bye.
        connection: Any = sensor._client.socket()
        assert connection is not None
        connection.shutdown(socket.SHUT_RDWR)
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost)[0] == DeviceLost("co", "it says that it is offline")
        with pytest.raises(aiomqtt.MqttError):
            await sensor.publish("garage/co-1/state", b"{}", qos=1)
            await sensor.publish("garage/co-1/state", b"{}", qos=1)


async def test_silence_loses_the_device(broker: Broker, tmp_path: Path) -> None:
    heard = Heard()
    quick = replace(load("mqtt_co_sensor"), silent_s=0.2)
    async with running(broker, tmp_path, heard, quick):
        await heard.until(lambda: heard.of(DeviceLost))
        assert heard.of(DeviceLost) == [DeviceLost("co", "nothing heard for 0.2 s")]


async def test_the_broker_goes_and_comes_back(broker: Broker, tmp_path: Path) -> None:
    heard = Heard()
    async with running(broker, tmp_path, heard) as bus:
        async with broker.client() as sensor:
            while not heard.last("co.co"):
                await sensor.publish("garage/co-1/state", b'{"co": 1}')
                await asyncio.sleep(0.05)
        await broker.stop()
        await heard.until(lambda: len(heard.of(DeviceLost)) == 2, 20)
        assert "site's broker" in heard.of(DeviceLost)[0].why
        assert not bus.health.connected
        await broker.start()
        async with broker.client() as sensor:
            async with asyncio.timeout(30):
                while len(heard.readings("co.co")) < 2:
                    await sensor.publish("garage/co-1/state", b'{"co": 1}')
                    await asyncio.sleep(0.1)
        assert bus.online("co")
