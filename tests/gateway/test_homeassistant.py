"""What a Home Assistant is shown, seen by a plain MQTT client through real brokers, and what it may ask for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config.site import HomeAssistant
from drivers.mqtt.wires import MqttBus
from gateway.homeassistant.outward import COMMANDS_AT_ONCE, Outward
from tests.brokers import KINDS, PASSWORD, USERNAME, Broker, Ear, Kind, listen
from tests.gateway.engine_site import Yard, yard
from tests.gateway.process import hut


@pytest.fixture(params=KINDS)
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    kind: Kind = request.param
    broker = Broker(tmp_path, kind)
    await broker.start()
    yield broker
    await broker.stop()


@asynccontextmanager
async def shown(broker: Broker, here: Yard, *, commands: bool = False) -> AsyncIterator[Outward]:
    """The yard shown through the broker, until the block ends."""
    secret = "site-broker.password"
    bus = MqttBus(kind="mqtt", host="127.0.0.1", port=broker.port, username=USERNAME, password_file=secret)
    options = HomeAssistant(bus="broker", language="en", commands=commands)
    outward = Outward(options, bus, here.engine, software="1.2.3", folder=broker.folder.parent)
    task = asyncio.create_task(outward.run())
    try:
        yield outward
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def hearing(broker: Broker) -> AsyncIterator[Ear]:
    """A plain client that hears everything."""
    ear = Ear()
    async with broker.client() as client:
        await client.subscribe([("gatehouse/#", 1), ("homeassistant/#", 1)])
        task = asyncio.create_task(listen(client, ear))
        try:
            yield ear
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def site_of(here: Yard) -> str:
    return here.engine.site.site


async def said(ear: Ear, topic: str) -> Any:
    return json.loads(await ear.until_any(topic))


async def test_the_site_is_announced_and_its_states_follow(broker: Broker, tmp_path: Path) -> None:
    async with yard(tmp_path) as here, hearing(broker) as ear, shown(broker, here) as outward:
        site = site_of(here)
        await ear.until(f"gatehouse/{site}/presence", b"online")
        lock = await said(ear, f"homeassistant/binary_sensor/gatehouse-{site}/door-lobby/config")
        assert lock["device_class"] == "lock"
        assert "command_topic" not in lock
        assert lock["availability"] == [{"topic": f"gatehouse/{site}/presence"}]
        door = f"gatehouse/{site}/door/lobby"
        assert (await said(ear, door))["lock"] == "locked"
        await here.card("04A1B2C3D4E5F6")
        await ear.until(door, json.dumps({"lock": "released", "contact": "closed"}, separators=(",", ":")).encode())
        assert outward.connected


async def test_a_value_that_is_not_good_is_not_shown(broker: Broker, tmp_path: Path) -> None:
    async with yard(tmp_path) as here, hearing(broker) as ear, shown(broker, here):
        topic = f"gatehouse/{site_of(here)}/point/relays/input_1"
        await ear.until(topic, b'{"value":"OFF","presence":"online"}')
        await here.read("bad", relays__input_1=None)
        await ear.until(topic, b'{"value":null,"presence":"offline"}')
        await here.read(relays__input_1=True)
        await ear.until(topic, b'{"value":"ON","presence":"online"}')


async def test_what_the_site_has_no_more_is_taken_away(broker: Broker, tmp_path: Path) -> None:
    async with yard(tmp_path) as here, broker.client() as before:
        site = site_of(here)
        old = [
            f"homeassistant/sensor/gatehouse-{site}/point-gone-value/config",
            f"gatehouse/{site}/point/gone/value",
            f"gatehouse/{site}/door/lobby/set",
        ]
        for topic in old:
            await before.publish(topic, b'{"x": 1}', qos=1, retain=True)
        foreign = "homeassistant/sensor/gatehouse-other/x/config"
        await before.publish(foreign, b"{}", qos=1, retain=True)
        async with hearing(broker) as ear, shown(broker, here, commands=True) as outward:
            for topic in old:
                await ear.until(topic, b"")
            assert ear.last(foreign) == b"{}"
            assert outward.refused == 0
            assert await here.kinds() == []
        async with hearing(broker) as later:
            await later.until(f"gatehouse/{site}/presence", b"offline")
            assert not any(later.last(topic) for topic in old)


async def test_the_last_will_says_that_the_gateway_is_gone(broker: Broker, tmp_path: Path) -> None:
    async with yard(tmp_path) as here, hearing(broker) as ear:
        topic = f"gatehouse/{site_of(here)}/presence"
        async with shown(broker, here):
            await ear.until(topic, b"online")
        await ear.until(topic, b"offline")


async def test_a_broker_that_restarts_is_told_everything_again(broker: Broker, tmp_path: Path) -> None:
    async with yard(tmp_path) as here, shown(broker, here):
        topic = f"gatehouse/{site_of(here)}/presence"
        async with hearing(broker) as ear:
            await ear.until(topic, b"online")
        await broker.stop()
        await here.read(relays__input_1=True)  # nobody waits for a broker
        await broker.start()
        async with hearing(broker) as ear:
            await ear.until(f"gatehouse/{site_of(here)}/point/relays/input_1", b'{"value":"ON","presence":"online"}')


async def test_commands_are_recorded_like_a_persons_and_are_few(broker: Broker, tmp_path: Path) -> None:
    async with yard(tmp_path) as here, hearing(broker) as ear, broker.client() as assistant:
        site = site_of(here)
        async with shown(broker, here, commands=True) as outward:
            lock = await said(ear, f"homeassistant/lock/gatehouse-{site}/door-lobby/config")
            cover = await said(ear, f"homeassistant/cover/gatehouse-{site}/lane-gate-in/config")
            assert (cover["payload_close"], cover["payload_stop"]) == (None, None)
            await ear.until(f"gatehouse/{site}/presence", b"online")
            # Its subscription to commands follows; what is asked before is not carried out later.
            async with asyncio.timeout(20):
                while not await here.events("command.done"):
                    await assistant.publish(lock["command_topic"], b"UNLOCK", qos=1)
                    await asyncio.sleep(0.2)
                    await here.settle()
            (_, source, asked), *_ = await here.events("command.asked")
            assert (source, asked["kind"], asked["by"]["id"]) == ("lobby", "door.unlock", "home-assistant")
            before = outward.refused
            for topic, payload in (
                (lock["command_topic"], b"LOCK"),
                (cover["command_topic"], b"CLOSE"),
                (f"gatehouse/{site}/door/nowhere/set", b"UNLOCK"),
            ):
                await assistant.publish(topic, payload, qos=1)
            async with asyncio.timeout(20):
                while outward.refused < before + 3:  # noqa: ASYNC110 - it happens in another task
                    await asyncio.sleep(0.02)
            assert {kind for _, _, data in await here.events("command.asked") for kind in [data["kind"]]} == {
                "door.unlock"
            }
            before = outward.refused
            for _ in range(2 * COMMANDS_AT_ONCE):
                await assistant.publish(lock["command_topic"], b"UNLOCK", qos=1)
            async with asyncio.timeout(20):
                while outward.refused == before:  # noqa: ASYNC110 - it happens in another task
                    await asyncio.sleep(0.02)


async def test_without_leave_nothing_is_taken(broker: Broker, tmp_path: Path) -> None:
    async with yard(tmp_path) as here, hearing(broker) as ear, broker.client() as assistant:
        site = site_of(here)
        async with shown(broker, here) as outward:
            await ear.until(f"gatehouse/{site}/presence", b"online")
            await assistant.publish(f"gatehouse/{site}/door/lobby/set", b"UNLOCK", qos=1)
            topic = f"gatehouse/{site}/point/relays/input_1"
            await here.read(relays__input_1=True)
            await ear.until(topic, b'{"value":"ON","presence":"online"}')
            await here.settle()
            assert await here.events("command.asked") == []
            assert outward.refused == 0


async def test_what_changes_often_is_told_once_with_its_last_value(broker: Broker, tmp_path: Path) -> None:
    async with yard(tmp_path) as here, hearing(broker) as ear, shown(broker, here):
        topic = f"gatehouse/{site_of(here)}/point/relays/input_1"
        await ear.until(f"gatehouse/{site_of(here)}/presence", b"online")
        told = len(ear.of(topic))
        for turn in range(201):
            await here.read(relays__input_1=turn % 2 == 0)
        await ear.until(topic, b'{"value":"ON","presence":"online"}')
        assert len(ear.of(topic)) - told < 50


async def test_a_real_gateway_unlocks_a_door_for_it_and_says_good_bye(broker: Broker, tmp_path: Path) -> None:
    async with hut(tmp_path) as gateway, hearing(broker) as ear, broker.client() as assistant:
        site = gateway.site.read_text(encoding="utf-8")
        bus = (
            f"{{kind: mqtt, host: 127.0.0.1, port: {broker.port}, username: {USERNAME}, password_file: site.password}}"
        )
        with_broker = site.replace("buses:\n", f"buses:\n  broker: {bus}\n")
        gateway.site.write_text(with_broker + "home_assistant: {bus: broker, commands: true}\n", encoding="utf-8")
        (gateway.data / "site.password").write_text(PASSWORD)
        await gateway.start()
        lock = await said(ear, "homeassistant/lock/gatehouse-hut/door-front/config")
        await ear.until("gatehouse/hut/presence", b"online")
        async with asyncio.timeout(30):
            while not gateway.ends.coils:
                await assistant.publish(lock["command_topic"], b"UNLOCK", qos=1)
                await asyncio.sleep(0.2)
        assert await gateway.end() == 0
        await ear.until("gatehouse/hut/presence", b"offline")
        asked = [data for _, kind, _, data in gateway.rows() if kind == "command.asked"]
        assert asked[0]["by"] == {"id": "home-assistant", "name": "Home Assistant", "role": "guard"}
