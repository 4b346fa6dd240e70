"""A small site for the engine's tests: real journal, real deciders, wires that remember what was sent, own time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from config import load_site
from contract.commands import Command, Person
from contract.desired import Block, Credential, Grant, Holder
from contract.instants import instant
from contract.pictures import picture_id
from contract.readings import Reading, Value
from contract.texts import Text
from drivers.bus import BusHealth, CommandFailed, Outcome
from drivers.reports import CredentialRead, PlateRead, PointsRead
from gateway.clock import Clock
from gateway.engine.site import SiteEngine
from gateway.journal import Disk, Journal, Keep, StallWatcher
from rules.access.index import AccessIndex

MORNING = 1_795_000_000_000
"""A moment in November 2026, Unix ms."""

PATIENT = Keep(act_waits_s=60, late_s=60, silent_s=60)

SITE = """
site: yard
name: {zh: 试验院, en: Test yard}
gateway: yard-gw
buses:
  doors-net: {kind: modbus-tcp, host: 127.0.0.1, port: 502}
  barrier-net: {kind: modbus-tcp, host: 127.0.0.1, port: 503}
  in-line: {kind: line-tcp, host: 127.0.0.1, port: 4001}
  out-line: {kind: line-tcp, host: 127.0.0.1, port: 4002}
  plant-line: {kind: modbus-rtu, port: /dev/null}
  meters-net: {kind: modbus-tcp, host: 127.0.0.1, port: 504}
  cameras: {kind: http-push}
devices:
  relays: {profile: waveshare_eth_relay8_di8, bus: doors-net, name: {zh: 继电器, en: Relays}}
  barrier-in: {profile: came_gard_ptx, bus: barrier-net}
  cam-in: {profile: zhenshi_plate_camera, bus: cameras}
  cam-out: {profile: zhenshi_plate_camera, bus: cameras}
  cam-side: {profile: zhenshi_plate_camera, bus: cameras}
  lobby-in: {profile: line_reader, bus: in-line}
  lobby-out: {profile: line_reader, bus: out-line}
  pump-1: {profile: grundfos_cim200, bus: plant-line, name: {zh: 1 号泵, en: Pump 1}, place: {zh: 泵房, en: Plant}}
  meter-main: {profile: eastron_sdm630, bus: meters-net, unit: 1, meter_no: "20260001"}
zones:
  yard-zone: {name: {zh: 院, en: Yard}}
doors:
  lobby:
    name: {zh: 大堂, en: Lobby}
    reader_in: lobby-in
    reader_out: lobby-out
    lock: {device: relays, output: relay_1}
    contact: {device: relays, point: input_1}
    exit_button: {device: relays, point: input_2}
    release_s: 5
    held_s: 30
    zones: [yard-zone]
lanes:
  gate-in:
    name: {zh: 入口, en: Entry}
    direction: in
    camera: cam-in
    barrier: {kind: device, device: barrier-in}
    loop_before: {device: relays, point: input_3}
    loop_under: {device: relays, point: input_4}
    visitors: admit
  gate-out:
    name: {zh: 出口, en: Exit}
    direction: out
    camera: cam-out
    barrier:
      kind: relay
      open: {device: relays, output: relay_3}
      up: {device: relays, point: input_5}
      down: {device: relays, point: input_6}
    visitors: ask
  gate-side:
    name: {zh: 侧门, en: Side gate}
    direction: in
    camera: cam-side
    barrier: {kind: camera}
    visitors: refuse
meters:
  main: {point: meter-main.energy_import, name: {zh: 总表, en: Main}, register: energy_import}
rules: [rules.yaml]
"""

RULES = """
rules:
  pump-dry:
    device: pump-1
    when: flow < 1.0 && rotating
    for_s: 5
    clear_when: flow > 2.0
    severity: major
    message: {zh: "{name} 缺水：流量 {flow}", en: "{name} runs dry: flow {flow}"}
    response: {zh: 停泵检查, en: Stop the pump and look}
    ticket: {title: {zh: "{name} 缺水", en: "{name} runs dry"}}
