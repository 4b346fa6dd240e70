"""The demo's broker after it was killed: what nobody will ever fetch does not fill its disk."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import aiomqtt

from tests.brokers import Broker

PAYLOAD, MESSAGES = b"x" * 20_000, 100


def kept(folder: Path) -> int:
    """Bytes that the broker keeps for subscriptions."""
    return sum(file.stat().st_size for file in folder.rglob("*.blk"))


async def test_what_was_subscribed_when_the_broker_was_killed_keeps_nothing_for_ever(tmp_path: Path) -> None:
    broker = Broker(tmp_path, forgets_after_s=1)
    await broker.start()
    with contextlib.suppress(aiomqtt.MqttError):
        async with broker.client() as client:
            await client.subscribe("site/#", qos=1)
            await broker.stop()
    await broker.start()
    try:
        async with broker.client() as client:
            async with asyncio.timeout(60):
                while True:
                    before = kept(broker.folder)
                    for _ in range(MESSAGES):
                        await client.publish("site/events", PAYLOAD, qos=1)
                    if kept(broker.folder) - before < len(PAYLOAD) * MESSAGES / 2:
                        return
                    await asyncio.sleep(0.5)
    finally:
        await broker.stop()
