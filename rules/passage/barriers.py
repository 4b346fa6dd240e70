"""A lane's barrier as a state machine: what commands, end contacts, loops and time make of it.

Times are monotonic seconds. The machine says what happened and when it wants to be asked again (`next_wake`); the
barrier is driven by the gateway. A vehicle has passed when the loop under the barrier was taken and is free again; a
lane without that loop counts the passage when the barrier is down again; without end contacts too it counts none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from contract.facts.entry import OpenedBy, Presented

Position = Literal["down", "moving", "up", "unknown"]
Goal = Literal["up", "down"]

WAITING_LIMIT = 8
"""Vehicles that were let in and have not passed yet; more do not fit between loop and barrier."""


@dataclass(frozen=True, slots=True)
class LaneTraits:
    """What the site file says of a lane's barrier. `travel_s`: longer from end to end, and it counts as stuck."""

    has_position: bool = True
    has_loop_under: bool = True
    travel_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Admission:
    """Why the barrier was opened: by the decision whose event is `after` of `after_stream`, or by the command's id."""

    by: OpenedBy
    after: int | None = None
    command: str | None = None
    credential: Presented | None = None
    holder: str | None = None
    after_stream: str | None = None


class Opening(NamedTuple):
    """The barrier was told to open."""

    admission: Admission


class Closing(NamedTuple):
    """The barrier was told to close; `command`: id of the command, None if the gateway closed it by itself."""

    command: str | None = None


class PositionSeen(NamedTuple):
    """Where the barrier is; "unknown" if its points cannot be trusted."""

    position: Position


class LoopsSeen(NamedTuple):
    """Whether the loops are taken; None: there is none, or its value cannot be trusted."""

    before: bool | None
    under: bool | None


class Tick(NamedTuple):
    """Time passed (`next_wake` came)."""


class Untaken(NamedTuple):
    """The barrier refused to go to `goal`, or did not answer. `admission`: for whom it was asked, None: the last."""

    goal: Goal
    admission: Admission | None = None


class Taken(NamedTuple):
    """The barrier took a command, or answers again: an earlier refusal is over."""


LaneEvent = Opening | Closing | PositionSeen | LoopsSeen | Tick | Untaken | Taken


class Opened(NamedTuple):
    """`barrier.opened`: it reached its upper end."""

    by: OpenedBy
    command: str | None


class Closed(NamedTuple):
    """`barrier.closed`: it reached its lower end."""

    by: OpenedBy
    command: str | None


class Passage(NamedTuple):
    """`passage.made`. `admission` None: nobody had let that vehicle in. `last`: nobody else is waiting to pass."""

    admission: Admission | None
    last: bool


class Raise(NamedTuple):
    """The alarm `barrier.stuck` begins; `goal` is where the barrier should have been."""

    goal: Goal


class Clear(NamedTuple):
    """The alarm `barrier.stuck` ends."""


LaneEffect = Opened | Closed | Passage | Raise | Clear


@dataclass(frozen=True, slots=True)
class LaneMemory:
    """What a lane remembers. `due_at`: when the barrier must have reached `goal`, monotonic seconds.

    `stuck`: the alarm stands; `untaken`: because a command was refused, not because the barrier did not arrive.
    `waiting`: admissions whose vehicles have not passed. `opened_by`: the last admission, for the barrier's events.
    """

    position: Position = "unknown"
    before: bool | None = None
    under: bool | None = None
    goal: Goal | None = None
    due_at: float | None = None
    stuck: bool = False
    untaken: bool = False
    waiting: tuple[Admission, ...] = ()
    opened_by: Admission | None = None
    closed_by: str | None = None
    last_end: Goal | None = None


def step(
    traits: LaneTraits, memory: LaneMemory, event: LaneEvent, now: float
) -> tuple[LaneMemory, tuple[LaneEffect, ...]]:
    """The lane after `event` at `now`, and what to record."""
    effects: list[LaneEffect] = []
    memory = _settle(memory, now, effects)
    match event:
        case Opening(admission):
            memory = _opening(traits, memory, admission, now)
        case Closing(command):
            memory = _closing(traits, memory, command, now)
        case PositionSeen(position):
            memory = _position(traits, memory, position, now, effects)
        case LoopsSeen():
            memory = _loops(traits, memory, event, now, effects)
        case Untaken(goal, admission):
            memory = _refused(memory, goal, admission or memory.opened_by, effects)
        case Taken():
            memory = _taken(memory, effects)
        case Tick():
            pass
    return memory, tuple(effects)


def next_wake(memory: LaneMemory) -> float | None:
    """When time alone will change something, in monotonic seconds."""
    return memory.due_at


