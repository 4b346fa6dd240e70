"""The car before each barrier as the engine lives it: what `rules.passage.cars` says is recorded, kept and shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import msgspec
from msgspec.structs import replace

from config.site import Lane
from contract.commands import Subject
from contract.facts.entry import Access, CarArrived, CarLeft, PassageMade
from contract.instants import instant
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.layout import tells_passages
from gateway.engine.desk.record import Facts, Thing
from gateway.engine.desk.timers import Alarmclock
from gateway.journal import Recorded
from rules.passage.cars import (
    GOING_S,
    UNSEEN_S,
    Arrived,
    Car,
    CarEvent,
    CarMemory,
    CarRead,
    CarReadAgain,
    Left,
    Loop,
    Opened,
    Passed,
    Waited,
    let_in,
    next_wake,
    placed,
    stands,
    step,
)
from rules.reasons import reason
from web.cars import StandingCar

CARS = "car"
"""Under which each lane's car is kept: after a restart it still stands there, or is said to have left."""


class Kept(msgspec.Struct, frozen=True):
    """A lane's car, whether the barrier was opened for it, and the cars that are on their way through.

    `at`: Unix ms, when that was so.
    """

    car: Car | None
    admitted: bool = False
    going: tuple[Car, ...] = ()
    at: int = 0


@dataclass(slots=True)
class _Lane:
    """`watched`: something tells of passages there."""

    clock: Alarmclock
    watched: bool
    memory: CarMemory = field(default_factory=CarMemory)


