"""Tells a Home Assistant what the site is and how it stands, and takes the few commands that the site file allows.

It watches the engine and never holds it up: what changed is a name in a bounded set, and each thing's latest state goes
out when its turn comes, at most twice a second. A Home Assistant's commands
go the way of every person's, with an expiry and a record.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import aiomqtt
import structlog

from config.site import HomeAssistant
from contract.commands import Command, Person
from contract.instants import instant
from drivers.mqtt.ending import end_if_cancelled
from drivers.mqtt.reconnecting import Failures
from drivers.mqtt.wires import MqttBus
from drivers.reports import InputRefused
from drivers.secrecy import credentials_of
from gateway.engine.desk.allowance import Allowance
from gateway.engine.desk.record import Thing
from gateway.engine.site import SiteEngine
from gateway.homeassistant.mapping import (
    announcements,
    assets_of,
    command_of,
    door_state,
    lane_state,
    point_state,
    problem_state,
    things_of,
    topics_of,
)

log = structlog.get_logger(__name__)

PACE_S = 0.5
"""Changes within this time go out together, each thing once with its latest state."""

TTL_MS = 10_000
COMMANDS_AT_ONCE, COMMANDS_PER_S = 5, 0.5
"""People press buttons one after the other; what comes faster is a fault, and must not fill the journal."""

ASKER = Person(id="home-assistant", name="Home Assistant", role="guard")


class Outward:
    """One site shown to one Home Assistant, over the broker of `bus`. `folder`: where its password is."""

    def __init__(
        self,
        shown: HomeAssistant,
        bus: MqttBus,
        engine: SiteEngine,
        *,
        software: str,
        folder: Path,
    ) -> None:
        self.connected = False
        self._connected_at = 0.0
        self.published = 0
        self.refused = 0
        self._shown = shown
        self._bus = bus
        self._engine = engine
        self._folder = folder
        layout = engine.layout
        self._topics = topics_of(layout.site, shown)
        self._announced = announcements(layout, shown, software)
        self._points = {point.id: point for point in layout.points}
        self._things = things_of(layout)
        self._states = {self._topics.state(thing): thing for thing in self._things}
        self._assets = frozenset(assets_of(layout))
        self._dirty: dict[Thing, None] = {}
        self._changed = asyncio.Event()
        self._told: dict[Thing, bytes] = {}
        self._allowance = Allowance(COMMANDS_AT_ONCE, COMMANDS_PER_S)
        engine.record.watch(self._watch)

    async def run(self) -> None:
        """Stays connected until cancelled; outlives every fault of the broker."""
        failures = Failures()
        owner, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert owner is not None
        while not owner.cancelling():
            try:
                await self._session()
            except (aiomqtt.MqttError, OSError, ValueError) as wrong:
                failures.ended(loop.time() - self._connected_at if self.connected else 0.0)
                if failures.in_a_row == 1:
                    log.warning(
                        "home assistant is not told", broker=f"{self._bus.host}:{self._bus.port}", why=str(wrong)
                    )
            except Exception:  # a fault of ours costs this connection; the next one is made
                failures.ended(0.0)
                log.exception("home assistant could not be told")
            finally:
                self.connected = False
            await asyncio.sleep(failures.pause_s)
        raise asyncio.CancelledError

    # --- The engine's side

    def _watch(self, things: Sequence[Thing]) -> None:
        for thing in things:
            if thing.kind == "alarm":
                alarm = self._engine.alarms.alarms.get(thing.id)
                if alarm is None:
                    continue
                asset = alarm.cause.asset
                self._dirty[Thing("problem", asset if asset in self._assets else self._engine.site.gateway)] = None
            elif thing.kind in ("door", "lane") or (thing.kind == "point" and thing.id in self._points):
                self._dirty[thing] = None
        if self._dirty:
            self._changed.set()

    def _state(self, thing: Thing) -> bytes:
        engine, language = self._engine, self._shown.language
        match thing.kind:
            case "point":
                return point_state(self._points[thing.id], engine.points.value(thing.id), language)
            case "door":
                return door_state(engine.doors.item(thing.id))
            case "lane":
                return lane_state(engine.lanes.item(thing.id))
            case _:
                others = thing.id == engine.site.gateway
                return problem_state(
                    (
                        alarm
                        for alarm in engine.alarms.alarms.values()
                        if alarm.cause.asset == thing.id or (others and alarm.cause.asset not in self._assets)
                    ),
                    language,
                )

    # --- The broker's side

    async def _session(self) -> None:
        bus = self._bus
        known = await credentials_of(bus, self._folder)
        async with aiomqtt.Client(
            bus.host,
            bus.port,
            username=known.username,
            password=known.password,
            tls_context=known.tls,
            will=aiomqtt.Will(self._topics.presence, b"offline", qos=1, retain=True),
            identifier=f"gatehouse-ha-{uuid4().hex}",
            keepalive=20,
            timeout=10,
            max_queued_incoming_messages=1000 + 4 * len(self._things),
        ) as client:
            self.connected = True
            self._connected_at = asyncio.get_running_loop().time()
            listening = asyncio.create_task(self._listen(client), name="home assistant's commands")
            try:
                await self._tell_everything(client)
                await self._tell_changes(client, listening)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                with contextlib.suppress(aiomqtt.MqttError):
                    await client.publish(self._topics.presence, b"offline", qos=1, retain=True, timeout=2)

    async def _tell_everything(self, client: aiomqtt.Client) -> None:
        """What a broker keeps of this site's past is seen here, and taken away where the site file has it no more."""
        await client.subscribe([(self._topics.configs, 1), (self._topics.states, 1)])
        end_if_cancelled()
        for topic, payload in self._announced.items():
            await self._publish(client, topic, payload)
        self._told.clear()
        self._dirty = dict.fromkeys(self._things)
        await self._tell_dirty(client)
        await self._publish(client, self._topics.presence, b"online")
        await client.unsubscribe([self._topics.states])
        if self._shown.commands:
            await client.subscribe([(topic, 1) for topic in self._topics.commands])
        end_if_cancelled()

    async def _tell_changes(self, client: aiomqtt.Client, listening: asyncio.Task[None]) -> None:
        while True:
            changed = asyncio.create_task(self._changed.wait())
            try:
                await asyncio.wait({changed, listening}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                changed.cancel()
            if listening.done():
                listening.result()
                raise aiomqtt.MqttError("the broker ended the connection")
            await asyncio.sleep(PACE_S)
            self._changed.clear()
            await self._tell_dirty(client)

    async def _tell_dirty(self, client: aiomqtt.Client) -> None:
        dirty, self._dirty = self._dirty, {}
        for thing in dirty:
            state = self._state(thing)
            if self._told.get(thing) != state:
                # Were it lost on the way, the next connection tells everything again.
                await self._publish(client, self._topics.state(thing), state)
                self._told[thing] = state

    async def _publish(self, client: aiomqtt.Client, topic: str, payload: bytes) -> None:
        await client.publish(topic, payload, qos=1, retain=True)
        end_if_cancelled()
        self.published += 1

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = message.topic.value
            payload = message.payload if isinstance(message.payload, bytes) else b""
            if message.retain:
                await self._tidy(client, topic, payload)
            elif payload and topic.endswith("/set"):
                self._take(topic, payload)

    async def _tidy(self, client: aiomqtt.Client, topic: str, payload: bytes) -> None:
        """Something that the broker kept: what this site file no longer has goes, and with it every kept command."""
        ours = topic in self._announced or topic in self._states or topic == self._topics.presence
        if payload and not ours:
            await self._publish(client, topic, b"")

    def _take(self, topic: str, payload: bytes) -> None:
        if not self._shown.commands:
            return
        asked = command_of(self._topics, topic, payload)
        engine = self._engine
        if asked is None or not engine.commands.has_target(*asked):
            self._refuse(f"{topic[:100]}: nothing that may be asked for over MQTT", payload)
            return
        if not self._allowance.take(asyncio.get_running_loop().time()):
            self._refuse("orders come faster than people press buttons", payload)
            return
        kind, target = asked
        now = engine.clock.wall_ms()
        command = Command(
            id=str(uuid4()),
            kind=kind,
            target=target,
            by=ASKER,
            reason="Home Assistant",
            issued_at=instant(now),
            expires_at=instant(now + TTL_MS),
        )
        if engine.errands.start(engine.commands.carry_out(command, local=True)) is None:
            self._refuse("the gateway is busy", payload)

    def _refuse(self, why: str, payload: bytes) -> None:
        self.refused += 1
        self._engine.report(InputRefused(self._shown.bus, why, payload[:64]))
