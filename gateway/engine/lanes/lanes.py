"""Lanes: a plate read is decided and recorded, then the lane's one actuator is driven; barrier and loops are seen."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import structlog

from config.site import CameraBarrier, Input, Lane, Site
from contract.facts.entry import BarrierMoved, PassageMade, Presented
from contract.instants import instant
from contract.readings import Reading
from drivers.bus import CommandFailed
from drivers.camera.zhenshi import Show
from drivers.reports import InputRefused, PlateRead
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.buses import Buses
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.layout import can_close, contact_point, is_monitored
from gateway.engine.desk.record import Facts, Thing
from gateway.engine.desk.timers import Alarmclock
from gateway.engine.lanes.barriers import BarrierWire
from gateway.engine.lanes.cameras import Cameras
from gateway.engine.lanes.cars import Cars
from gateway.engine.lanes.display import shown
from gateway.engine.lanes.reads import PlateReads
from gateway.engine.lanes.snapshots import KeepsPictures, Snapshots
from rules.access.entries import DECISIONS
from rules.access.index import AccessIndex
from rules.commands import lane_commands
from rules.passage.barriers import (
    Admission,
    Clear,
    Closed,
    Closing,
    Goal,
    LaneEffect,
    LaneEvent,
    LaneMemory,
    LaneTraits,
    LoopsSeen,
    Opened,
    Opening,
    Passage,
    PositionSeen,
    Raise,
    Taken,
    Tick,
    Untaken,
    next_wake,
    step,
)
from rules.passage.cars import Car
from web import shapes

log = structlog.get_logger(__name__)

BARRIER_WITHIN_S = 2.0
"""A barrier that did not take the command by then stays as it is."""

WAITING_LIMIT = 8
"""Reads of one lane that wait for the journal or the barrier at the most."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a read led to. `lift`: the camera itself shall lift; `show`: what it shall show and say.

    `recorded`: the journal has it, or has it waiting; False if there were too many. `picture`: being written.
    """

    lift: bool = False
    show: Show | None = None
    recorded: bool = True
    picture: asyncio.Task[None] | None = None


IDLE_S = 60.0
"""A barrier that was lifted for a vehicle which did not drive through comes down after this, if the loops are free."""


@dataclass(slots=True)
class _Standing:
    """One lane as it is now. `at`: Unix ms of its last change. `idle`: rings when nobody has driven through."""

    lane: Lane
    traits: LaneTraits
    wire: BarrierWire
    clock: Alarmclock
    idle: Alarmclock
    memory: LaneMemory = field(default_factory=LaneMemory)
    last_plate: str | None = None
    last_plate_at: int = 0
    at: int = 0
    waiting: int = 0


class Lanes:
    """All lanes of the site. `index` is replaced when the desired state has another revision."""

    def __init__(self, site: Site, index: AccessIndex, desk: Desk, alarms: Alarms, *, pictures: KeepsPictures) -> None:
        self.index = index
        self.decisions = {"granted": 0, "denied": 0, "ignored": 0}
        self.barrier_failures = 0
        self._site = site.site
        self._points = desk.points
        self._names = desk.names
        self._alarms = alarms
        self._record = desk.record
        self._errands = desk.errands
        self._refusals = desk.refusals
        self._readings = desk.readings
        self.cameras = Cameras(
            {lane.camera: lane.fresh_s for lane in site.lanes.values()}, ZoneInfo(site.timezone),
            desk, alarms,
        )  # fmt: skip
        snapshots = Snapshots(pictures, desk)
        self._reads = PlateReads(site.lanes, desk, cameras=self.cameras, snapshots=snapshots)
        self.cars = Cars(site.lanes, desk, self._changed)
        self._timers = desk.timers
        self._clock = desk.clock
        self._lanes = {id: self._standing(id, lane, desk.buses) for id, lane in site.lanes.items()}
        self._lane_of = {lane.camera: id for id, lane in site.lanes.items()}
        self._by_point: dict[str, list[str]] = {}
        for id, standing in self._lanes.items():
            for point in (*standing.wire.points, *_loops_of(standing.lane)):
                self._by_point.setdefault(point, []).append(id)

    def start(self) -> None:
        """Remembers the last reads; barriers and loops are unknown until they are read, and nothing is driven."""
        self.cameras.start()
        self._reads.start()
        self.cars.start()
        now = self._clock.wall_ms()
        for id, standing in self._lanes.items():
            standing.at = now
            self._readings(self._state_readings(id))

    def __contains__(self, lane: str) -> bool:
        return lane in self._lanes

    # --- What cameras, barriers and loops say

    async def plate_read(self, read: PlateRead) -> Verdict:
        """Decides on a read, records it and drives the barrier. Unknown cameras lift nothing."""
        lane = self._lane_of.get(read.camera)
        if lane is None:
            self._refusals.refuse(InputRefused(read.camera, "no lane has this camera"))
            return Verdict()
        standing = self._lanes[lane]
        if standing.waiting >= WAITING_LIMIT:
            self._refusals.refuse(InputRefused(read.camera, "more reads than can be recorded"))
            return Verdict(recorded=False)
        taken = self._reads.take(lane, read, self.index)
        decision = taken.decision
        self.decisions[decision.outcome] += 1
        car = None
        if taken.access is not None:
            if decision.plate:
                standing.last_plate, standing.last_plate_at = decision.plate, self._clock.wall_ms()
            car = self.cars.read(lane, taken.access, taken.facts, granted=decision.granted)
        elif decision.rule == "repeated":
            self.cars.read_again(lane, decision.plate)
        if not taken.facts:
            return Verdict(recorded=taken.recorded)
        recording = self._record.append(taken.facts)
        show = shown(standing.lane.display, decision) if taken.acts else None
        standing.waiting += 1
        try:
            # The car of before may have left in the same breath.
            event = next((each for each in await recording if each.kind in DECISIONS), None)
            self.cars.recorded(lane, car, event)
            if not (taken.acts and decision.granted):
                return Verdict(show=show, recorded=taken.recorded, picture=taken.picture)
            admission = Admission(
                by="decision", holder=decision.holder,
                after=None if event is None else event.seq,
                after_stream=None if event is None else event.stream,
                credential=Presented(kind="plate", value=decision.plate),
            )  # fmt: skip
            return Verdict(await self._lift(lane, admission, car), show, picture=taken.picture)
        finally:
            standing.waiting -= 1

    def points_changed(self, points: list[str], facts: Facts) -> None:
        """Barriers and loops among the points that have another value or quality."""
        lanes = dict.fromkeys(lane for point in points for lane in self._by_point.get(point, ()))
        for id in lanes:
            standing = self._lanes[id]
            position = standing.wire.position(self._points)
            if position != standing.memory.position:
                self._step(id, PositionSeen(position), facts)
                self._changed(id, facts)
            before, under = self._loop(standing.lane.loop_before), self._loop(standing.lane.loop_under)
            if (before, under) != (standing.memory.before, standing.memory.under):
                self._step(id, LoopsSeen(before, under), facts)
                self.cars.loop(id, before, facts)
                self._changed(id, facts)

    def device_found(self, device: str, facts: Facts) -> None:
        """What moves a barrier answers (again)."""
        for id, standing in self._lanes.items():
            if standing.wire.device == device:
                self._step(id, Taken(), facts)

    # --- What people command

    async def open(self, lane: str, command: str, within_s: float) -> None:
        """Lifts the barrier by hand, for the car that stands there; `CommandFailed` if it did not take the command."""
        standing, car = self._lanes[lane], self.cars.standing(lane)
        standing.wire.check("up")
        standing.idle.arm(None)  # who opens by hand may mean it to stay open
        admission = Admission(by="command", command=command)
        if car is not None:
            admission = replace(
                admission, holder=car.holder,
                after=None if car.place is None else car.place.seq,
                after_stream=None if car.place is None else car.place.stream,
                credential=None if car.plate is None else Presented(kind="plate", value=car.plate),
            )  # fmt: skip
        self._note(lane, Opening(admission))
        await self._drive(lane, "up", within_s, admission, car)

    async def close(self, lane: str, command: str, within_s: float) -> None:
        """Lowers the barrier by hand; `CommandFailed` if it cannot or did not take the command."""
        standing = self._lanes[lane]
        if standing.memory.under is True:
            raise CommandFailed("A vehicle stands under the barrier", "闸杆下有车")
        standing.wire.check("down")
        self._note(lane, Closing(command))
        await self._drive(lane, "down", within_s)

    # --- What people see

    def item(self, lane: str) -> shapes.Lane:
        """The lane as the REST interface and the live stream show it."""
        standing = self._lanes[lane]
        memory = standing.memory
        return {
            "id": lane,
            "site": self._site,
            "barrier": memory.position,
            "monitored": is_monitored(standing.lane),
            "loops": {"before": memory.before, "under": memory.under},
            "last_plate": standing.last_plate,
            "last_plate_at": instant(standing.last_plate_at) if standing.last_plate else None,
            "car": self.cars.item(lane),
            "at": instant(standing.at),
            "can": lane_commands(can_close(standing.lane)),
        }

    def ids(self) -> list[str]:
        """All lanes."""
        return list(self._lanes)

    # --- Inside

    def _standing(self, id: str, lane: Lane, buses: Buses) -> _Standing:
        wire = BarrierWire(lane.barrier, lane.camera, buses)
        traits = LaneTraits(has_position=bool(wire.points), has_loop_under=lane.loop_under is not None)
        return _Standing(
            lane,
            traits,
            wire,
            clock=Alarmclock(self._timers, lambda: self._tick(id)),
            idle=Alarmclock(self._timers, lambda: self._stood_idle(id)),
        )

    async def _lift(self, lane: str, admission: Admission, car: Car | None) -> bool:
        standing = self._lanes[lane]
        self._note(lane, Opening(admission))
        if isinstance(standing.lane.barrier, CameraBarrier):
            self._note(lane, Taken())  # it is being answered
            self.cars.opened(lane, car)
            return True
        await self._drive_alone(lane, "up", admission, car)
        return False

    async def _lower(self, lane: str) -> None:
        self._note(lane, Closing())
        await self._drive_alone(lane, "down")

    async def _drive_alone(
        self, lane: str, goal: Goal, admission: Admission | None = None, car: Car | None = None
    ) -> None:
        """Drives a barrier for nobody who could be told that it failed."""
        try:
            await self._drive(lane, goal, BARRIER_WITHIN_S, admission, car)
        except CommandFailed as failure:
            log.warning("barrier did not take the wish", lane=lane, goal=goal, why=str(failure))

    async def _drive(
        self, lane: str, goal: Goal, within_s: float, admission: Admission | None = None, car: Car | None = None
    ) -> None:
        """Drives a barrier, up for `car` by `admission`; one that does not take the command is alarmed at once."""
        news = goal == "up" and self.cars.opened(lane, car)
        try:
            await self._lanes[lane].wire.drive(goal, within_s)
        except CommandFailed:
            self.barrier_failures += 1
            if news:  # a car that was let in before stays let in
                self.cars.opened(lane, car, taken=False)
            self._note(lane, Untaken(goal, admission))
            raise
        self._note(lane, Taken())

    def _note(self, lane: str, event: LaneEvent) -> None:
        facts = Facts()
        self._step(lane, event, facts)
        if facts:
            self._record.append(facts)

    def _step(self, id: str, event: LaneEvent, facts: Facts) -> None:
        standing = self._lanes[id]
        now = self._clock.monotonic()
        standing.memory, effects = step(standing.traits, standing.memory, event, now)
        wake = next_wake(standing.memory)
        standing.clock.arm(None if wake is None else wake - now)
        for effect in effects:
            self._follow(id, effect, facts)
        if standing.memory.position in {"up", "down"} and not standing.memory.stuck:
            # What was raised before a restart ends when the barrier is seen at an end again.
            self._alarms.clear_cause(built_in_key("barrier.stuck", id), facts)

    def _tick(self, id: str) -> None:
        self._note(id, Tick())

    def _stood_idle(self, id: str) -> None:
        standing = self._lanes[id]
        memory = standing.memory
        if memory.position != "up":
            return
        if memory.under is False and memory.before is not True:
            self._errands.begin(self._lower(id))
        else:
            standing.idle.arm(IDLE_S)

    def _follow(self, id: str, effect: LaneEffect, facts: Facts) -> None:
        standing = self._lanes[id]
        match effect:
            case Opened(by, command):
                facts.say("barrier.opened", id, BarrierMoved(by=by, command=command))
                if by == "decision" and can_close(standing.lane):
                    standing.idle.arm(IDLE_S)
            case Closed(by, command):
                facts.say("barrier.closed", id, BarrierMoved(by=by, command=command))
            case Passage(admission, last):
                passage = self._passage(standing, admission)
                facts.say("passage.made", id, passage)
                self.cars.passed(id, passage, facts)
                if last and admission is not None and can_close(standing.lane):
                    self._errands.begin(self._lower(id))
            case Raise(goal):
                wire = standing.wire
                # A device that is silent, or gives nothing but errors, has an alarm and a ticket of its own.
                ticketed = wire.answers(self._points)
                cause = built_in("barrier.stuck", id, self._names, wire.device, ticketed=ticketed)
                self._alarms.raise_cause(cause, facts, {f"{id}.goal": goal})
            case Clear():
                self._alarms.clear_cause(built_in_key("barrier.stuck", id), facts)

    def _passage(self, standing: _Standing, admission: Admission | None) -> PassageMade:
        if admission is None:
            return PassageMade(direction=standing.lane.direction)
        return PassageMade(
            direction=standing.lane.direction,
            after=admission.after,
            after_stream=admission.after_stream,
            credential=admission.credential,
            holder=admission.holder,
        )

    def _loop(self, loop: Input | None) -> bool | None:
        if loop is None:
            return None
        latest = self._points.value(contact_point(loop))
        return None if latest.quality != "good" or latest.value is None else latest.value == loop.active

    def _changed(self, id: str, facts: Facts) -> None:
        self._lanes[id].at = self._clock.wall_ms()
        self._readings(self._state_readings(id))
        if Thing("lane", id) not in facts.changed:
            facts.touch("lane", id)

    def _state_readings(self, id: str) -> list[Reading]:
        standing = self._lanes[id]
        memory = standing.memory
        readings = [Reading(point=f"{id}.barrier", value=memory.position, quality="good", at=standing.at)]
        for name, taken in (("loop_before", memory.before), ("loop_under", memory.under)):
            if taken is not None:
                readings.append(Reading(point=f"{id}.{name}", value=taken, quality="good", at=standing.at))
        return readings


def _loops_of(lane: Lane) -> list[str]:
    return [contact_point(loop) for loop in (lane.loop_before, lane.loop_under) if loop is not None]
