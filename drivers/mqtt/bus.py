"""The site's own broker and the devices that speak through it.

Messages are taken as fast as they come; nothing is kept here. A device is there while it publishes, until its last
will speaks; silent for longer than its profile says, it is lost. A retained value is of unknown age: it is stale.

A command is one message that the broker must acknowledge and never keeps; it is done when the device's own state says
so. Without a broker or a device that is there, nothing is sent: what waits in a queue opens a gate hours later.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import uuid
from collections.abc import Awaitable, Callable, Mapping

import aiomqtt
import structlog

from contract.readings import Value
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.changes import Changes, Worth
from drivers.mqtt.commands import CommandMessage, message_of, pulse_of
from drivers.mqtt.ending import end_if_cancelled
from drivers.mqtt.mapping import Attendance, Available, Meaning, Refusal, Topics, Values
from drivers.mqtt.plates import Plates
from drivers.mqtt.product import format_of
from drivers.mqtt.reconnecting import Failures
from drivers.mqtt.waiting import Waiting
from drivers.presence import Presence
from drivers.profiles.profile import Profile
from drivers.reports import InputRefused, PointsRead, Sink
from drivers.secrecy import Credentials
from drivers.tap import Tap

log = structlog.get_logger(__name__)

LOST_AFTER = 2
ABORT = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""A connection that is given up is cut: what its socket still holds is not delivered afterwards (socket(7))."""

SETTLE_S = 5.0
"""After so long a topic that has said nothing is subscribed to once more: what a device published in the very moment of
the first time was seen to be told neither as new nor as retained (nats-server 2.15.1)."""

AT_ONCE = 100
"""Topics in one subscription."""

WAITING_LIMIT = 1000
"""Messages between the network and this task; what comes beyond is dropped and the next value follows anyway."""


