"""The site's engine: every report of a driver goes to the part that owns the matter. Built by hand, in one place."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec
import structlog

from config import LoadedSite
from contract import ACCEPTED_VERSIONS
from contract.facts.gateway import DesiredApplied, Empty, GatewayStarted
from contract.facts.machines import ReadingsDropped
from contract.layout import SiteLayout
from contract.readings import Reading
from contract.texts import Text
from drivers.mqtt.wires import MqttBus
from drivers.reports import (
    ClockTold,
    CredentialRead,
    DeviceFound,
    DeviceLost,
    InputRefused,
    PlateRead,
    PointsRead,
    Report,
)
from drivers.secrecy import Line, tells_secret_in_clear
from gateway.clock import Clock
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.alarms.devices import Devices
from gateway.engine.alarms.tickets import RemembersReadings, Tickets
from gateway.engine.alarms.timekeeping import Timekeeping
from gateway.engine.commands import Commands
from gateway.engine.desk.buses import Buses
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.errands import Errands
from gateway.engine.desk.layout import Names, layout_of, registers_of, vital_of, writable_of
from gateway.engine.desk.points import Applied, Points
from gateway.engine.desk.record import Facts, Record, Thing
from gateway.engine.desk.refusals import Refusals
from gateway.engine.desk.timers import Timers
from gateway.engine.doors.doors import Doors
from gateway.engine.doors.readers import Readers
from gateway.engine.lanes.lanes import Lanes, Verdict
from gateway.engine.lanes.snapshots import KeepsPictures
from gateway.engine.meters import Meters
from gateway.engine.standing import Standing
from gateway.journal import Damage, Journal, StallWatcher
from rules.access.index import AccessIndex
from rules.alarms.causes import BuiltInCause

log = structlog.get_logger(__name__)


class _Described(msgspec.Struct, frozen=True):
    """The layout that the hub was told last, by its digest: newer software may say more of the same site file."""

    layout: str = ""


class KeepsReadings(RemembersReadings, Protocol):
    """The readings' store as the engine needs it."""

    @property
    def stalled(self) -> str | None:
        """Why the disk takes no readings at the moment; None when it does."""

    def watch_stall(self, watcher: StallWatcher) -> None:
        """`watcher` hears why the disk takes no readings, and None when it does again."""