class Cars:
    """The cars of all lanes. `changed` hears of a lane whose car is another one, with the facts that say so."""

    def __init__(self, lanes: Mapping[str, Lane], desk: Desk, changed: Callable[[str, Facts], None]) -> None:
        self._record = desk.record
        self._clock = desk.clock
        self._changed = changed
        self._lanes = {
            id: _Lane(Alarmclock(desk.timers, partial(self._tick, id)), tells_passages(lane))
            for id, lane in lanes.items()
        }

    def start(self) -> None:
        """Remembers the cars of before a restart."""
        self._recall(self._record.load_state(CARS, Kept, self._recall, merges=True))

    def _recall(self, found: dict[str, Kept]) -> None:
        facts = Facts()
        for id, kept in found.items():
            lane = self._lanes.get(id)
            if lane is None:
                continue
            if lane.memory.car is not None or lane.memory.before is not None or self._is_old(kept):
                # Nobody can tell any more whether it still stands there: whoever waits for its end must hear of one.
                for car in kept.going:
                    self._say_left(id, car, facts, let_in=True)
                if kept.car is not None:
                    self._say_left(id, kept.car, facts, let_in=kept.admitted)
                self._keep(id, facts)
                self._changed(id, facts)
                continue
            now = self._clock.monotonic()
            lane.memory = CarMemory(
                car=kept.car,
                admitted=kept.admitted,
                since=now,
                due_at=None if kept.car is None else now + UNSEEN_S,
                going=tuple((car, now + GOING_S) for car in kept.going),
            )
            self._arm(id)
        if facts:
            self._record.append(facts)

    def _is_old(self, kept: Kept) -> bool:
        return self._clock.wall_ms() - kept.at > UNSEEN_S * 1000

    def standing(self, lane: str) -> Car | None:
        """The car before the lane's barrier."""
        return self._lanes[lane].memory.car

    def item(self, lane: str) -> StandingCar | None:
        """The car before the lane's barrier, as screens show it."""
        car = self.standing(lane)
        return None if car is None else car_item(car)

    def read(self, lane: str, access: Access, facts: Facts, *, granted: bool) -> Car | None:
        """A read was decided upon, and is said; the car that stands there by it, None if another one stands there."""
        car = Car(
            plate=access.credential.value or None,
            read_at=self._clock.wall_ms(),
            picture=access.picture,
            outcome="granted" if granted else "denied",
            holder=access.holder,
            blocked=access.reason.code == "blocked_plate",
        )
        heeded = stands(self._lanes[lane].memory, car)
        facts.say("access.granted" if granted else "access.denied", lane, replace(access, stands=heeded))
        self._step(lane, CarRead(car), facts)
        return car if heeded else None

    def read_again(self, lane: str, plate: str) -> None:
        """A read told nothing new."""
        self._step_alone(lane, CarReadAgain(plate))

    def recorded(self, lane: str, car: Car | None, event: Recorded | None) -> None:
        """Where the event stands by which `car` stands there; screens hear of it."""
        if car is None or event is None:
            return
        held = self._lanes[lane]
        before = held.memory
        held.memory = placed(before, car, Subject(stream=event.stream, seq=event.seq))
        if held.memory is not before:
            facts = Facts()
            self._keep(lane, facts)
            self._changed(lane, facts)
            self._record.append(facts)

    def loop(self, lane: str, before: bool | None, facts: Facts) -> None:
        """The loop before the barrier is taken, free or unknown."""
        self._step(lane, Loop(before), facts)

    def opened(self, lane: str, car: Car | None, *, taken: bool = True) -> bool:
        """The barrier is opened for `car`, or did not take the command; whether that is news of it."""
        held = self._lanes[lane]
        admitted = held.memory.admitted
        if car is not None:
            held.memory, _ = step(held.memory, Opened(taken, car), self._clock.monotonic())
        if held.memory.admitted == admitted:
            return False
        facts = Facts()
        self._keep(lane, facts)
        self._record.append(facts)
        return True

    def passed(self, lane: str, passage: PassageMade, facts: Facts) -> None:
        """A vehicle went through."""
        after = None
        if passage.after is not None and passage.after_stream is not None:
            after = Subject(stream=passage.after_stream, seq=passage.after)
        self._step(lane, Passed(after), facts)

    def _tick(self, lane: str) -> None:
        self._step_alone(lane, Waited())

    def _step_alone(self, lane: str, event: CarEvent) -> None:
        facts = Facts()
        self._step(lane, event, facts)
        if not facts:
            return
        car = self.standing(lane)
        recording = self._record.append(facts)
        if any(draft.kind == "car.arrived" for draft in facts.drafts):
            recording.add_done_callback(partial(self._arrival_recorded, lane, car))

    def _arrival_recorded(self, lane: str, car: Car | None, recording: asyncio.Future[list[Recorded]]) -> None:
        if recording.cancelled() or recording.exception() is not None:
            return
        arrived = (event for event in recording.result() if event.kind == "car.arrived")
        self.recorded(lane, car, next(arrived, None))

    def _step(self, id: str, event: CarEvent, facts: Facts) -> None:
        lane, now = self._lanes[id], self._clock.monotonic()
        before = lane.memory
        lane.memory, effects = step(before, event, now)
        self._arm(id)
        for effect in effects:
            match effect:
                case Arrived(car):
                    arrived = CarArrived(
                        plate=car.plate, holder=car.holder, picture=car.picture, outcome=car.outcome,
                        blocked=car.blocked, reason=reason("car_unread" if car.plate is None else "car_again"),
                    )  # fmt: skip
                    facts.say("car.arrived", id, arrived)
                case Left(car):
                    self._say_left(id, car, facts, let_in=let_in(before, car))
        if lane.memory.going != before.going:
            self._keep(id, facts)
        if lane.memory.car is not before.car:
            self._keep(id, facts)
            if Thing("lane", id) not in facts.changed:
                self._changed(id, facts)

    def _say_left(self, id: str, car: Car, facts: Facts, *, let_in: bool) -> None:
        place = car.place
        left = CarLeft(
            after=None if place is None else place.seq,
            after_stream=None if place is None else place.stream,
            plate=car.plate,
            watched=not let_in or self._lanes[id].watched,
        )
        facts.say("car.left", id, left)

    def _keep(self, id: str, facts: Facts) -> None:
        memory = self._lanes[id].memory
        going = tuple(car for car, _ in memory.going)
        nothing = memory.car is None and not going
        facts.keep(CARS, id, None if nothing else Kept(memory.car, memory.admitted, going, self._clock.wall_ms()))

    def _arm(self, id: str) -> None:
        lane = self._lanes[id]
        wake = next_wake(lane.memory)
        lane.clock.arm(None if wake is None else wake - self._clock.monotonic())


def car_item(car: Car) -> StandingCar:
    """A car as screens show it."""
    return {
        "plate": car.plate,
        "read_at": None if car.read_at is None else instant(car.read_at),
        "picture": car.picture,
        "stream": None if car.place is None else car.place.stream,
        "seq": None if car.place is None else car.place.seq,
        "outcome": car.outcome,
        "holder": car.holder,
        "blocked": car.blocked,
    }
