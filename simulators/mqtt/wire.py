"""Devices of one MQTT bus: each its own client with its own last will, publishing when something changed.

They take the commands of their profiles, and tell whoever looks for devices what they are, as Home Assistant reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiomqtt
import structlog

from drivers.mqtt.ending import end_if_cancelled
from drivers.mqtt.product import TopicCommand
from simulators.actions import CommandGiven
from simulators.device import SimDevice
from simulators.mqtt.announce import announcements
from simulators.mqtt.commands import action_of, is_question, topics_of
from simulators.mqtt.payload import Payloads, availability, payloads
from simulators.site import SimSite

RECONNECT_S = 2.0
CHANGE_S = 2.0
"""A value that wanders is published at most so often; a flag at once."""

HUGE = 300_000

log = structlog.get_logger("simulators.mqtt")


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """Where the site's broker is, and who the simulators are there."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None


class PublishingCamera(Protocol):
    """A camera that is its own client of the broker."""

    id: str

    def look(self) -> None:
        """Lets it see what happened at its lane."""

    async def run(self) -> None:
        """Connects and publishes until cancelled."""


class MqttWire:
    """Every sensor of one MQTT bus."""

    def __init__(
        self, id_: str, site: SimSite, broker: BrokerAccess, cameras: Mapping[str, PublishingCamera] | None = None
    ) -> None:
        self.id = id_
        self.cameras = dict(cameras or {})
        on_bus = [device for device in site.devices.values() if device.config.bus == id_]
        self._sensors = [Sensor(device, site, broker) for device in on_bus if device.id not in self.cameras]
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Starts the sensors; where the broker is was known before, so the wires entry is empty."""
        publishers: list[Sensor | PublishingCamera] = [*self._sensors, *self.cameras.values()]
        self._tasks = [asyncio.create_task(each.run(), name=f"publisher {each.id}") for each in publishers]
        return {}

    async def attend(self) -> None:
        """Lets each sensor see what changed."""
        for sensor in self._sensors:
            sensor.look()
        for camera in self.cameras.values():
            camera.look()

    async def close(self) -> None:
        """Ends the sensors; each says that it is gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Sensor:
    """One device. `look` decides whether there is something to say and wakes `run`, which says it."""

    def __init__(self, device: SimDevice, site: SimSite, broker: BrokerAccess) -> None:
        self.id = device.id
        self._device = device
        self._site = site
        self._broker = broker
        self._prefix = device.config.topic or device.id
        self._wake = asyncio.Event()
        self._connected = True
        self._said: Payloads = {}
        self._said_at = 0.0
        self._flags: tuple[object, ...] = ()
        self._faults: frozenset[str] = frozenset()
        self._repeat_s = (device.profile.silent_s or 90.0) / 3

    def look(self) -> None:
        """Wakes the sensor if it has something to say, or if it was broken or mended."""
        faults = frozenset(broken.fault for broken in self._site.faults.at_work() if broken.device == self.id)
        waited = time.monotonic() - self._said_at
        if faults != self._faults or self._flags_now() != self._flags or waited >= self._repeat_s:
            self._faults = faults
            self._wake.set()
        elif waited >= CHANGE_S and self._payloads() != self._said:
            self._wake.set()

    async def run(self) -> None:
        """Connects and publishes until cancelled; outlives the broker."""
        while True:
            if self._off():
                await self._woken()
                continue
            try:
                await self._session()
            except (aiomqtt.MqttError, OSError) as wrong:
                if self._connected:
                    log.info("no broker", sensor=self.id, why=str(wrong) or type(wrong).__name__)
                self._connected = False
                await asyncio.sleep(RECONNECT_S)

    async def _session(self) -> None:
        last = availability(self._device.profile, self._prefix, online=False)
        # A connection has one will: the device's own, which stands last (a bridge's comes before it).
        will = aiomqtt.Will(*list(last.items())[-1], qos=1, retain=True) if last else None
        async with aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            will=will,
            keepalive=15,
            identifier=f"sim-{self.id}",
        ) as client:
            self._connected = True
            gone = asyncio.create_task(self._listen(client))
            try:
                await self._announce(client)
                await self._say_available(client, online=True)
                while not self._off():
                    await self._publish(client)
                    await self._woken_or(gone)
            finally:
                gone.cancel()
                await asyncio.gather(gone, return_exceptions=True)
                with contextlib.suppress(aiomqtt.MqttError):
                    await self._say_available(client, online=False)

    async def _publish(self, client: aiomqtt.Client) -> None:
        self._flags = self._flags_now()
        self._said_at = time.monotonic()
        self._said = self._payloads()
        if self._site.faults.has(self.id, "silent"):
            return
        for topic, payload in self._said.items():
            await client.publish(topic, self._spoiled(payload), qos=1, retain=True)
            end_if_cancelled()

    def _payloads(self) -> Payloads:
        wrong_type = self._site.faults.has(self.id, "wrong-type")
        return payloads(self._device.profile, self._prefix, self._device.value, wrong_type=wrong_type)

    def _spoiled(self, payload: bytes) -> bytes:
        if self._site.faults.has(self.id, "corrupt"):
            return payload[: len(payload) // 2] + b"\xff\xfe"
        if self._site.faults.has(self.id, "huge"):
            return b'{"padding": "' + b"x" * HUGE + b'"}'
        return payload

    async def _say_available(self, client: aiomqtt.Client, *, online: bool) -> None:
        said = availability(self._device.profile, self._prefix, online=online)
        for topic, payload in list(said.items())[None if online else -1 :]:
            await client.publish(topic, payload, qos=1, retain=True)

    async def _announce(self, client: aiomqtt.Client) -> None:
        named = self._device.config.name
        name = self._device.profile.name.en if named is None else named.en
        for topic, payload in announcements(self._device.profile, self._prefix, self.id, name).items():
            await client.publish(topic, payload, qos=1, retain=True)
        for topic in topics_of(self._device.profile, self._prefix):
            await client.subscribe(topic, qos=1)
            end_if_cancelled()

    async def _listen(self, client: aiomqtt.Client) -> None:
        """Takes commands; raises `MqttError` when the connection ends."""
        async for message in client.messages:
            if isinstance(message.payload, bytes) and not self._site.faults.has(self.id, "silent"):
                self._take(message.topic.value, message.payload)

    def _take(self, topic: str, payload: bytes) -> None:
        profile = self._device.profile
        action = action_of(profile, self._prefix, topic, payload)
        if action is not None:
            self._device.act(action)
            if isinstance(action, CommandGiven) and not self._device.stuck:
                self._obey(action)
        elif not is_question(profile, self._prefix, topic, payload):
            return
        self._wake.set()

    def _obey(self, given: CommandGiven) -> None:
        """What no part of the world moves stands at once as it was asked for."""
        command = self._device.profile.commands[given.command]
        if self._device.role != "barrier" and isinstance(command, TopicCommand):
            self._device.put({command.point: command.expect[0] if command.expect else given.value})

    async def _woken(self) -> None:
        await self._wake.wait()
        self._wake.clear()

    async def _woken_or(self, gone: asyncio.Task[None]) -> None:
        """Waits for something to say; raises `MqttError` as soon as the broker is gone."""
        woken = asyncio.create_task(self._woken())
        try:
            await asyncio.wait({woken, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        if gone.done():
            gone.result()

    def _flags_now(self) -> tuple[object, ...]:
        return tuple(value for value in self._device.points().values() if isinstance(value, (bool, str)))

    def _off(self) -> bool:
        return self._site.faults.has(self.id, "offline")