class SiteEngine:
    """One site's decisions. `report` is the sink of every driver; commands and desired state come through methods."""

    def __init__(
        self,
        loaded: LoadedSite,
        *,
        journal: Journal,
        readings: KeepsReadings,
        pictures: KeepsPictures,
        clock: Clock,
        timers: Timers,
    ) -> None:
        site = loaded.site
        self.loaded = loaded
        self.site = site
        self.layout: SiteLayout = layout_of(site, loaded.profiles, loaded.fingerprint)
        self.clock = clock
        self.journal = journal
        self.crashed = 0
        self._readings = readings
        self._stalled: frozenset[str] = frozenset()
        bus_of = {id: device.bus for id, device in site.devices.items()}
        names = Names(site, loaded.profiles)
        index = AccessIndex.of([], zones=loaded.zones_of_places(), timezone=site.timezone)

        self.points = Points(point.id for point in self.layout.points)
        self.record = record = Record(journal)
        self.errands = Errands()
        self.buses = Buses(bus_of)
        self.refusals = Refusals(record, timers)
        self._desk = desk = Desk(
            points=self.points, names=names, buses=self.buses, record=record, errands=self.errands,
            refusals=self.refusals, readings=readings.add, timers=timers, clock=clock,
        )  # fmt: skip
        self.alarms = alarms = Alarms(loaded.rules, desk)
        self.tickets = Tickets(desk, alarms, readings=readings)
        self.devices = Devices(bus_of, desk, alarms, vital=vital_of(site))
        self.meters = Meters(registers_of(site, loaded.profiles), ZoneInfo(site.timezone), desk, alarms)
        self.doors = Doors(site, index, desk, alarms)
        self.lanes = Lanes(site, index, desk, alarms, pictures=pictures)
        self.readers = Readers(
            (id for id, device in site.devices.items() if loaded.profiles[device.profile].kind == "reader"),
            desk, alarms,
        )  # fmt: skip
        self.standing = Standing(site.gateway, desk, alarms, doors=self.doors, lanes=self.lanes)
        self.commands = Commands(
            site, desk, alarms,
            doors=self.doors, lanes=self.lanes, writable=writable_of(site, loaded.profiles), journal=journal,
            on_unknown_alarm=lambda: self.standing.wanted("lost"),
        )  # fmt: skip
        self.timekeeping = Timekeeping(site.gateway, desk, alarms, meters=self.meters)
        self._names = names
        self._takers: Mapping[type[Report], Callable[..., None]] = {
            CredentialRead: self._credential_read,
            PointsRead: self._points_read,
            PlateRead: self._plate_read,
            ClockTold: self.lanes.cameras.told,
            DeviceLost: self._device_lost,
            DeviceFound: self._device_found,
            InputRefused: self.refusals.refuse,
        }

    # --- Life

    def start(self, software: str, remembered: Iterable[Reading] = ()) -> None:
        """Takes up what was recorded before a restart; nothing is driven. `remembered`: the last readings held."""
        facts = Facts()
        started = GatewayStarted(software=software, site_file=self.layout.fingerprint, clock=self.clock.state)
        facts.say("gateway.started", self.site.gateway, started)
        self.record.append(facts)
        facts = Facts()
        told = self.record.load_state("site", _Described).get("described")
        described = _Described(hashlib.sha256(msgspec.json.encode(self.layout)).hexdigest()[:16])
        if told != described:
            facts.say("site.described", self.site.gateway, self.layout)
            facts.keep("site", "described", described)
            self.record.append(facts)
        self.points.recall(remembered)
        self.alarms.on_late = lambda: self.standing.wanted("lost")
        self.alarms.start()
        self.doors.start()
        self.lanes.start()
        self.commands.start()
        self.meters.start()
        self.timekeeping.start()
        self.turn("file.damaged", there=False)
        self._look_at_lines()
        for name, store in (("journal", self.journal), ("readings", self._readings)):
            store.watch_stall(partial(self._stall_turned, name))
            self._stall_turned(name, store.stalled)

    def recall(self, readings: Collection[Reading]) -> None:
        """The last readings of before the start, which the disk has brought only now."""
        self.points.recall(readings)
        self.record.tell([Thing("point", reading.point) for reading in readings])

    async def stop(self) -> None:
        """Lets what is under way end and records the end."""
        await self.errands.finished()
        facts = Facts()
        facts.say("gateway.stopped", self.site.gateway, Empty())
        self.record.append(facts)
        await self.record.finished()

    def file_damaged(self, damage: Damage) -> None:
        """A damaged file of the gateway's own was set aside."""
        facts = Facts()
        gateway = self.site.gateway
        why = Text(damage.kept, damage.kept)
        self.alarms.raise_cause(built_in("file.damaged", gateway, self._names, gateway, why=why), facts)
        self.record.append(facts)

    def _look_at_lines(self) -> None:
        """Lines that stay closed because a password would go over them in clear: only the site file opens them."""
        site, facts = self.site, Facts()
        lines: list[tuple[str, str, Line | None]] = [(site.gateway, "uplink", site.uplink)]
        lines += [(id, f"buses.{id}", bus) for id, bus in site.buses.items() if isinstance(bus, MqttBus)]
        for source, place, line in lines:
            if line is not None and tells_secret_in_clear(line):
                host, at = Text(line.host, line.host), Text(place, place)
                cause = built_in("line.in_clear", source, self._names, source, why=host, place=at)
                self.alarms.raise_cause(cause, facts)
            else:
                self.alarms.clear_cause(built_in_key("line.in_clear", source), facts)
        if facts:
            self.record.append(facts)

    def readings_dropped(self, dropped: ReadingsDropped) -> None:
        """The disk quota made the readings' store drop what the hub never had."""
        facts = Facts()
        facts.say("readings.dropped", self.site.gateway, dropped)
        self.record.append(facts)

    @property
    def index(self) -> AccessIndex:
        """Who may pass where and when, as it is decided by now."""
        return self.doors.index

    def decide_by(self, index: AccessIndex) -> None:
        """Decides by another revision of holders, credentials, grants, schedules and blocks from now on."""
        self.doors.index = self.lanes.index = index

    def desired_applied(self, items: int) -> None:
        """A step of `items` items is what decisions are made by from now on; `desired.applied` says so."""
        facts = Facts()
        facts.say("desired.applied", self.site.gateway, DesiredApplied(revision=self.revision, items=items))
        facts.touch("gateway", self.site.gateway)
        self.record.append(facts)

    def hub_turned(self, speaks: int | None, refuses: str | None) -> None:
        """The hub `speaks` this version (None: nothing was heard of it yet), and `refuses` what it gets, and why."""
        facts = Facts()
        gateway = self.site.gateway
        if speaks in ACCEPTED_VERSIONS:
            self.alarms.clear_cause(built_in_key("hub.unreadable", gateway), facts)
        elif speaks is not None:
            why = Text(str(speaks), str(speaks))
            self.alarms.raise_cause(built_in("hub.unreadable", gateway, self._names, gateway, why=why), facts)
        if refuses is None:
            self.alarms.clear_cause(built_in_key("hub.refuses", gateway), facts)
        else:
            why = Text(refuses, refuses)
            self.alarms.raise_cause(built_in("hub.refuses", gateway, self._names, gateway, why=why), facts)
        if facts:
            self.record.append(facts)

    @property
    def revision(self) -> int:
        """The revision that decisions are made by."""
        return self.index.revision

    def turn(self, cause: BuiltInCause, *, there: bool) -> None:
        """A fault of the gateway itself is there or not; an alarm says so."""
        facts = Facts()
        gateway = self.site.gateway
        if there:
            self.alarms.raise_cause(built_in(cause, gateway, self._names), facts)
        else:
            self.alarms.clear_cause(built_in_key(cause, gateway), facts)
        if facts:
            self.record.append(facts)

    # --- Reports

    def report(self, report: Report) -> None:
        """The sink of every driver. Returns at once and never raises: a fault of ours must not end a wire's task."""
        try:
            self._takers[type(report)](report)
        except Exception:  # no report of any driver may end the task that owns its wire; it is counted
            self.crashed += 1
            log.exception("report failed", report=type(report).__name__)

    async def plate_read(self, read: PlateRead) -> Verdict:
        """The sink of cameras that wait for an answer."""
        return await self.lanes.plate_read(read)

    async def on_disk(self, verdicts: Sequence[Verdict], *, within_s: float) -> bool:
        """Whether these reads and their pictures are on the disk, waiting at most `within_s` seconds for them."""
        until = asyncio.get_running_loop().time() + within_s
        pictures = [verdict.picture for verdict in verdicts if verdict.picture is not None]
        written = True
        if pictures:
            _, waiting = await asyncio.wait(pictures, timeout=within_s)
            written = not waiting
        left_s = max(0.0, until - asyncio.get_running_loop().time())
        return await self.journal.on_disk(within_s=left_s) and written and all(each.recorded for each in verdicts)

    # --- Inside

    def _credential_read(self, read: CredentialRead) -> None:
        if not self.doors.credential_read(read):
            self.refusals.refuse(InputRefused(read.reader, "no door has this reader"))

    def _points_read(self, read: PointsRead) -> None:
        applied = self.points.apply(read.readings)
        self.meters.points_read([reading.point for reading in read.readings])
        facts = Facts()
        self._points_changed(applied, facts)
        if facts:
            self.record.append(facts)

    def _plate_read(self, read: PlateRead) -> None:
        self.errands.begin(self._plate_without_answer(read))

    def _device_lost(self, lost: DeviceLost) -> None:
        facts = Facts()
        if self.devices.lost(lost.device, lost.why, facts):
            self._points_changed(self.points.lose(lost.device, self.clock.wall_ms()), facts)
            self.doors.lock_lost(lost.device, facts)
            if facts:
                self.record.append(facts)

    def _device_found(self, found: DeviceFound) -> None:
        facts = Facts()
        if self.devices.found(found.device, facts):
            self._there_again(found.device, facts)
            self.record.append(facts)

    def _points_changed(self, applied: Applied, facts: Facts) -> None:
        if applied.keep:
            self._readings.add(applied.keep)
        if applied.changed:
            self.doors.points_changed(applied.changed, facts)
            self.lanes.points_changed(applied.changed, facts)
            self.alarms.points_changed(applied.changed, facts)
            self.readers.points_changed(applied.changed, facts)
            for device in self.devices.points_changed(applied.changed, facts):
                self._there_again(device, facts)
            self.record.tell([Thing("point", point) for point in applied.changed])

    def _there_again(self, device: str, facts: Facts) -> None:
        self.doors.lock_found(device, facts)
        self.lanes.device_found(device, facts)

    async def _plate_without_answer(self, read: PlateRead) -> None:
        await self.lanes.plate_read(read)

    def _stall_turned(self, store: str, why: str | None) -> None:
        self._stalled = self._stalled | {store} if why is not None else self._stalled - {store}
        recovered = not self._stalled and self.alarms.present(built_in_key("recording.stalled", self.site.gateway))
        self.turn("recording.stalled", there=bool(self._stalled))
        if recovered:
            # What found no room in memory meanwhile is not recorded.
            self.standing.wanted("lost")