class MqttBus:
    """One broker (see `drivers.bus.Bus`). `devices`: topic prefix and profile. `clock`: Unix milliseconds.

    `credentials` are asked for at each connection, so that new ones are used without a restart.
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
        credentials: Callable[[], Awaitable[Credentials]],
    ) -> None:
        self.id = id
        self.health = BusHealth()
        self.tap = Tap()
        self._host = host
        self._port = port
        self._topics = Topics(devices)
        self._prefixes = {device: prefix for device, (prefix, _) in devices.items()}
        self._profiles = {device: profile for device, (_, profile) in devices.items()}
        self._changes = {device: Changes(device, profile.points) for device, profile in self._profiles.items()}
        self._sink = sink
        self._clock = clock
        self._credentials = credentials
        self._presence = Presence(
            {device: profile.silent_s for device, profile in self._profiles.items()},
            sink,
            when_lost=self._forget,
        )
        self._attendance = Attendance(self._profiles)
        self._plates = Plates(id, devices, sink=sink, present=self._present)
        self._waiting = Waiting(id)
        self._client: aiomqtt.Client | None = None
        self._patience: asyncio.Timeout | None = None
        self._unheard: set[str] = set()
        self._connected_at = 0.0

    # --- What the gateway asks

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        """Switches an output or carries out a command of the device's profile; done when the device says so."""
        profile, prefix = self._known(device)
        await self._ask_for(device, message_of(profile, prefix, point, value), within_s)

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        """Closes an output for `seconds`, timed by the device itself."""
        profile, prefix = self._known(device)
        await self._ask_for(device, pulse_of(profile, prefix, output, seconds), within_s)

    def online(self, device: str) -> bool:
        """Whether the device was heard lately."""
        return self._presence.online(device)

    def show(self, reader: str, outcome: Outcome) -> None:
        """No MQTT product shows decisions."""

    def _known(self, device: str) -> tuple[Profile, str]:
        if device not in self._profiles:
            raise CommandFailed(f"there is no {device} on {self.id}", f"{self.id} 上没有 {device}")
        return self._profiles[device], self._prefixes[device]

    async def _ask_for(self, device: str, command: CommandMessage, within_s: float) -> None:
        client, deadline = self._client, asyncio.get_running_loop().time() + within_s
        if client is None:
            raise CommandFailed("the site's broker cannot be reached: nothing was sent", "连不上现场消息服务，未下发")
        unheard = bool(format_of(self._profiles[device]).availability) and not self._presence.online(device)
        if unheard or self._presence.lost(device):
            raise CommandFailed(f"{device} is not there: nothing was sent", f"{device} 失联，未下发")
        with self._waiting.word_of(device, command) as confirmed:
            if self.tap.on:
                self.tap.sent(command.payload, command.topic)
            try:
                await client.publish(command.topic, command.payload, qos=1, retain=False, timeout=within_s)
            except asyncio.CancelledError:
                self._give_up(client)
                raise
            except (aiomqtt.MqttError, ValueError) as wrong:
                self._give_up(client)
                raise CommandFailed(
                    f"the site's broker did not take it: {wrong}", "现场消息服务未收下该指令"
                ) from wrong
            if self._waiting.said_before(device, command):
                return
            try:
                async with asyncio.timeout_at(deadline):
                    await confirmed
            except TimeoutError:
                raise CommandFailed(
                    f"{device} has not confirmed within {within_s:g} s", f"{device} 在 {within_s:g} 秒内未确认"
                ) from None

    def _give_up(self, client: aiomqtt.Client) -> None:
        """Cuts a connection whose broker acknowledges nothing: what is on its way must not arrive later."""
        if client is self._client and self._patience is not None:
            self._client = None
            self._patience.reschedule(asyncio.get_running_loop().time())

    # --- The owner

    async def run(self) -> None:
        """Stays connected until cancelled."""
        failures = Failures()
        owner, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert owner is not None
        try:
            # Before Python 3.12, wait_for (in aiomqtt) swallows a cancellation that comes together with an answer.
            while not owner.cancelling():
                try:
                    await self._listen()
                except (aiomqtt.MqttError, OSError, ValueError) as wrong:
                    if self.tap.on:
                        self.tap.failed("", f"{self._host}:{self._port} cannot be reached: {wrong}")
                    self.health.reconnects += self.health.connected
                    failures.ended(loop.time() - self._connected_at if self.health.connected else 0.0)
                    self.health.connected = False
                    if failures.in_a_row >= LOST_AFTER:
                        where = f"{self._host}:{self._port}"
                        self._presence.lose_all(f"the site's broker {where} cannot be reached: {wrong}")
                await asyncio.sleep(failures.pause_s)
            raise asyncio.CancelledError
        finally:
            self.health.connected = False
            self._presence.rest()
            self._plates.rest()

    async def _listen(self) -> None:
        known = await self._credentials()
        async with aiomqtt.Client(
            self._host,
            self._port,
            username=known.username,
            password=known.password,
            tls_context=known.tls,
            # Another client of the same name would throw this one out: nobody can guess it.
            identifier=f"gateway-{uuid.uuid4().hex}",
            keepalive=20,
            timeout=5,
            max_queued_incoming_messages=WAITING_LIMIT,
            socket_options=[ABORT],
        ) as client:
            self._attendance.forget()
            topics = self._topics.topics + self._plates.topics
            if topics:
                await client.subscribe([(topic, 1) for topic in topics])
                end_if_cancelled()
            self.health.connected = True
            self._connected_at = asyncio.get_running_loop().time()
            self._presence.watch()
            self._unheard = set(topics)
            asking = asyncio.create_task(self._settle(client), name=f"questions of {self.id}")
            try:
                async with asyncio.timeout(None) as self._patience:
                    self._client = client
                    async for message in client.messages:
                        try:
                            self._take(message)
                        except Exception:  # a fault of whoever listens must not cost the connection
                            log.exception("a message could not be handed over", bus=self.id)
            finally:
                self._client = None
                self._waiting.lose()
                asking.cancel()

    async def _settle(self, client: aiomqtt.Client) -> None:
        """Devices that do not retain their state say it when they are asked; a question that is lost does no harm."""
        try:
            for device, profile in self._profiles.items():
                for question in format_of(profile).asks:
                    await client.publish(question.topic.replace("{topic}", self._prefixes[device]), question.payload)
            await asyncio.sleep(SETTLE_S)
            unheard = sorted(self._unheard)
            for first in range(0, len(unheard), AT_ONCE):
                await client.subscribe([(topic, 1) for topic in unheard[first : first + AT_ONCE]])
                end_if_cancelled()
        except (aiomqtt.MqttError, ValueError) as wrong:
            log.info("devices could not be asked how they stand", bus=self.id, why=str(wrong))

    # --- Messages

    def _take(self, message: aiomqtt.Message) -> None:
        self.health.exchanges += 1
        self._unheard.discard(message.topic.value)
        payload = message.payload if isinstance(message.payload, bytes) else str(message.payload).encode()
        if self.tap.on:
            self.tap.came(payload, message.topic.value)
        for meaning in self._topics.read(message.topic.value, payload):
            self._tell(meaning, payload, retained=message.retain)
        self.health.refused += self._plates.take(message.topic.value, payload, retained=message.retain)

    def _tell(self, meaning: Meaning, payload: bytes, *, retained: bool) -> None:
        if isinstance(meaning, Refusal):
            self.health.refused += 1
            self._sink(InputRefused(meaning.device, meaning.why, payload[:64]))
        elif isinstance(meaning, Available):
            there = self._attendance.there(meaning)
            if there:
                self._presence.heard(meaning.device)
            elif there is False:
                self._presence.lose(meaning.device, "it says that it is offline")
        else:
            if not retained:
                self._presence.heard(meaning.device)
            self._tell_values(meaning, retained=retained)
            kept_true = bool(format_of(self._profiles[meaning.device]).availability)
            self._waiting.hear(meaning, retained=retained, kept_true=kept_true)

    def _present(self, device: str, away: str | None) -> None:
        if away is None:
            self._presence.heard(device)
        else:
            self._presence.lose(device, away)

    def _tell_values(self, values: Values, *, retained: bool) -> None:
        seen = [_aged(worth) if retained else worth for worth in values.seen]
        news = self._changes[values.device].news(seen, asyncio.get_running_loop().time(), self._clock())
        if news:
            self._sink(PointsRead(values.device, news))

    def _forget(self, device: str) -> None:
        self._changes[device].forget()
        self._waiting.forget(device)


def _aged(worth: Worth) -> Worth:
    return worth._replace(quality="stale") if worth.quality == "good" else worth
