"""The demo's site broker: each client has topics of its own, and nobody is heard under another's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiomqtt
import pytest

from config import load_site
from drivers.mqtt.mapping import Topics
from drivers.profiles.files import load
from simulators.demo.programs import free_port, prepare_broker
from simulators.demo.site_accounts import ACCOUNTS, site_accounts

BUSES = Path(__file__).parents[2] / "config" / "sites" / "buses.yaml"
PLATE = "frigate/tracked_object_update"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    free = free_port()
    users = site_accounts(load_site(BUSES), lambda account: f"secret of {account}")
    argv = prepare_broker(tmp_path, "site_broker", free, users).program.argv
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*argv, stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    async with client(free, "gateway"):
                        break
                except aiomqtt.MqttError:
                    await asyncio.sleep(0.05)
        yield free
    finally:
        process.kill()
        await process.wait()


def client(port: int, account: str) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", port, username=account, password=f"secret of {account}", timeout=5)


async def first_heard(listening: aiomqtt.Client) -> object:
    async with asyncio.timeout(20):
        return (await anext(aiter(listening.messages))).payload


FORGED = [
    ("simulators", PLATE, "frigate"),
    ("homeassistant", PLATE, "frigate"),
    ("gateway", PLATE, "frigate"),
    ("simulators", "gatehouse/buses/lane/lane-hik/set", "homeassistant"),
    ("frigate", "gatehouse/buses/door/front/set", "homeassistant"),
    ("homeassistant", "bench/json/state", "simulators"),
    ("frigate", "tele/plug-1/STATE", "simulators"),
]


@pytest.mark.parametrize(("forger", "topic", "owner"), FORGED, ids=[f"{who} as {owner}" for who, _, owner in FORGED])
async def test_a_client_is_not_heard_under_anothers_topic(port: int, forger: str, topic: str, owner: str) -> None:
    async with client(port, "gateway") as gateway:
        await gateway.subscribe(topic, qos=1)
        with suppress(aiomqtt.MqttError):  # a broker may also end the forger's connection
            async with client(port, forger) as other:
                await other.publish(topic, json.dumps({"type": "lpr", "plate": "沪A12345"}), qos=1)
        async with client(port, owner) as honest:
            await honest.publish(topic, b"honest", qos=1)
        assert await first_heard(gateway) == b"honest"


async def test_everybody_may_do_what_is_theirs(port: int) -> None:
    """What the gateway subscribes to and asks, and what its devices hear, is allowed."""
    leak = Topics({"leak-zigbee": ("bench/leak", load("zigbee2mqtt_sjcgq11lm"))}).topics
    async with client(port, "gateway") as gateway, client(port, "simulators") as plug:
        await gateway.subscribe([(topic, 1) for topic in (*leak, "gatehouse/buses/#", "homeassistant/#")])
        await plug.subscribe("cmnd/plug-1/POWER1", qos=1)
        await gateway.publish("cmnd/plug-1/POWER1", b"ON", qos=1)
        assert await first_heard(plug) == b"ON"
    async with client(port, "homeassistant") as home:
        await home.subscribe([("homeassistant/#", 1), ("gatehouse/buses/#", 1)])
    assert set(ACCOUNTS) == {"gateway", "simulators", "frigate", "homeassistant"}
