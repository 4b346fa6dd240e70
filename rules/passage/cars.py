"""The car that stands before a barrier now: read, not read in time, gone through, gone away.

Times are monotonic seconds. A car is shown for as long as it stands there and no longer: what was read of one car says
nothing of the next. It has gone when a passage names it, or the loop before the barrier is free again; where nobody can
see it leave, after a bounded time. One that was let in is on its way through then, and a passage will name it: without
one it has left. `step` says what to record, `next_wake` when time alone changes something.

A camera may be sooner than the loop, by as long as the loop's device takes to be asked, and up to where it sees cars
come from: a car that was read and is not on the loop yet is still coming, for `APPROACH_S`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from contract.commands import Subject

READ_WITHIN_S = 3.0
"""A car on the loop that was not read by then is one that the camera does not know."""

APPROACH_S = 30.0
"""A car that was read and has not come onto the loop by then has turned away."""

UNSEEN_S = 120.0
"""Where no loop tells, a car counts as standing there for so long after its read."""

SETTLES_S = 2.0
"""A loop that becomes free so soon after a read tells of the car before: they came close together."""


GOING_S = 60.0
"""A car that was let in and drove off the loop is through by then, or has left."""

GOING_LIMIT = 8
"""Cars on their way through at the most."""


@dataclass(frozen=True, slots=True)
class Car:
    """A car before the barrier. `plate`: None if it was not read. `read_at`: Unix ms. `outcome`: what was decided.

    `place`: the event by which it stands there, None as long as that is not recorded.
    """

    plate: str | None = None
    read_at: int | None = None
    picture: str | None = None
    outcome: Literal["granted", "denied"] | None = None
    holder: str | None = None
    blocked: bool = False
    place: Subject | None = None


@dataclass(frozen=True, slots=True)
class CarMemory:
    """What a lane remembers of its car. `on_loop`: the loop has seen it. `admitted`: the barrier was opened for it.

    `before`: the loop before the barrier, None if there is none or it cannot be trusted. `last`: the car of before.
    `due_at`: when time ends what it waits for. `going`: who was let in and is on the way through, and until when.
    """

    car: Car | None = None
    on_loop: bool = False
    admitted: bool = False
    since: float = 0.0
    before: bool | None = None
    due_at: float | None = None
    last: Car | None = None
    going: tuple[tuple[Car, float], ...] = ()


class CarRead(NamedTuple):
    """A plate was read and decided upon, or the camera saw a car without one."""

    car: Car


class CarReadAgain(NamedTuple):
    """The same plate was read again, and nothing new was decided."""

    plate: str


class Loop(NamedTuple):
    """Whether the loop before the barrier is taken; None: there is none, or it cannot be trusted."""

    before: bool | None


class Opened(NamedTuple):
    """The barrier is opened for the car that stands there; `taken` False: it did not take the command.

    `car`: for which one it is, None: whichever stands there.
    """

    taken: bool = True
    car: Car | None = None


class Passed(NamedTuple):
    """A vehicle went through, after the decision at that place (None: nobody knows which)."""

    after: Subject | None


class Waited(NamedTuple):
    """Time passed (`due_at` came)."""


CarEvent = CarRead | CarReadAgain | Loop | Opened | Passed | Waited


class Arrived(NamedTuple):
    """`car.arrived`: it stands there without a decision of now."""

    car: Car


class Left(NamedTuple):
    """`car.left`: it has gone without a passage."""

    car: Car


CarEffect = Arrived | Left


def step(memory: CarMemory, event: CarEvent, now: float) -> tuple[CarMemory, tuple[CarEffect, ...]]:
    """The lane's car after `event` at `now`, and what to record."""
    match event:
        case CarRead(car):
            return _read(memory, car, now)
        case CarReadAgain(plate):
            return _read_again(memory, plate, now)
        case Loop(before):
            return _loop(memory, before, now)
        case Opened(taken, car):
            meant = memory.car is not None and (car is None or _same(memory.car, car))
            return replace(memory, admitted=taken) if meant else memory, ()
        case Passed(after):
            return _passed(memory, after, now), ()
        case Waited():
            return _tick(memory, now)


def next_wake(memory: CarMemory) -> float | None:
    """When time alone will change something, in monotonic seconds."""
    moments = [until for _, until in memory.going]
    return min(moments if memory.due_at is None else [*moments, memory.due_at], default=None)


def placed(memory: CarMemory, car: Car, place: Subject) -> CarMemory:
    """The memory once it is known where the event was recorded by which `car` stands there, or stood."""
    if memory.car is car:
        return replace(memory, car=replace(car, place=place))
    if all(each is not car for each, _ in memory.going):
        return memory
    going = tuple((replace(each, place=place) if each is car else each, until) for each, until in memory.going)
    return replace(memory, going=going)


def _same(car: Car, other: Car) -> bool:
    """Whether it is the same car, whether or not it is recorded where it stands by."""
    return replace(car, place=None) == replace(other, place=None)


