"""The broker that is shipped as an example, run as it stands: nobody without TLS, nobody under another's topic."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import aiomqtt
import pytest

from drivers.mqtt.wires import MqttBus
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.reports import DeviceFound
from simulators.demo.programs import free_port
from tests.certificates import Signed, signed
from tests.drivers.products import Installed
from tests.drivers.sinks import Heard
from tests.tools import tool

EXAMPLE = Path(__file__).parents[2] / "deploy" / "broker"
ACCOUNTS = ("gateway", "frigate", "homeassistant", "garage-co", "plug-1", "hub", "demo-gw", "annex-gw")
PLATE = "frigate/tracked_object_update"


class Running(NamedTuple):
    """A broker by the shipped files; every account's password is its name backwards."""

    port: int
    files: Signed

    def client(self, account: str, password: str | None = None) -> aiomqtt.Client:
        trust = ssl.create_default_context(cafile=self.files.ca)
        secret = account[::-1] if password is None else password
        return aiomqtt.Client("127.0.0.1", self.port, username=account, password=secret, tls_context=trust, timeout=10)


def hashed(account: str) -> str:
    """A line of Mosquitto's password file (PBKDF2-SHA512)."""
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", account[::-1].encode(), salt, 101)
    return f"{account}:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


@pytest.fixture(params=["site.acl"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    files, port = signed(tmp_path), free_port()
    (tmp_path / "passwords").write_text("".join(hashed(account) for account in ACCOUNTS))
    (tmp_path / "site.acl").write_text((EXAMPLE / request.param).read_text().replace("SITE", "demo"))
    (tmp_path / "data").mkdir()
    for path in tmp_path.iterdir():
        path.chmod(0o700)
    settings = (EXAMPLE / "mosquitto.conf").read_text()
    for place, here in (("/etc/mosquitto/gatehouse/", f"{tmp_path}/"), ("/var/lib/mosquitto/", f"{tmp_path}/data/")):
        settings = settings.replace(place, here)
    settings = settings.replace("listener 8883", f"listener {port} 127.0.0.1") + "\nuser root\nlog_dest none\n"
    (tmp_path / "mosquitto.conf").write_text(settings)
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        tool("mosquitto"), "-c", str(tmp_path / "mosquitto.conf"), stdout=quiet, stderr=quiet
    )
    running = Running(port, files)
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    async with running.client("gateway"):
                        break
                except aiomqtt.MqttError:
                    assert process.returncode is None
                    await asyncio.sleep(0.05)
        yield running
    finally:
        process.kill()
        await process.wait()


async def hears(listening: aiomqtt.Client) -> tuple[str, bytes]:
    async with asyncio.timeout(20):
        message = await anext(aiter(listening.messages))
    assert isinstance(message.payload, bytes)
    return message.topic.value, message.payload


FORGED = [
    ("homeassistant", PLATE),
    ("garage-co", PLATE),
    ("plug-1", "garage/co-1/state"),
    ("frigate", "garage/co-1/state"),
    ("garage-co", "gatehouse/demo/lane/gate-in/set"),
    ("plug-1", "gatehouse/demo/door/lobby-a/set"),
]


@pytest.mark.parametrize(("account", "topic"), FORGED)
async def test_a_client_is_not_heard_under_anothers_topic(broker: Running, account: str, topic: str) -> None:
    owner = {"frigate": "frigate", "garage": "garage-co", "gatehouse": "homeassistant"}[topic.split("/", 1)[0]]
    async with broker.client("gateway") as gateway:
        await gateway.subscribe(topic, qos=1)
        with suppress(aiomqtt.MqttError):
            async with broker.client(account) as forger:
                await forger.publish(topic, b"forged", qos=1)
        async with broker.client(owner) as honest:
            await honest.publish(topic, b"honest", qos=1)
        assert await hears(gateway) == (topic, b"honest")


@pytest.mark.parametrize("broker", ["hub.acl"], indirect=True)
async def test_a_gateway_neither_speaks_for_another_nor_hears_what_is_for_it(broker: Running) -> None:
    up, down = "gatehouse/v1/up/s1/{}/events", "gatehouse/v1/down/{}/desired"
    async with broker.client("hub") as hub, broker.client("demo-gw") as mine:
        await hub.subscribe("gatehouse/v1/up/#", qos=1)
        await mine.subscribe("gatehouse/v1/down/demo-gw/#", qos=1)
        with suppress(aiomqtt.MqttError):
            await mine.subscribe("gatehouse/v1/down/annex-gw/#", qos=1)
        await mine.publish(up.format("annex-gw"), b"forged", qos=1)
        await mine.publish(up.format("demo-gw"), b"honest", qos=1)
        assert await hears(hub) == (up.format("demo-gw"), b"honest")
        await hub.publish(down.format("annex-gw"), b"for another", qos=1)
        await hub.publish(down.format("demo-gw"), b"mine", qos=1)
        assert await hears(mine) == (down.format("demo-gw"), b"mine")


async def test_a_wrong_password_and_a_connection_without_tls_get_nothing(broker: Running) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with broker.client("gateway", "wrong"):
            pass
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", broker.port, username="gateway", password="yawetag", timeout=5):
            pass


async def test_the_gateways_driver_speaks_tls_to_it(broker: Running, tmp_path: Path) -> None:
    (tmp_path / "gateway.password").write_text("yawetag")
    config = MqttBus(
        kind="mqtt", host="localhost", port=broker.port, username="gateway", password_file="gateway.password",
        ca_file="ca.pem",
    )  # fmt: skip
    heard = Heard()
    devices = {"co": (Installed(topic="garage/co-1"), load("mqtt_co_sensor"))}
    running = asyncio.create_task(open_bus("site", config, devices, sink=heard, clock=lambda: 0, folder=tmp_path).run())
    try:
        async with broker.client("garage-co") as sensor:
            await sensor.publish("garage/co-1/availability", b"online", qos=1, retain=True)
        await heard.until(lambda: heard.of(DeviceFound))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
