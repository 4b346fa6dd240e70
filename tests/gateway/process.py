"""`python -m gateway` as a real process, with a card reader on TCP and a relay board on Modbus TCP at its ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from contract.desired import Account, Credential, Grant, Holder, Item
from contract.events import GENESIS, Event, chained
from contract.instants import instant
from gateway.clock import Clock, machine_wall_ms
from gateway.desired.held import Held
from simulators.demo.programs import free_port
from tests.bench.wires import Reader, open_board
from web.session.passwords import Passwords

ROOT = Path(__file__).parents[2]
CARD = "04A1B2C3D4E5F6"
PASSWORD = "correct horse"
PULSE_COIL = 0x0200
WITHIN_S = 30.0


class Ends:
    """The outer ends of the site's wires, and what reached them."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.board = 0
        self.coils: list[tuple[int, int]] = []
        self.changed = asyncio.Event()

    async def open(self) -> None:
        """Everything listens."""
        await self.reader.open()
        self.board = await open_board(self._coil)

    async def pulsed(self, times: int = 1) -> None:
        """Returns when the lock's relay was pulsed so often."""
        async with asyncio.timeout(WITHIN_S):
            while len(self.coils) < times:
                self.changed.clear()
                await self.changed.wait()

    def _coil(self, address: int, value: int, at: float) -> None:
        self.coils.append((address, value))
        self.changed.set()


class Gateway:
    """One gateway's folder, and its process while it runs."""

    def __init__(self, folder: Path, ends: Ends) -> None:
        self.folder = folder
        self.ends = ends
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.push_port = free_port()
        self.push_url = f"http://127.0.0.1:{self.push_port}"
        self.env: dict[str, str] = {}
        self.program: tuple[str, ...] = ("-m", "gateway")
        self.process: asyncio.subprocess.Process | None = None
        self.site = folder / "site.yaml"
        self.site.write_text(
            f"""
site: hut
name: {{zh: 小屋, en: Hut}}
gateway: hut-gw
buses:
  net: {{kind: modbus-tcp, host: 127.0.0.1, port: {ends.board}, timeout_s: 0.5}}
  line: {{kind: line-tcp, host: 127.0.0.1, port: {ends.reader.port}}}
devices:
  relays: {{profile: waveshare_eth_relay8_di8, bus: net}}
  front-in: {{profile: line_reader, bus: line}}
doors:
  front:
    name: {{zh: 前门, en: Front door}}
    reader_in: front-in
    lock: {{device: relays, output: relay_1}}
    contact: {{device: relays, point: input_1}}
""",
            encoding="utf-8",
        )

    async def hold(self) -> None:
        """What a hub sent down before: one resident, one guard."""
        hash = await Passwords().hash(PASSWORD)
        far = instant(machine_wall_ms() + 10 * 365 * 86_400_000)
        things: list[tuple[str, Any]] = [
            ("holder", Holder(id="h-1", name="Zhang")),
            ("credential", Credential(id="c-1", kind="card", value=CARD, holder="h-1")),
            ("grant", Grant(id="g-1", holder="h-1", places=["front"])),
            (
                "account",
                Account(id="a-1", username="guard", name="Wang", role="guard", password_hash=hash, expires_at=far),
            ),
        ]
        items = [Item(kind=kind, id=thing.id, value=msgspec.Raw(msgspec.json.encode(thing))) for kind, thing in things]
        held = Held.open(self.data / "held.sqlite", clock=Clock())
        held.keep(5, [(item.kind, item.id, bytes(item.value)) for item in items])
        await held.close()

    async def start(self, *more: str) -> None:
        """Starts the process and waits until it says that it is ready."""
        await self.launch(*more)
        await self.until(self._ready)
        await self.dialled()

    async def launch(self, *more: str) -> None:
        """Starts the process."""
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, *self.program, "--site", str(self.site), "--data", str(self.data)),
                *("--port", str(self.port), "--push-port", str(self.push_port), *more),
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=os.environ | self.env,
            )

    async def dialled(self) -> None:
        """Returns when the process has reached its reader."""
        async with asyncio.timeout(WITHIN_S):
            await self.ends.reader.dialled.wait()

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal and waits; the exit status."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        async with asyncio.timeout(WITHIN_S):
            status = await self.process.wait()
        self.ends.reader.dialled.clear()
        return status

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A guard's session at the gateway's own server."""
        async with httpx.AsyncClient(base_url=self.url) as client:
            answer = await client.post("/api/session", json={"username": "guard", "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
            yield client

    async def until(self, holds: Callable[[], Any]) -> None:
        """Asks a foreign process until it says so."""
        async with asyncio.timeout(WITHIN_S):
            while not await holds():
                assert self.process is None or self.process.returncode is None, self.log()
                await asyncio.sleep(0.05)

    def log(self) -> str:
        """What the process said."""
        return (self.folder / "gateway.log").read_text(encoding="utf-8")

    def rows(self) -> list[tuple[int, str, str, dict[str, Any]]]:
        """(seq, kind, source, data) of the journal; fails if its chain is broken or a sequence is missing."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data / 'journal.sqlite'}?mode=ro", uri=True)) as db:
            found = db.execute("SELECT seq, at, kind, source, doubtful, data, hash FROM events ORDER BY id").fetchall()
        head = GENESIS
        rows = []
        for place, (seq, at, kind, source, doubtful, data, hash) in enumerate(found, start=1):
            assert seq == place
            event = Event(
                seq=seq,
                at=instant(at),
                kind=kind,
                source=source,
                clock="doubtful" if doubtful else "ok",
                data=msgspec.Raw(data),
            )
            head = chained(head, event)
            assert head == hash.hex()
            rows.append((seq, kind, source, msgspec.json.decode(data)))
        return rows

    def kinds(self) -> list[str]:
        """The kinds of the journal's events, oldest first."""
        return [kind for _, kind, _, _ in self.rows()]

    async def _ready(self) -> bool:
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(f"{self.url}/readyz")).status_code == 200
            except httpx.TransportError:
                return False


@asynccontextmanager
async def hut(folder: Path) -> AsyncIterator[Gateway]:
    """A gateway that holds its people, not yet started; ended at the end."""
    ends = Ends()
    await ends.open()
    gateway = Gateway(folder, ends)
    await gateway.hold()
    try:
        yield gateway
    finally:
        if gateway.process is not None and gateway.process.returncode is None:
            await gateway.end(signal.SIGKILL)