"""

RESIDENT = "04A1B2C3D4E5F6"
REVOKED = "04DEADBEEF0001"
GUARD = Person(id="p-1", name="王门卫", role="guard")
FITTER = Person(id="p-2", name="Li", role="maintenance")


def people() -> list[msgspec.Struct]:
    """Who may pass: one resident by card and plate, one revoked card, one blocked plate."""
    return [
        Holder(id="h-1", name="Zhang"),
        Credential(id="c-1", kind="card", value=RESIDENT, holder="h-1"),
        Credential(id="c-2", kind="card", value=REVOKED, holder="h-1", state="revoked"),
        Credential(id="c-3", kind="plate", value="沪A12345", holder="h-1"),
        Grant(id="g-1", holder="h-1", places=["lobby", "gate-in", "gate-out", "gate-side"]),
        Block(id="b-1", kind="plate", value="粤B88888", reason=Text("欠费", "unpaid")),
    ]


class Time:
    """A clock that stands until it is told, and timers that ring when it does."""

    def __init__(self, wall_ms: int = MORNING) -> None:
        self.machine_ms = wall_ms
        self.steady = 1000.0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._cancelled: set[int] = set()
        self._count = 0

    def after(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        """As `gateway.engine.desk.timers.Timers`."""
        self._count += 1
        number = self._count
        self._timers.append((self.steady + max(0.0, seconds), number, call))
        return lambda: self._cancelled.add(number)

    def pass_by(self, seconds: float) -> None:
        """Time goes on; timers ring at their own moments, in order."""
        end = self.steady + seconds
        while True:
            due = min((timer for timer in self._timers if timer[0] <= end + 1e-9), default=None)
            if due is None:
                break
            self._timers.remove(due)
            self._go_to(max(self.steady, due[0]))
            if due[1] not in self._cancelled:
                due[2]()
        self._go_to(end)

    def pending(self) -> int:
        """How many timers are armed."""
        return sum(1 for _, number, _ in self._timers if number not in self._cancelled)

    def _go_to(self, steady: float) -> None:
        self.machine_ms += round((steady - self.steady) * 1000)
        self.steady = steady


class Wire:
    """A wire that remembers what was sent, and refuses it while it is `dead`."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.health = BusHealth()
        self.sent: list[tuple[Any, ...]] = []
        self.shown: list[tuple[str, Outcome]] = []
        self.dead = False
        self.gate: asyncio.Event | None = None
        """What is written waits for it, and fails if the wire is dead by then."""
        self.recorded_before: Callable[[], int] = lambda: 0
        self.seen_recorded: list[int] = []

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def write(self, device: str, point: str, value: Value, *, within_s: float) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self._send("write", device, point, value)

    async def pulse(self, device: str, output: str, seconds: float, *, within_s: float) -> None:
        self._send("pulse", device, output, seconds)

    def show(self, reader: str, outcome: Outcome) -> None:
        self.shown.append((reader, outcome))

    def online(self, device: str) -> bool:
        return not self.dead

    def _send(self, *what: Any) -> None:
        if self.dead:
            raise CommandFailed("the wire is dead")
        self.sent.append(what)
        self.seen_recorded.append(self.recorded_before())


class Shelf:
    """Readings in memory: what the engine stores, and what tickets look back on."""

    stalled: str | None = None

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    def add(self, readings: Sequence[Reading]) -> None:
        self.readings += readings

    async def history(self, point: str, from_ms: int, to_ms: int) -> list[Reading]:
        return (await self.histories([point], from_ms, to_ms))[point]

    async def histories(self, points: Collection[str], from_ms: int, to_ms: int) -> dict[str, list[Reading]]:
        return {
            point: [each for each in self.readings if each.point == point and from_ms <= each.at <= to_ms]
            for point in points
        }

    def watch_stall(self, watcher: StallWatcher) -> None:
        """It never stalls."""

    def last(self, point: str) -> Value:
        """The newest value stored under `point`."""
        return next(each.value for each in reversed(self.readings) if each.point == point)


