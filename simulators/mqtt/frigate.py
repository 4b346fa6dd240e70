"""A camera of Frigate on the network: tells the site's broker of every car, as Frigate does."""

from __future__ import annotations

import asyncio
import contextlib
import time

import aiomqtt
import structlog

from drivers.camera.frigate import PREFIX
from simulators.camera.frigate import messages, stats
from simulators.camera.seeing import Eye, Pushed
from simulators.camera.zhenshi import Seen
from simulators.mqtt.wire import RECONNECT_S, BrokerAccess
from simulators.site import SimSite

STATS_S = 60.0
LOOKS_S = 0.5
"""How soon it notices that somebody has taken it off the network."""

log = structlog.get_logger("simulators.camera")


class FrigateCamera:
    """One camera at the site's broker. `run` owns its connection."""

    def __init__(self, id_: str, site: SimSite, broker: BrokerAccess) -> None:
        self.id = id_
        self.eye = Eye(id_, site)
        self._broker = broker
        prefix, _, name = (site.device(id_).config.topic or id_).rpartition("/")
        self._prefix, self._name = prefix or PREFIX, name
        self._client: aiomqtt.Client | None = None

    def expect(self, ticket: int) -> asyncio.Future[Pushed]:
        """Tells when the car with this ticket was seen and published."""
        return self.eye.expect(ticket)

    def forget(self, ticket: int) -> None:
        """Nobody waits for this car any more."""
        self.eye.forget(ticket)

    def look(self) -> None:
        """Takes what the lane's loop triggered."""
        self.eye.look()

    async def replay(self, ago_s: float) -> Pushed:
        """Its last read once more, as somebody would publish it who recorded it."""
        seen = self.eye.recorded(ago_s)
        if self._client is None:
            return Pushed(seen.plate_id, sent=False)
        return await self._publish(self._client, seen)

    async def run(self) -> None:
        """Connects and publishes until cancelled; outlives the broker."""
        while True:
            try:
                if not self.eye.has("offline"):
                    await self._session()
            except (aiomqtt.MqttError, OSError) as wrong:
                log.info("no broker", camera=self.id, why=str(wrong) or type(wrong).__name__)
            await asyncio.sleep(RECONNECT_S)

    async def _session(self) -> None:
        async with aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            will=aiomqtt.Will(f"{self._prefix}/available", b"offline", qos=1, retain=True),
            keepalive=15,
            identifier=f"sim-{self.id}",
        ) as client:
            await self._say(client, "available", b"online", retain=True)
            self._client = client
            try:
                await self._tell_all(client)
            finally:
                self._client = None
            await self._say(client, "available", b"offline", retain=True)

    async def _tell_all(self, client: aiomqtt.Client) -> None:
        told_at = time.monotonic() - STATS_S
        while not self.eye.has("offline"):
            if time.monotonic() - told_at >= STATS_S:
                told_at = time.monotonic()
                await self._stats(client)
            with contextlib.suppress(TimeoutError):
                car = await asyncio.wait_for(self.eye.next(), LOOKS_S)
                self.eye.settle(car, await self._publish(client, await self.eye.see(car)))

    async def _publish(self, client: aiomqtt.Client, seen: Seen) -> Pushed:
        if self.eye.has("silent") or not seen.plate:
            return Pushed(seen.plate_id, sent=False)
        for _ in range(3 if self.eye.has("repeat") else 1):
            for topic, payload in messages(self._name, seen, missing=self.eye.has("missing")):
                spoiled = payload[: len(payload) // 2] if self.eye.has("corrupt") else payload
                await self._say(client, topic, spoiled)
        return Pushed(seen.plate_id, sent=True)

    async def _stats(self, client: aiomqtt.Client) -> None:
        if not self.eye.has("silent"):
            fps = 0.0 if self.eye.has("blind") else 5.0
            await self._say(client, "stats", stats(self._name, fps, self.eye.now_ms()))

    async def _say(self, client: aiomqtt.Client, topic: str, payload: bytes, *, retain: bool = False) -> None:
        await client.publish(f"{self._prefix}/{topic}", payload, qos=1, retain=retain)
