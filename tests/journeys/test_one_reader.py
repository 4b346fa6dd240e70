"""One OSDP reader, from its first day: a key is set, cards and PINs open the door, it is cut off, reset, exchanged.

A gateway's process and the simulators' process, nothing between them but the line and the relay board's wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from contract.desired import Account, Credential, Grant, Holder, Item
from contract.instants import instant
from gateway.clock import Clock, machine_wall_ms
from gateway.desired.held import Held
from simulators.demo.programs import free_port
from web.session.passwords import Passwords

ROOT = Path(__file__).resolve().parents[2]
SITE = """\
site: yard
name: {zh: 院, en: Yard}
gateway: yard-gw
buses:
  line: {kind: osdp-serial, port: /dev/ttyS9, baud: 9600}
  board: {kind: modbus-tcp, host: 10.0.0.1, timeout_s: 0.5}
devices:
  gate-in: {profile: osdp_keypad_reader, bus: line, unit: 0}
  gate-out: {profile: osdp_reader, bus: line, unit: 1}
  relays: {profile: waveshare_eth_relay8_di8, bus: board}
doors:
  gate:
    name: {zh: 大门, en: Gate}
    reader_in: gate-in
    reader_out: gate-out
    lock: {device: relays, output: relay_1}
    contact: {device: relays, point: input_1}
    release_s: 1
