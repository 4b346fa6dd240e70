"""Brokers that end every connection: each attempt waits longer, and what is on its way is not left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from drivers.bus import CommandFailed
from drivers.mqtt.bus import MqttBus
from drivers.mqtt.reconnecting import RECONNECT_S, STEADY_S, Failures
from drivers.mqtt.wires import MqttBus as MqttConfig
from drivers.opening import open_bus
from drivers.profiles.files import load
from drivers.reports import DeviceFound, DeviceLost
from tests.drivers.products import Installed
from tests.drivers.sinks import Heard

CONNECT, PUBLISH, SUBSCRIBE = 0x10, 0x30, 0x80


def test_each_attempt_waits_longer_until_a_connection_has_lasted() -> None:
    failures = Failures()
    waits = []
    for lasted_s in (0.0, 0.0, STEADY_S - 1, 0.0, 0.0, 0.0, STEADY_S, 1.0):
        failures.ended(lasted_s)
        waits.append(failures.pause_s)
    assert waits == [*RECONNECT_S, RECONNECT_S[-1], RECONNECT_S[0], RECONNECT_S[1]]


class RoughBroker(asyncio.Protocol):
    """Takes connections and subscriptions, and acknowledges nothing else (MQTT 3.1.1, chapter 3)."""

    hangs_up = False

    def __init__(self) -> None:
        self.published = asyncio.Event()
        self.gone: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        near = cast("asyncio.Transport", transport)
        self._write = near.write
        self._close = near.close

    def data_received(self, data: bytes) -> None:
        self._held += data
        while len(self._held) >= 2 and len(self._held) >= 2 + self._held[1]:
            packet, self._held = self._held[: 2 + self._held[1]], self._held[2 + self._held[1] :]
            self._take(packet)

    def _take(self, packet: bytes) -> None:
        kind = packet[0] & 0xF0
        if kind == CONNECT:
            self._write(bytes((0x20, 2, 0, 0)))
        elif kind == SUBSCRIBE:
            wanted = len(topics(packet))
            self._write(bytes((0x90, 2 + wanted)) + packet[2:4] + b"\x01" * wanted)
            said = b"\x00\x0btele/p1/LWTOnline"
            self._write(bytes((PUBLISH, len(said))) + said)
            if self.hangs_up:
                self._close()
        elif kind == PUBLISH and packet[0] & 0x06:
            self.published.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set_result(exc)


def topics(packet: bytes) -> list[bytes]:
    """Those of a subscription."""
    found, at = [], 4
    while at < len(packet):
        size = int.from_bytes(packet[at : at + 2], "big")
        found.append(packet[at + 2 : at + 2 + size])
        at += 3 + size
    return found


@asynccontextmanager
async def at_work(hangs_up: bool, heard: Heard) -> AsyncIterator[tuple[MqttBus, list[RoughBroker]]]:
    made: list[RoughBroker] = []

    def accept() -> RoughBroker:
        made.append(RoughBroker())
        made[-1].hangs_up = hangs_up
        return made[-1]

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
    config = MqttConfig(kind="mqtt", host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    devices = {"plug": (Installed(topic="p1"), load("tasmota_plug"))}
    bus = open_bus("site", config, devices, sink=heard, clock=lambda: 0)
    assert isinstance(bus, MqttBus)
    task = asyncio.create_task(bus.run())
    try:
        yield bus, made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()


async def test_behind_a_broker_that_ends_every_connection_devices_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.mqtt.reconnecting.RECONNECT_S", (0.01, 0.01, 0.01))
    heard = Heard()
    async with at_work(True, heard):
        await heard.until(lambda: heard.of(DeviceLost))
    assert "broker" in heard.of(DeviceLost)[0].why


async def test_a_command_that_the_broker_does_not_acknowledge_is_cut_off() -> None:
    heard = Heard()
    async with at_work(False, heard) as (bus, brokers):
        await heard.until(lambda: heard.of(DeviceFound))
        with pytest.raises(CommandFailed, match="did not take it"):
            await bus.pulse("plug", "relay_1", 1, within_s=0.2)
        async with asyncio.timeout(20):
            await brokers[0].gone


async def test_a_command_that_nobody_waits_for_any_more_is_cut_off() -> None:
    heard = Heard()
    async with at_work(False, heard) as (bus, brokers):
        await heard.until(lambda: heard.of(DeviceFound))
        command = asyncio.create_task(bus.pulse("plug", "relay_1", 1, within_s=60))
        await brokers[0].published.wait()
        command.cancel()
        async with asyncio.timeout(20):
            await brokers[0].gone
        await asyncio.gather(command, return_exceptions=True)
