"""The parts of an uplink's surroundings: broker, wire, hub. Each can fail by name."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiomqtt
import msgspec

from contract import topics, wire
from contract.acks import Ack
from contract.events import Batch
from contract.instants import instant
from contract.pictures import Picture
from contract.presence import Presence
from contract.readings import ReadingsBatch
from contract.topics import DownKind
from gateway.clock import machine_wall_ms
from simulators.demo.programs import BrokerUser, free_port, prepare_broker
from tests.gateway.disks import until
from tests.gateway.hub_model import ModelHub

NAME = "demo-gw"
GATEWAY = BrokerUser(
    NAME,
    "gateway's password",
    publish=(f"gatehouse/v1/up/+/{NAME}/#",),
    subscribe=(f"gatehouse/v1/down/{NAME}/#",),
)
HUB = BrokerUser("hub", "hub's password")


class RunningBroker:
    """An nats-server process of this test."""

    def __init__(self, folder: Path, users: list[BrokerUser]) -> None:
        self._folder = folder
        self._users = users
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    async def start(self) -> None:
        """Starts it and waits until it answers."""
        prepared = prepare_broker(self._folder, "broker", self.port, self._users)
        self._process = subprocess.Popen(prepared.program.argv, cwd=prepared.program.folder)  # noqa: ASYNC220
        await until(prepared.ready)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Everything that it kept is gone."""
        shutil.rmtree(self._folder)


class Wire:
    """A TCP line between gateway and broker that can be cut."""

    def __init__(self, to: int, tls: ssl.SSLContext | None = None) -> None:
        self._to = to
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._whole = True
        self.port = 0

    async def open(self) -> None:
        """Listens for the gateway."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Nothing goes through any more, and what was under way is lost."""
        self._whole = False
        for line in list(self._lines):
            line.transport.abort()

    def mend(self) -> None:
        """New connections go through again."""
        self._whole = True

    async def close(self) -> None:
        """Ends."""
        self.cut()
        assert self._server is not None
        self._server.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._lines |= ends
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            self._lines -= ends


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class HubEnd:
    """A hub's end of the line: takes what comes by the stream rule and answers, unless it was told not to."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.model = ModelHub(NAME)
        self.answering = True
        self.births: list[Presence] = []
        self.presences: list[Presence] = []
        self.batches: list[Batch] = []
        self.readings: list[ReadingsBatch] = []
        self.pictures: list[Picture] = []
        self.order: list[str] = []

    async def run(self) -> None:
        """Takes messages until cancelled."""
        async for message in self._client.messages:
            topic = topics.parse_up(message.topic.value)
            assert topic is not None
            assert isinstance(message.payload, bytes)
            self.order.append(topic.kind)
            ack = self._take(topic.kind, message.payload)
            if ack is not None and self.answering:
                await self.send("ack", msgspec.structs.replace(ack, at=instant(machine_wall_ms())))

    async def send(self, kind: DownKind, message: msgspec.Struct | bytes) -> None:
        """Publishes to the gateway."""
        payload = message if isinstance(message, bytes) else wire.encode(message)
        await self._client.publish(topics.down(NAME, kind), payload, qos=1)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when the condition holds."""
        await until(condition)

    def _take(self, kind: str, payload: bytes) -> Ack | None:
        match kind:
            case "presence":
                presence = wire.decode(Presence, payload)
                self.presences.append(presence)
                if presence.state == "birth":
                    self.births.append(presence)
                return self.model.birth(presence) if self.answering and presence.asks else None
            case "events":
                batch = wire.decode(Batch, payload)
                self.batches.append(batch)
                return self.model.batch(batch) if self.answering else None
            case "telemetry":
                blob = wire.decode(ReadingsBatch, payload)
                self.readings.append(blob)
                return Ack(stream=blob.store, state="committed", seq=blob.seq, at=instant(0))
            case _:
                picture = wire.decode(Picture, payload)
                self.pictures.append(picture)
                return Ack(stream=picture.id, state="committed", seq=0, at=instant(0))


@contextlib.asynccontextmanager
async def hub_end(broker: RunningBroker, model: ModelHub | None = None) -> AsyncIterator[HubEnd]:
    """A hub that is there for as long as the block runs."""
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, username=HUB.name, password=HUB.password, identifier=f"hub-{secrets.token_hex(8)}"
    ) as client:
        await client.subscribe("gatehouse/v1/up/#", qos=1)
        end = HubEnd(client)
        if model is not None:
            end.model = model
        running = asyncio.create_task(end.run())
        try:
            yield end
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await running
