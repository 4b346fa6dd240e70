"""A real broker, a wire that can be cut, and a hub in memory, for the uplink's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.gateway.line import GATEWAY, HUB, RunningBroker, Wire


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[RunningBroker]:
    """An nats-server that speaks MQTT, with the rights of one gateway and of a hub."""
    running = RunningBroker(tmp_path / "broker", [GATEWAY, HUB])
    await running.start()
    yield running
    running.kill()


@pytest.fixture
async def wire(broker: RunningBroker) -> AsyncIterator[Wire]:
    """The gateway's way to the broker."""
    wire = Wire(broker.port)
    await wire.open()
    yield wire
    await wire.close()
