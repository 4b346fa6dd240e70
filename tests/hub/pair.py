"""A real hub process and a gateway's engine, journal and uplink, with a real broker and a line between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from config import load_site
from contract.desired import Desired
from contract.presence import Versions
from contract.readings import Reading, Value
from drivers.reports import PointsRead
from gateway.clock import Clock
from gateway.desired.applying import Desire
from gateway.desired.held import Held
from gateway.engine.desk.timers import LoopTimers
from gateway.engine.site import SiteEngine
from gateway.journal import Journal, Keep
from gateway.pictures import PictureStore
from gateway.readings import ReadingsStore
from gateway.uplink import Speaker, Uplink
from gateway.web.served import People
from tests.hub.rig import Rig

PASSWORD = "correct horse battery"
WITHIN_S = 120.0
"""How long anything may take on a busy machine before a test says that it does not happen."""

SITE = """
site: demo
name: {{zh: 试验院, en: Test yard}}
gateway: demo-gw
buses:
  doors-net: {{kind: modbus-tcp, host: 127.0.0.1, port: 1, timeout_s: 0.2}}
devices:
  relays: {{profile: waveshare_eth_relay8_di8, bus: doors-net, name: {{zh: 继电器, en: Relays}}}}
doors:
  lobby:
    name: {{zh: 大堂, en: Lobby}}
    lock: {{device: relays, output: relay_1}}
    contact: {{device: relays, point: input_1}}
rules: [rules.yaml]
uplink: {{port: {port}, username: demo-gw, password_file: uplink.password}}
"""

RULES = """
rules:
  sump-high:
    device: relays
    when: input_8
    severity: major
    message: {zh: 集水坑满, en: The sump is full}
    ticket: {title: {zh: 检查排水泵, en: See to the pump}}
"""


def write_site(folder: Path, rig: Rig, port: int | None = None) -> Path:
    """The site's file, with what it names, in `folder`; `port`: the broker's, or of a line to it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    (folder / "uplink.password").write_text(rig.password)
    site = folder / "site.yaml"
    site.write_text(SITE.format(port=port or rig.broker.port), encoding="utf-8")
    return site


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    """What `holds` answers as soon as it is something."""
    async with asyncio.timeout(WITHIN_S):
        while not (found := await holds()):  # noqa: ASYNC110 - another process is asked, it has no event
            await asyncio.sleep(0.05)
    return found


class Office:
    """A person's session at the hub."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.client.post(path, json=body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    async def alarms(self) -> dict[str, str]:
        """Alarm → state of all that the gateway raised; that its journal was lost is the hub's own to say."""
        items = (await self.get("/api/alarms?limit=500"))["items"]
        return {item["id"]: item["state"] for item in items if item["rule"] != "journal.lost"}

    async def gateway(self) -> Any:
        [item] = (await self.get("/api/gateways"))["items"]
        return item


async def begin(rig: Rig, site: Path) -> None:
    """The site is set up, with one manager, and the hub serves."""
    accounts = rig.folder / "accounts.json"
    people = [
        {"username": name, "password": PASSWORD, "role": role}
        for name, role in (("boss", "manager"), ("fitter", "maintenance"))
    ]
    accounts.write_text(json.dumps({"accounts": people}))
    seeded = await asyncio.to_thread(rig.cli, "seed", "--site-file", str(site), "--accounts", str(accounts))
    assert seeded.returncode == 0, seeded.stderr
    rig.start_hub()
    await rig.ready()


@asynccontextmanager
async def office(rig: Rig, username: str = "boss") -> AsyncIterator[Office]:
    """Somebody signed in at the hub."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.hub_port}", timeout=30) as client:
        answer = await client.post("/api/session", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield Office(client)


class Gateway:
    """What of a gateway decides, records and speaks to the hub; its wires are quiet."""

    def __init__(self, engine: SiteEngine, journal: Journal, uplink: Uplink) -> None:
        self.engine = engine
        self.journal = journal
        self.uplink = uplink

    async def read(self, **values: Value) -> None:
        """Points of the relays are read."""
        at = self.engine.clock.wall_ms()
        said = [Reading(point=f"relays.{name}", value=value, quality="good", at=at) for name, value in values.items()]
        self.engine.report(PointsRead("relays", tuple(said)))
        await self.engine.record.finished()
        await self.engine.errands.finished()

    async def full(self) -> str:
        """The sump is full; the alarm's id."""
        await self.read(input_8=True)
        return next(id for id, alarm in self.engine.alarms.alarms.items() if alarm.present)

    async def synced(self) -> None:
        """The hub has everything."""

        async def caught_up() -> bool:
            return self.journal.acked == self.journal.last

        await until(caught_up)

    def open_alarms(self) -> dict[str, str]:
        """Alarm → state of those that are not closed."""
        return {id: alarm.state for id, alarm in self.engine.alarms.alarms.items() if alarm.state != "closed"}


@asynccontextmanager
async def gateway(site: Path, keep: Keep | None = None) -> AsyncIterator[Gateway]:
    """The gateway of `site`, its files beside it."""
    loaded = load_site(site)
    assert loaded.site.uplink is not None
    folder, clock = site.parent, Clock()
    journal = Journal.open(folder / "journal.sqlite", clock=clock, source=loaded.site.gateway, keep=keep)
    readings = ReadingsStore.open(folder / "readings.sqlite", clock=clock)
    pictures = PictureStore.open(folder / "pictures", clock=clock)
    held = Held.open(folder / "held.sqlite", clock=clock)
    engine = SiteEngine(loaded, journal=journal, readings=readings, pictures=pictures, clock=clock, timers=LoopTimers())
    desire = Desire(held, engine, People({}, {}), LoopTimers())
    desire.load()
    engine.start("0.0.0")
    desire.start()

    async def on_desired(step: Desired) -> None:
        if await desire.take(step):
            uplink.announce()

    uplink = Uplink(
        loaded.site.uplink,
        Speaker(loaded.site.gateway, loaded.site.site),
        folder=folder,
        journal=journal,
        readings=readings,
        pictures=pictures,
        clock=clock,
        versions=lambda: Versions(software="0.0.0", desired=desire.announced),
        on_command=engine.commands.carry_out,
        on_desired=on_desired,
        on_contact=engine.standing.wanted,
    )
    running = asyncio.create_task(uplink.run())
    try:
        yield Gateway(engine, journal, uplink)
    finally:
        await engine.stop()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await held.close()
        await readings.close()
        await journal.close()