class Album:
    """Pictures in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def save(self, jpeg: bytes) -> str:
        id = picture_id(jpeg)
        (self._folder / f"{id}.jpg").write_bytes(jpeg)
        return id

    def path(self, picture: str) -> Path | None:
        file = self._folder / f"{picture}.jpg"
        return file if file.exists() else None


class Yard:
    """The site at work."""

    def __init__(self, engine: SiteEngine, journal: Journal, time: Time, shelf: Shelf) -> None:
        self.engine = engine
        self.journal = journal
        self.time = time
        self.shelf = shelf
        self.wires = {bus: Wire(bus) for bus in engine.site.buses}
        for wire in self.wires.values():
            wire.recorded_before = lambda: journal.last
            engine.buses.add(wire)

    @property
    def sent(self) -> list[tuple[Any, ...]]:
        """Everything that went out, by wire."""
        return [what for wire in self.wires.values() for what in wire.sent]

    async def settle(self) -> None:
        """Returns when everything that was set off has been recorded and sent."""
        for _ in range(3):
            await self.engine.record.finished()
            await self.engine.errands.finished()
            await asyncio.sleep(0)

    async def wait(self, seconds: float) -> None:
        """Time goes on, and what that sets off is settled."""
        self.time.pass_by(seconds)
        await self.settle()

    async def card(self, value: str, reader: str = "lobby-in") -> None:
        """A card is presented."""
        self.engine.report(CredentialRead(reader, "card", value))
        await self.settle()

    async def plate(self, plate: str, camera: str = "cam-in", **more: Any) -> bool:
        """A camera sees a plate; what it is answered."""
        read: dict[str, Any] = {"plate_id": "", "confidence": 0.95} | more
        verdict = await self.engine.plate_read(PlateRead(camera=camera, plate=plate, **read))
        await self.settle()
        return verdict.lift

    async def read(self, quality: str = "good", **values: Value) -> None:
        """Points are read, each named `device__point` (dashes of the device as one underscore)."""
        by_device: dict[str, list[Reading]] = {}
        for name, value in values.items():
            device, _, point = name.partition("__")
            device = device.replace("_", "-")
            at = self.time.machine_ms
            reading = Reading(point=f"{device}.{point}", value=value, quality=quality, at=at)  # type: ignore[arg-type]
            by_device.setdefault(device, []).append(reading)
        for device, readings in by_device.items():
            self.engine.report(PointsRead(device, tuple(readings)))
        await self.settle()

    async def command(self, kind: str, target: str, by: Person = GUARD, *, local: bool = False, **more: Any) -> str:
        """A person asks for something; the command's id."""
        number = more.pop("number", len(self.engine.commands.commands) + 1)
        now = self.time.machine_ms
        command = Command(
            id=f"00000000-0000-4000-8000-{number:012d}",
            kind=kind,  # type: ignore[arg-type]
            target=target,
            by=by,
            reason=more.pop("reason", "test"),
            reason_code=more.pop("reason_code", None),
            subject=more.pop("subject", None),
            issued_at=instant(now + more.pop("issued_ms", 0)),
            expires_at=instant(now + more.pop("ttl_ms", 10_000)),
            args=more,
        )
        await self.engine.commands.carry_out(command, local=local)
        await self.settle()
        return command.id

    async def events(self, *kinds: str) -> list[tuple[str, str, dict[str, Any]]]:
        """(kind, source, data) of what was recorded, oldest first; all but the start's own, or these kinds only."""
        found = await self.journal.events(after=0, limit=1000)
        quiet = {"gateway.started", "site.described"}
        return [
            (event.kind, event.source, msgspec.json.decode(event.data))
            for event in found
            if (event.kind in kinds if kinds else event.kind not in quiet)
        ]

    async def kinds(self) -> list[str]:
        """The kinds of what was recorded, oldest first."""
        return [kind for kind, _, _ in await self.events()]


def decides_by(engine: SiteEngine, items: Iterable[msgspec.Struct], revision: int) -> None:
    """The engine holds `items` and nothing else."""
    zones, timezone = engine.loaded.zones_of_places(), engine.site.timezone
    engine.decide_by(AccessIndex.of(items, zones=zones, timezone=timezone, revision=revision))


@asynccontextmanager
async def yard(
    folder: Path,
    time: Time | None = None,
    *,
    site: str = SITE,
    rules: str = RULES,
    at_rest: bool = True,
    disk: Disk | None = None,
) -> AsyncIterator[Yard]:
    """A yard in `folder`; a second one in the same folder is the same gateway after a restart."""
    time = time or Time()
    (folder / "site.yaml").write_text(site, encoding="utf-8")
    (folder / "rules.yaml").write_text(rules, encoding="utf-8")
    loaded = load_site(folder / "site.yaml")
    clock = Clock(machine=lambda: time.machine_ms, steady=lambda: time.steady)
    # Time stands still here unless a test moves it: only a test of disks may see how long a commit takes.
    keep = PATIENT if disk is None else Keep()
    journal = Journal.open(folder / "journal.sqlite", clock=clock, source=loaded.site.gateway, disk=disk, keep=keep)
    shelf = Shelf()
    engine = SiteEngine(loaded, journal=journal, readings=shelf, pictures=Album(folder), clock=clock, timers=time)
    here = Yard(engine, journal, time, shelf)
    engine.start("0.0.0")
    decides_by(engine, people(), 7)
    if at_rest:
        await here.read(relays__input_1=False, relays__input_2=False)
    await here.settle()
    try:
        yield here
    finally:
        await here.settle()
        await journal.close()
