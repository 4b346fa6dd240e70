"""A gateway process for the benches: its site file, the state that a hub would have sent, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import psutil
import yaml

from contract import topics, wire
from contract.desired import Credential, Desired, Grant, Holder, Item
from contract.presence import Presence
from simulators.demo.programs import BrokerUser, free_port, listening, prepare_broker

GATEWAY = "bench-gw"
SHARD = "s1"


def site_of_doors(readers: list[int], boards: list[int], channels: int) -> dict[str, Any]:
    """A site of doors: each with a reader of its own on TCP, a relay and a contact on one of the boards."""
    buses: dict[str, Any] = {
        f"board-{number}-net": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": port}
        for number, port in enumerate(boards)
    }
    devices: dict[str, Any] = {
        f"board-{number}": {"profile": "waveshare_eth_relay8_di8", "bus": f"board-{number}-net"}
        for number in range(len(boards))
    }
    doors: dict[str, Any] = {}
    for door, port in enumerate(readers):
        buses[f"reader-{door}-line"] = {"kind": "line-tcp", "host": "127.0.0.1", "port": port}
        devices[f"reader-{door}"] = {"profile": "line_reader", "bus": f"reader-{door}-line"}
        board, channel = f"board-{door // channels}", door % channels + 1
        doors[f"door-{door}"] = {
            "name": {"zh": f"{door} 号门", "en": f"Door {door}"},
            "reader_in": f"reader-{door}",
            "lock": {"device": board, "output": f"relay_{channel}"},
            "contact": {"device": board, "point": f"input_{channel}"},
        }
    return {
        "site": "bench",
        "name": {"zh": "测试台", "en": "Bench"},
        "gateway": GATEWAY,
        "buses": buses,
        "devices": devices,
        "doors": doors,
    }


def grants_for(cards: dict[str, str]) -> list[Item]:
    """One resident a door, whose card always opens it."""
    items: list[Item] = []
    for door, card in cards.items():
        holder = Holder(id=f"h-{door}", name=door)
        credential = Credential(id=f"c-{door}", kind="card", value=card, holder=holder.id)
        grant = Grant(id=f"g-{door}", holder=holder.id, places=[door])
        for kind, thing in (("holder", holder), ("credential", credential), ("grant", grant)):
            items.append(Item(kind=kind, id=thing.id, value=msgspec.Raw(msgspec.json.encode(thing))))
    return items


class Gateway:
    """A running gateway that holds `items`; a broker stands where its hub would be, and sends them down.

    `items` None: a hub of the bench's own is there (`broker_port`, with user and password of the name `bench`).
    """

    def __init__(self, folder: Path, site: dict[str, Any], items: list[Item] | None) -> None:
        self._folder = folder
        self._items = items
        self.port = free_port()
        self.push_port = free_port()
        self.broker_port = broker_port = free_port()
        self._broker = prepare_broker(folder / "broker", "broker", broker_port, [BrokerUser("bench", "bench")])
        site["uplink"] = {"host": "127.0.0.1", "port": broker_port, "shard": SHARD}
        site["uplink"] |= {"username": "bench", "password_file": "uplink.password"}
        self.data = folder / "data"
        self.data.mkdir()
        (self.data / "uplink.password").write_text("bench")
        self.site_file = folder / "site.yaml"
        self.site_file.write_text(yaml.safe_dump(site, allow_unicode=True))
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Gateway:
        self._broker_process = await asyncio.create_subprocess_exec(*self._broker.program.argv)
        async with asyncio.timeout(30):
            while not listening(self._broker.port):  # noqa: ASYNC110 - a foreign process, it can only be asked
                await asyncio.sleep(0.02)
        await self.start()
        if self._items is not None:
            await self._send_down(self._items)
        return self

    async def start(self) -> None:
        """Starts the process."""
        with (self._folder / "gateway.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "--site", str(self.site_file), "--data", str(self.data)),
                *("--port", str(self.port), "--push-port", str(self.push_port)),
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )

    def memory(self) -> float:
        """Resident memory in MB."""
        assert self.process is not None
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    async def stop(self) -> None:
        """Ends the process."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        await self.process.wait()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        self._broker_process.terminate()
        await self._broker_process.wait()

    async def _send_down(self, items: list[Item]) -> None:
        """What a hub does at a birth: the snapshot, until the gateway says that it holds it."""
        async with aiomqtt.Client("127.0.0.1", self._broker.port, username="bench", password="bench") as client:
            await client.subscribe(topics.up(SHARD, GATEWAY, "presence"), qos=1)
            snapshot = Desired(form="snapshot", revision=1, items=items)
            begin = time.monotonic()
            async with asyncio.timeout(30):
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    presence = wire.decode(Presence, message.payload)
                    if presence.versions.desired >= 1:
                        return
                    await client.publish(topics.down(GATEWAY, "desired"), wire.encode(snapshot), qos=1)
                    assert time.monotonic() - begin < 60, json.dumps({"presence": presence.state})