def stands(memory: CarMemory, car: Car) -> bool:
    """Whether `car`, read now, is the one that stands there from now on.

    On a loop that was never free since, it may be a worse read of the car that stands there: no plate is no news of
    one, and what does not let in takes nobody off the block list.
    """
    was = memory.car
    if was is None or not memory.on_loop:
        return True
    if car.plate is None and was.plate is not None:
        return False
    better = car.outcome == "granted" or (car.blocked and car.plate == was.plate)
    return not was.blocked or memory.admitted or better


def let_in(memory: CarMemory, car: Car) -> bool:
    """Whether the barrier was opened for `car`, which stands there or is on its way through."""
    return (memory.admitted and memory.car is car) or any(each is car for each, _ in memory.going)


def _read(memory: CarMemory, car: Car, now: float) -> tuple[CarMemory, tuple[CarEffect, ...]]:
    if not stands(memory, car):
        return memory, ()
    was, on_loop = memory.car, memory.before is True
    effects: tuple[CarEffect, ...] = ()
    # On a loop that was never free in between it is the same car, read better; so is the same plate.
    if was is not None and not memory.on_loop:
        if memory.admitted:
            memory, _ = _gone(memory, now)
        elif was.plate != car.plate:
            effects = (Left(was),)
    return _standing(memory, car, now, on_loop=on_loop), effects


def _read_again(memory: CarMemory, plate: str, now: float) -> tuple[CarMemory, tuple[CarEffect, ...]]:
    last, unread = memory.last, memory.car is None or memory.car.plate is None
    if memory.before is not True or not unread or last is None or last.plate != plate:
        return memory, ()
    car = replace(last, place=None)
    return _standing(memory, car, now, on_loop=True), (Arrived(car),)


def _standing(memory: CarMemory, car: Car, now: float, *, on_loop: bool) -> CarMemory:
    due_at = None if on_loop else now + (UNSEEN_S if memory.before is None else APPROACH_S)
    return replace(memory, car=car, on_loop=on_loop, admitted=False, since=now, due_at=due_at)


def _without(memory: CarMemory) -> CarMemory:
    return replace(memory, car=None, last=memory.car, on_loop=False, admitted=False, due_at=None)


def _gone(memory: CarMemory, now: float) -> tuple[CarMemory, tuple[CarEffect, ...]]:
    """Without its car; whoever was let in is on the way through, which a passage will tell."""
    car = memory.car
    if car is None:
        return memory, ()
    if not memory.admitted:
        return _without(memory), (Left(car),)
    going = (*memory.going, (car, now + GOING_S))[-GOING_LIMIT:]
    return replace(_without(memory), going=going), ()


def _loop(memory: CarMemory, before: bool | None, now: float) -> tuple[CarMemory, tuple[CarEffect, ...]]:
    was, memory = memory.before, replace(memory, before=before)
    if was == before:
        return memory, ()
    if before is None:
        return replace(memory, on_loop=False, due_at=None if memory.car is None else now + UNSEEN_S), ()
    if before:
        if memory.car is None:
            return replace(memory, due_at=now + READ_WITHIN_S), ()
        return replace(memory, on_loop=True, due_at=None), ()
    car = memory.car
    if car is None:
        return replace(memory, due_at=None), ()
    if not memory.on_loop:
        return replace(memory, due_at=now + APPROACH_S), ()
    if car.plate is not None and not memory.admitted and now - memory.since < SETTLES_S:
        return replace(memory, on_loop=False, due_at=now + APPROACH_S), ()
    return _gone(memory, now)


def _passed(memory: CarMemory, after: Subject | None, now: float) -> CarMemory:
    for place, (car, _) in enumerate(memory.going):
        if after in {None, car.place} or car.place is None:
            return replace(memory, going=memory.going[:place] + memory.going[place + 1 :])
    if memory.car is None:
        return memory
    named = after is not None and after == memory.car.place
    unnamed = memory.admitted and (after is None or memory.car.place is None) and not memory.on_loop
    if not (named or unnamed):
        return memory
    # Whoever is on the loop by now came close behind.
    return replace(_without(memory), due_at=now + READ_WITHIN_S if memory.before is True else None)


def _tick(memory: CarMemory, now: float) -> tuple[CarMemory, tuple[CarEffect, ...]]:
    late = tuple(Left(car) for car, until in memory.going if until <= now)
    memory = replace(memory, going=tuple(each for each in memory.going if each[1] > now))
    if memory.due_at is None or now < memory.due_at:
        return memory, late
    memory = replace(memory, due_at=None)
    if memory.car is not None:
        # Nobody saw it leave: if it was let in, no passage will be told of it any more either.
        return _without(memory), (*late, Left(memory.car))
    if memory.before is not True:
        return memory, late
    car = Car()
    return _standing(memory, car, now, on_loop=True), (*late, Arrived(car))
