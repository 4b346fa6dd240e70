"""The connection to the broker: drained as fast as it comes, made again whenever it breaks."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable

import aiomqtt
import structlog
from prometheus_client import Gauge

from contract.topics import PREFIX, parse_up
from hub.downlink import Downlink
from hub.ingest.handover import Message
from hub.settings import Settings

log = structlog.get_logger(__name__)

CONNECTED = Gauge("gatehouse_broker_connected", "Whether the hub is connected to its broker")

TOPICS = tuple(f"{PREFIX}/up/+/+/{kind}" for kind in ("events", "telemetry", "presence", "pictures"))
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
KEEPALIVE_S = 15
MOST_QUEUED = 5000
"""Messages between the socket and `receive`, which never waits; beyond it the library drops them."""

AT_ONCE = 64
"""Publishes that may wait for the broker's acknowledgement together."""


class Broker:
    """One MQTT connection: `receive` gets every message; `downlink` is published; `connected` is told each time."""

    def __init__(
        self,
        settings: Settings,
        downlink: Downlink,
        receive: Callable[[Message], object],
        connected: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._downlink = downlink
        self._receive = receive
        self._connected = connected
        self.up = False

    async def run(self) -> None:
        """Keep a connection until cancelled."""
        failures = 0
        while True:
            try:
                async with self._client() as client:
                    failures = 0
                    client.pending_calls_threshold = AT_ONCE
                    await self._serve(client)
            except aiomqtt.MqttError as error:
                log.warning("broker.lost", error=str(error), retry_in_s=RETRY_S[min(failures, len(RETRY_S) - 1)])
            except ExceptionGroup as group:
                lost = group.subgroup(aiomqtt.MqttError)
                if lost is None:
                    raise
                log.warning("broker.lost", error=str(lost.exceptions[0]))
            finally:
                self._gone()
            await asyncio.sleep(RETRY_S[min(failures, len(RETRY_S) - 1)])
            failures += 1

    async def _serve(self, client: aiomqtt.Client) -> None:
        # One by one: NATS counts each as a subscription with rights of its own.
        for topic in TOPICS:
            await client.subscribe(topic, qos=1)
        log.info("broker.connected", host=self._settings.broker_host, port=self._settings.broker_port)
        self.up = True
        CONNECTED.set(1)
        self._downlink.open()
        self._connected()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish(client))
            tasks.create_task(self._drain(client))

    async def _drain(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = parse_up(message.topic.value)
            if topic is not None and isinstance(message.payload, bytes):
                self._receive(Message(topic, message.payload, time.time_ns() // 1_000_000))

    async def _publish(self, client: aiomqtt.Client) -> None:
        room = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            while True:
                outgoing = await self._downlink.next()
                await room.acquire()

                async def one(topic: str = outgoing.topic, payload: bytes = outgoing.payload) -> None:
                    try:
                        await client.publish(topic, payload, qos=1)
                    finally:
                        room.release()

                tasks.create_task(one())

    def _gone(self) -> None:
        self.up = False
        CONNECTED.set(0)
        self._downlink.shut()

    def _client(self) -> aiomqtt.Client:
        settings = self._settings
        tls = ssl.create_default_context(cafile=settings.broker_ca_file) if settings.broker_encrypted else None
        return aiomqtt.Client(
            settings.broker_host,
            settings.broker_port,
            username=settings.broker_user,
            password=settings.broker_password(),
            # Two clients of one name throw each other out: every process has its own, that nobody can guess.
            identifier=f"hub-{secrets.token_hex(8)}",
            clean_session=True,
            keepalive=KEEPALIVE_S,
            timeout=10,
            tls_context=tls,
            max_queued_incoming_messages=MOST_QUEUED,
            max_inflight_messages=AT_ONCE,
        )
