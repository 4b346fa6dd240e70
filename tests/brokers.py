"""Real MQTT brokers for tests, each on a port of its own: nats-server and Mosquitto."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Literal

import aiomqtt

from simulators.demo.programs import FORGETS_AFTER_S, BrokerUser, free_port, prepare_broker
from tests.tools import tool

Kind = Literal["nats", "mosquitto"]
USERNAME, PASSWORD = "gateway", "site-secret"
KINDS: tuple[Kind, ...] = ("nats", "mosquitto")


class Broker:
    """One broker, that can be stopped and started again on the same port. What it kept, it forgets (Mosquitto only)."""

    def __init__(self, folder: Path, kind: Kind = "nats", *, forgets_after_s: int = FORGETS_AFTER_S) -> None:
        self.port = free_port()
        self.folder = folder / "broker"
        self.folder.mkdir(parents=True, exist_ok=True)
        (folder / "site-broker.password").write_text(f"{PASSWORD}\n")
        if kind == "nats":
            users = [BrokerUser(USERNAME, PASSWORD)]
            broker = prepare_broker(self.folder, "site_broker", self.port, users, forgets_after_s=forgets_after_s)
            self._argv = broker.program.argv
        else:
            settings = self.folder / "mosquitto.conf"
            settings.write_text(
                f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\nlog_dest none\n"
            )
            self._argv = (tool("mosquitto"), "-c", str(settings))
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Runs it; returns when it takes connections."""
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(*self._argv, stdout=quiet, stderr=quiet)
        async with asyncio.timeout(20):
            while True:
                try:
                    async with self.client():
                        return
                except aiomqtt.MqttError:
                    await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Kills it."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    def client(self, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
        """A client that may do everything."""
        return aiomqtt.Client("127.0.0.1", self.port, username=USERNAME, password=PASSWORD, will=will)


class Ear:
    """A plain client that hears everything: what was said last under each topic, and what was retained for it."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self._heard = asyncio.Event()

    def last(self, topic: str) -> bytes | None:
        """The last payload of a topic."""
        return next((payload for at, payload, _ in reversed(self.messages) if at == topic), None)

    def of(self, topic: str) -> list[bytes]:
        """Every payload of a topic."""
        return [payload for at, payload, _ in self.messages if at == topic]

    def take(self, message: aiomqtt.Message) -> None:
        """One message."""
        payload = message.payload if isinstance(message.payload, bytes) else b""
        self.messages.append((message.topic.value, payload, bool(message.retain)))
        self._heard.set()

    async def until(self, topic: str, payload: bytes, within_s: float = 20.0) -> None:
        """Waits until the topic's last payload is this one."""
        async with asyncio.timeout(within_s):
            while self.last(topic) != payload:
                self._heard.clear()
                await self._heard.wait()

    async def until_any(self, topic: str, within_s: float = 20.0) -> bytes:
        """Waits for something under the topic."""
        async with asyncio.timeout(within_s):
            while (found := self.last(topic)) is None:
                self._heard.clear()
                await self._heard.wait()
        return found


async def listen(client: aiomqtt.Client, ear: Ear) -> None:
    """Lets the ear hear everything that comes to a client."""
    async for message in client.messages:
        ear.take(message)