def position_of(up: bool | None, down: bool | None) -> Position:
    """Where the end contacts say the barrier is; a contact that is not wired or not trusted is None."""
    if up and down:
        return "unknown"
    if up:
        return "up"
    if down:
        return "down"
    return "moving" if up is False and down is False else "unknown"


def _settle(memory: LaneMemory, now: float, effects: list[LaneEffect]) -> LaneMemory:
    if memory.due_at is None or now < memory.due_at:
        return memory
    memory = replace(memory, due_at=None)
    if memory.stuck or memory.position == "unknown" or (memory.goal is None and memory.position != "moving"):
        return memory
    # Set in motion by hand or by its own controller, it was on its way to the other end.
    effects.append(Raise(memory.goal or ("up" if memory.last_end == "down" else "down")))
    return replace(memory, stuck=True)


def _opening(traits: LaneTraits, memory: LaneMemory, admission: Admission, now: float) -> LaneMemory:
    # Who is let in twice, by a decision and then by hand, passes once.
    known = admission.after is not None and any(
        (each.after, each.after_stream) == (admission.after, admission.after_stream) for each in memory.waiting
    )
    waiting = memory.waiting if known else (*memory.waiting, admission)[-WAITING_LIMIT:]
    memory = replace(memory, waiting=waiting, opened_by=admission, closed_by=None)
    return _towards(traits, memory, "up", now)


def _closing(traits: LaneTraits, memory: LaneMemory, command: str | None, now: float) -> LaneMemory:
    return _towards(traits, replace(memory, closed_by=command), "down", now)


def _refused(memory: LaneMemory, goal: Goal, asked: Admission | None, effects: list[LaneEffect]) -> LaneMemory:
    if not memory.stuck:
        effects.append(Raise(goal))
    # It is not on its way, and whoever asked is not let in: they ask again. Who was let in before stays let in.
    waiting = tuple(each for each in memory.waiting if goal == "down" or each is not asked)
    return replace(memory, goal=None, due_at=None, stuck=True, untaken=True, waiting=waiting)


def _taken(memory: LaneMemory, effects: list[LaneEffect]) -> LaneMemory:
    if not memory.untaken:
        return memory
    effects.append(Clear())
    return replace(memory, stuck=False, untaken=False)


def _towards(traits: LaneTraits, memory: LaneMemory, goal: Goal, now: float) -> LaneMemory:
    if memory.position == goal:
        return replace(memory, goal=None, due_at=None)
    return replace(memory, goal=goal, due_at=now + traits.travel_s if traits.has_position else None)


def _position(
    traits: LaneTraits, memory: LaneMemory, position: Position, now: float, effects: list[LaneEffect]
) -> LaneMemory:
    if position == memory.position:
        return memory
    memory = replace(memory, position=position)
    if position == "unknown":
        return memory
    if position == "moving":
        # By hand or by its own controller too: once it moves, it must arrive somewhere.
        return memory if memory.due_at is not None else replace(memory, due_at=now + traits.travel_s)
    return _arrived(traits, memory, position, effects)


def _arrived(traits: LaneTraits, memory: LaneMemory, end: Goal, effects: list[LaneEffect]) -> LaneMemory:
    first, same = memory.last_end is None, memory.last_end == end
    memory = replace(memory, last_end=end)
    if memory.goal in {end, None}:
        memory = replace(memory, goal=None, due_at=None)
        if memory.stuck:
            effects.append(Clear())
            memory = replace(memory, stuck=False, untaken=False)
    if first and end == "down":
        return memory
    opened = memory.opened_by
    by: OpenedBy = "unknown" if opened is None else opened.by
    if end == "up":
        if not same:
            effects.append(Opened(by, None if opened is None else opened.command))
        return memory
    if not same:
        effects.append(Closed("command" if memory.closed_by else by, memory.closed_by))
    if memory.goal == "up":
        return memory
    if not traits.has_loop_under and not same:
        for place, admission in enumerate(memory.waiting, start=1):
            effects.append(Passage(admission, last=place == len(memory.waiting)))
    # Whoever was let in and did not drive through has to ask again.
    return replace(memory, waiting=(), opened_by=None, closed_by=None)


def _loops(
    traits: LaneTraits, memory: LaneMemory, seen: LoopsSeen, now: float, effects: list[LaneEffect]
) -> LaneMemory:
    was = memory.under
    memory = replace(memory, before=seen.before, under=seen.under)
    if seen.under and memory.goal == "down" and memory.due_at is not None:
        # The barrier rightly waits for the vehicle below it.
        memory = replace(memory, due_at=now + traits.travel_s)
    if not (was is True and seen.under is False) or memory.position == "down":
        return memory
    admission = memory.waiting[0] if memory.waiting else None
    rest = memory.waiting[1:]
    effects.append(Passage(admission, last=not rest))
    return replace(memory, waiting=rest)
