"""The site's own broker and the devices that speak through it.

Messages are taken as fast as they come; nothing is kept here. A device is there while it publishes, until its last
will speaks; silent for longer than its profile says, it is lost. A retained value is of unknown age: it is stale.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping

import aiomqtt
import structlog

from contract.readings import Value
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.changes import Changes, Worth
from drivers.mqtt.mapping import Available, Meaning, Refusal, Topics, Values
from drivers.presence import Presence
from drivers.profiles.profile import Profile
from drivers.reports import InputRefused, PointsRead, Sink

log = structlog.get_logger(__name__)

RECONNECT_S = (0.5, 1.0, 2.0, 5.0, 10.0)
LOST_AFTER = 2
WAITING_LIMIT = 1000
"""Messages between the network and this task; what comes beyond is dropped and the next value follows anyway."""


class MqttBus:
    """One broker (see `drivers.bus.Bus`). `devices`: topic prefix and profile. `clock`: Unix milliseconds.

    `password` is asked at each connection, so that a new one is used without a restart.
    """

    def __init__(
        self,
        id: str,
        host: str,
        port: int,
        devices: Mapping[str, tuple[str, Profile]],
        *,
        sink: Sink,
        clock: Callable[[], int],
        username: str | None = None,
        password: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.id = id
        self.health = BusHealth()
        self._host = host
        self._port = port
        self._topics = Topics(devices)
        self._profiles = {device: profile for device, (_, profile) in devices.items()}
        self._changes = {device: Changes(device, profile.points) for device, profile in self._profiles.items()}
        self._sink = sink
        self._clock = clock
        self._username = username
        self._password = password
        self._presence = Presence(
            {device: profile.silent_s for device, profile in self._profiles.items()},
            sink,
            lost=lambda device: self._changes[device].forget(),
        )

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """None of the known MQTT products takes orders."""
        raise CommandFailed(f"{device} has nothing to write called {point}", f"{device} 没有可写的点 {point}")

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """None of the known MQTT products has outputs."""
        raise CommandFailed(f"{device} has no output {output}", f"{device} 没有输出 {output}")

    def online(self, device: str) -> bool:
        """Whether the device was heard lately."""
        return self._presence.online(device)

    def show(self, reader: str, outcome: Outcome) -> None:
        """No MQTT product shows decisions."""

    # --- The owner

    async def run(self) -> None:
        """Stays connected until cancelled."""
        failures = 0
        owner = asyncio.current_task()
        assert owner is not None
        try:
            # Before Python 3.12, wait_for (in aiomqtt) swallows a cancellation that comes together with an answer.
            while not owner.cancelling():
                try:
                    await self._listen()
                except (aiomqtt.MqttError, OSError, ValueError) as wrong:
                    if self.health.connected:
                        failures = 0
                        self.health.reconnects += 1
                    self.health.connected = False
                    failures += 1
                    if failures >= LOST_AFTER:
                        where = f"{self._host}:{self._port}"
                        self._presence.lose_all(f"the site's broker {where} cannot be reached: {wrong}")
                await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S)) - 1])
            raise asyncio.CancelledError
        finally:
            self.health.connected = False
            self._presence.rest()

    async def _listen(self) -> None:
        async with aiomqtt.Client(
            self._host,
            self._port,
            username=self._username,
            password=self._password() if self._username else None,
            # Another client of the same name would throw this one out: nobody can guess it.
            identifier=f"gateway-{uuid.uuid4().hex}",
            keepalive=20,
            timeout=5,
            max_queued_incoming_messages=WAITING_LIMIT,
        ) as client:
            topics = self._topics.topics
            if topics:
                await client.subscribe([(topic, 1) for topic in topics])
            self.health.connected = True
            self._presence.watch()
            async for message in client.messages:
                self._take(message)

    # --- Messages

    def _take(self, message: aiomqtt.Message) -> None:
        self.health.exchanges += 1
        payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
        try:
            for meaning in self._topics.read(message.topic.value, payload):
                self._tell(meaning, payload, retained=message.retain)
        except Exception:
            # A fault of whoever listens must not cost the connection.
            log.exception("a message could not be handed over", bus=self.id)

    def _tell(self, meaning: Meaning, payload: bytes, *, retained: bool) -> None:
        if isinstance(meaning, Refusal):
            self.health.refused += 1
            self._sink(InputRefused(meaning.device, meaning.why, payload[:64]))
        elif isinstance(meaning, Available):
            if meaning.online:
                self._presence.heard(meaning.device)
            else:
                self._presence.lose(meaning.device, "it says that it is offline")
        else:
            if not retained:
                self._presence.heard(meaning.device)
            self._tell_values(meaning, retained=retained)

    def _tell_values(self, values: Values, *, retained: bool) -> None:
        seen = [_aged(worth) if retained else worth for worth in values.seen]
        news = self._changes[values.device].news(seen, asyncio.get_running_loop().time(), self._clock())
        if news:
            self._sink(PointsRead(values.device, news))


def _aged(worth: Worth) -> Worth:
    return worth._replace(quality="stale") if worth.quality == "good" else worth
