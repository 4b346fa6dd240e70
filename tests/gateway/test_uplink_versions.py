"""A hub that speaks another version than this gateway reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract import VERSION, wire
from contract.acks import Ack
from contract.instants import instant
from tests.gateway.disks import until
from tests.gateway.line import RunningBroker, hub_end
from tests.gateway.test_uplink import all_there, site


async def test_a_hub_of_a_version_that_is_not_read_here_is_known_and_told_once(
    broker: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hub_end(broker) as hub, site(tmp_path / "gw", broker.port) as gateway:
        await gateway.record("a")
        await all_there(gateway, hub)
        assert gateway.uplink.hub_speaks == VERSION
        heard: list[int | None] = []
        gateway.uplink.watch(lambda: heard.append(gateway.uplink.hub_speaks))
        later = wire.encode(Ack(stream="f" * 32, state="committed", seq=1, at=instant(0), v=VERSION + 1))
        now = Ack(stream="f" * 32, state="committed", seq=1, at=instant(0))
        for _ in range(3):
            await hub.send("ack", later)
            await hub.send("ack", now)
        await until(lambda: gateway.uplink.refusals == {"ack": 3})
        assert heard == [VERSION + 1]
        monkeypatch.setattr("gateway.uplink.uplink.UNREAD_S", 0)
        await hub.send("ack", now)
        await until(lambda: gateway.uplink.hub_speaks == VERSION)