"""
CARD, PIN, PASSWORD = "0DC3AB", "4711", "correct horse"


class Yard:
    """Two processes in a folder, and a session at the gateway."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.api = httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}", timeout=20)
        self.sim = httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}", timeout=20)
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, name: str) -> None:
        """Starts `gateway` or `simulators` and waits until it answers."""
        wires, site = str(self.folder / "wires.json"), str(self.folder / "site.yaml")
        if name == "simulators":
            port = self.sim.base_url.port
            more = ("run", "--gateway-url", str(self.api.base_url), "--no-rhythm", "--data", str(self.folder / "sim"))
            await self._run(name, *more, "--site", site, "--wires", wires, "--port", str(port))
            await self.until(lambda: self._answers(self.sim, "/sim/devices"))
            return
        port = self.api.base_url.port
        await self._run(name, "--site", site, "--wires", wires, "--data", str(self._data), "--port", str(port))
        await self.until(lambda: self._answers(self.api, "/readyz"))
        answer = await self.api.post("/api/session", json={"username": "installer", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.api.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    async def stop(self, name: str) -> None:
        """Ends one of them."""
        process = self._processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        async with asyncio.timeout(30):
            await process.wait()

    async def end(self) -> None:
        """Ends all of it."""
        for name in list(self._processes):
            await self.stop(name)
        await self.api.aclose()
        await self.sim.aclose()

    async def hold(self) -> None:
        """What a hub sent down before."""
        hash = await Passwords().hash(PASSWORD)
        far = instant(machine_wall_ms() + 365 * 86_400_000)
        things: list[tuple[str, Any]] = [
            ("holder", Holder(id="h-1", name="Zhang")),
            ("credential", Credential(id="c-1", kind="card", value=CARD, holder="h-1")),
            ("credential", Credential(id="c-2", kind="pin", value=PIN, holder="h-1")),
            ("grant", Grant(id="g-1", holder="h-1", places=["gate"])),
            ("account", Account(id="a-1", username="installer", name="Li", role="installer", password_hash=hash,
                                expires_at=far)),
        ]  # fmt: skip
        items = [Item(kind=kind, id=thing.id, value=msgspec.Raw(msgspec.json.encode(thing))) for kind, thing in things]
        held = Held.open(self._data / "held.sqlite", clock=Clock())
        held.keep(5, [(item.kind, item.id, bytes(item.value)) for item in items])
        await held.close()

    async def act(self, path: str, **body: Any) -> None:
        """Somebody does something at the site."""
        answer = await self.sim.post(path, json=body)
        assert answer.status_code == 200, answer.text

    async def mend(self) -> None:
        """Nothing is broken any more."""
        await self.sim.delete("/sim/faults")

    async def set_key(self, reader: str) -> None:
        """An installer sets a reader's key."""
        command = {"site": "yard", "target": reader, "kind": "reader.set_key", "reason": "first day"}
        answer = await self.api.post("/api/commands", json=command)
        assert answer.status_code == 202, answer.text
        await self.until(lambda: self._settled(answer.json()["id"], "done"))

    async def online(self, reader: str, *, key_refused: bool | None = None) -> None:
        """Waits until the gateway reads the reader's own words."""
        await self.until(lambda: self._says(f"{reader}.key_refused", bool(key_refused)))

    async def released(self) -> None:
        """Waits until the lock lets go, and until it holds again."""
        for lock in ("released", "locked"):
            await self.until(lambda lock=lock: self._lock(lock))  # type: ignore[misc]

    async def recorded(self, kind: str, count: int) -> list[dict[str, Any]]:
        """Waits for so many events of a kind; their data."""
        await self.until(lambda: self._recorded(kind, count))
        return self.events(kind)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the journal holds of a kind."""
        with contextlib.closing(sqlite3.connect(f"file:{self._data / 'journal.sqlite'}?mode=ro", uri=True)) as db:
            found = db.execute("SELECT data FROM events WHERE kind = ? ORDER BY id", (kind,)).fetchall()
        return [json.loads(data) for (data,) in found]

    async def until(self, holds: Callable[[], Any]) -> None:
        """Asks foreign processes until it is so."""
        async with asyncio.timeout(40):
            while not await holds():
                for name, process in self._processes.items():
                    assert process.returncode is None, (self.folder / f"{name}.log").read_text(encoding="utf-8")
                await asyncio.sleep(0.05)

    @property
    def _data(self) -> Path:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        return data

    async def _run(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", name, *arguments), cwd=ROOT, stdout=log, stderr=log, env=dict(os.environ)
            )

    async def _answers(self, client: httpx.AsyncClient, path: str) -> bool:
        try:
            return (await client.get(path)).status_code == 200
        except httpx.TransportError:
            return False

    async def _settled(self, command: str, state: str) -> bool:
        item = (await self.api.get(f"/api/commands/{command}")).json()
        assert item["state"] in {"asked", "sent", state}, item
        return bool(item["state"] == state)

    async def _says(self, point: str, value: bool) -> bool:
        answer = (await self.api.get("/api/points", params={"site": "yard"})).json()
        items = answer["items"] if isinstance(answer, dict) else answer
        found = next(each for each in items if each["id"] == point)
        return bool(found["quality"] == "good" and found["value"] is value)

    async def _lock(self, lock: str) -> bool:
        seen = (await self.sim.get("/sim/devices")).json()
        return bool(seen["doors"]["gate"]["lock"] == lock)

    async def _recorded(self, kind: str, count: int) -> bool:
        return len(self.events(kind)) >= count


@asynccontextmanager
async def yard(folder: Path) -> AsyncIterator[Yard]:
    """A yard on its first day."""
    (folder / "site.yaml").write_text(SITE, encoding="utf-8")
    here = Yard(folder)
    await here.hold()
    try:
        await here.start("simulators")
        await here.start("gateway")
        yield here
    finally:
        await here.end()


@pytest.mark.timeout(180)
async def test_the_life_of_a_reader(tmp_path: Path) -> None:
    async with yard(tmp_path) as here:
        # On its first day it has no key, and is not used.
        lost = await here.recorded("device.lost", 2)
        assert {event["device"] for event in lost} == {"gate-in", "gate-out"}
        assert all("no key yet" in event["why"] for event in lost)

        await here.set_key("gate-in")
        await here.set_key("gate-out")
        await here.online("gate-in")
        await here.act("/sim/readers/gate-in/present", card=CARD)
        await here.released()
        await here.act("/sim/readers/gate-in/type", keys=f"{PIN}#")
        await here.released()
        granted = await here.recorded("access.granted", 2)
        assert [(each["reader"], each["credential"]["value"]) for each in granted] == [
            ("gate-in", CARD),
            ("gate-in", "****"),
        ]

        # Its power is cut; its neighbour goes on, and it is back by itself.
        await here.act("/sim/faults", device="gate-in", fault="offline")
        await here.recorded("device.lost", 3)
        await here.act("/sim/readers/gate-out/present", card=CARD)
        await here.released()
        await here.mend()
        await here.online("gate-in")
        await here.act("/sim/readers/gate-in/present", card=CARD)
        await here.released()

        # The gateway is restarted: the keys are where they were.
        await here.stop("gateway")
        await here.start("gateway")
        await here.online("gate-in")
        await here.act("/sim/readers/gate-in/present", card=CARD)
        await here.released()

        # Somebody resets it: it is not used, there is an alarm, and only a person's command brings it back.
        before = len(here.events("access.granted"))
        await here.act("/sim/faults", device="gate-in", fault="factory-reset")
        await here.recorded("alarm.raised", 1)
        await here.online("gate-in", key_refused=True)
        await here.act("/sim/readers/gate-in/present", card=CARD)
        assert any(alarm["rule"] == "reader.key_refused" for alarm in here.events("alarm.raised"))
        assert len(here.events("access.granted")) == before
        await here.set_key("gate-in")
        await here.online("gate-in")
        await here.act("/sim/readers/gate-in/present", card=CARD)
        await here.released()
        assert any(alarm["rule"] == "reader.key_refused" for alarm in await here.recorded("alarm.cleared", 1))

        # Not a byte of a key is in what was recorded, logged or shown.
        keys = [json.loads(file.read_text())["current"] for file in (tmp_path / "data" / "osdp-keys").iterdir()]
        assert len(keys) == 2
        kept = (tmp_path / "data" / "journal.sqlite").read_bytes() + (tmp_path / "gateway.log").read_bytes()
        for key in keys:
            assert key.encode() not in kept
            assert bytes.fromhex(key) not in kept
        assert PIN.encode() not in (tmp_path / "gateway.log").read_bytes()
