"""`/api/wires/<id>/frames` as it is asked: who is told which numbers, that it is recorded, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract import rights
from contract.desired import Role
from drivers.bus import BusHealth
from drivers.tap import Tap
from gateway.web import frames
from tests.gateway.engine_site import RESIDENT, Wire
from tests.gateway.test_web_site import Site, site


class Line(Wire):
    """A wire that can be looked at."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.health = BusHealth()
        self.tap = Tap()


class Looking:
    """One stream of frames: what came of it so far."""

    def __init__(self) -> None:
        self.status = 0
        self.told: list[dict[str, Any]] = []
        self.came = asyncio.Event()
        self.ended = asyncio.Event()

    async def send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.told += [msgspec.json.decode(line) for line in message.get("body", b"").split(b"\n") if line]
        self.came.set()
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.ended.set()

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while not self.told:
                self.came.clear()
                await self.came.wait()
        return self.told.pop(0)


@asynccontextmanager
async def looking(there: Site, bus: str) -> AsyncIterator[Looking]:
    gone = asyncio.Event()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    stream = Looking()
    authorization = there.client.headers["Authorization"].encode()
    scope = {
        "type": "http", "method": "GET", "path": f"/api/wires/{bus}/frames", "query_string": b"", "http_version": "1.1",
        "headers": [(b"authorization", authorization), (b"host", b"gateway")], "client": ("127.0.0.1", 50_000),
        "scheme": "http", "server": ("gateway", 80), "root_path": "", "raw_path": b"",
    }  # fmt: skip
    asking = asyncio.create_task(there.app(scope, receive, stream.send))
    try:
        async with asyncio.timeout(5):
            await stream.came.wait()
        yield stream
    finally:
        gone.set()
        await asyncio.wait({asking}, timeout=5)


def line(there: Site, bus: str = "in-line") -> Line:
    wire = Line(bus)
    there.here.engine.buses.add(wire)
    return wire


@pytest.mark.parametrize(("role", "number"), [("maintenance", f"••••{RESIDENT[-4:]}"), ("admin", RESIDENT)])
async def test_the_number_of_a_card_is_told_whom_it_may(tmp_path: Path, role: Role, number: str) -> None:
    async with site(tmp_path) as there:
        await there.sign_in(role)
        wire = line(there)
        async with looking(there, "in-line") as stream:
            wire.tap.came(f"{RESIDENT}\r\n".encode())
            seen = await stream.next()
        assert (seen["value"], seen["words"].endswith(number)) == (number, True)
        assert bool(seen["raw"]) is (role == "admin")


async def test_who_sees_passing_alone_sees_no_number_of_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "SIGHTS", {**rights.SIGHTS, "maintenance": frozenset({"site", "passing"})})
    async with site(tmp_path) as there:
        await there.sign_in("maintenance")
        wire = line(there)
        async with looking(there, "in-line") as stream:
            wire.tap.came(f"{RESIDENT}\r\n".encode())
            assert (await stream.next())["value"] == f"••••{RESIDENT[-4:]}"


async def test_that_numbers_were_looked_at_is_recorded_once_for_each_opening(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        for role, bus in (("maintenance", "in-line"), ("admin", "in-line"), ("admin", "plant-line")):
            await there.sign_in(role)
            wire = line(there, bus)
            async with looking(there, bus) as stream:
                assert stream.status == 200
                wire.tap.came(f"{RESIDENT}\r\n".encode() * 3)
                if bus == "in-line":
                    await stream.next()
        await there.app.state.witness.close()
        await there.here.settle()
        [(_, who, told)] = [each for each in await there.here.events("records.read") if each[2]["what"] != "holders"]
        assert (who, told["what"], told["times"], told["ids"]) == ("a-admin", "credentials", 1, ["in-line"])


async def test_it_ends_when_its_reader_sees_another_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "BEAT_S", 0.05)
    async with site(tmp_path) as there:
        await there.sign_in("admin")
        line(there)
        async with looking(there, "in-line") as stream:
            await asyncio.sleep(0.2)
            assert not stream.ended.is_set()
            accounts = there.people.accounts
            accounts["admin"] = msgspec.structs.replace(accounts["admin"], role="maintenance")
            await asyncio.wait_for(stream.ended.wait(), 5)
