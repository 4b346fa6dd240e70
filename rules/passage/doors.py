"""A door as a state machine: what its contact, its releases and time make of it.

The table says every legal move; whatever it does not name changes nothing. Times are monotonic seconds. The machine
says what happened and when it wants to be asked again (`next_wake`); locks are driven by the gateway.

A lost contact moves nothing: alarms neither rise nor clear while nobody can see the door.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from contract.facts.entry import Direction, OpenedBy, Presented

State = Literal["unknown", "closed", "released", "open", "held", "forced"]
What = Literal["release", "opens", "closes", "relocked", "overdue"]
Contact = Literal["open", "closed", "unknown"]
Lock = Literal["locked", "released"]
Mode = Literal["normal", "unlocked", "locked"]
By = OpenedBy | Literal["exit"]
Cause = Literal["door.forced", "door.held"]

TRANSITIONS: dict[tuple[State, What], State] = {
    # At the first sight of an open door nobody knows who opened it: no alarm but the one for standing open.
    ("unknown", "release"): "released",
    ("unknown", "opens"): "open",
    ("unknown", "closes"): "closed",
    ("closed", "release"): "released",
    ("closed", "opens"): "forced",
    ("released", "release"): "released",
    ("released", "opens"): "open",
    ("released", "relocked"): "closed",
    ("open", "release"): "open",
    ("open", "closes"): "closed",
    ("open", "overdue"): "held",
    ("held", "release"): "held",
    ("held", "closes"): "closed",
    # A release while it stands forced does not make the break-in undone; closing ends it.
    ("forced", "release"): "forced",
    ("forced", "closes"): "closed",
}

ALARMS: dict[State, Cause] = {"held": "door.held", "forced": "door.forced"}
"""The alarm that a state raises on entering and clears on leaving."""

GRACE_S = 2.0
"""A door that opens this long after its lock closed again was opened in time: contacts are polled, people are slow."""


@dataclass(frozen=True, slots=True)
class DoorTraits:
    """What the site file says of a door."""

    release_s: float = 5.0
    held_s: float = 30.0
    has_contact: bool = True


@dataclass(frozen=True, slots=True)
class Release:
    """Who let the lock go, and for how long (`for_s` None: the door's own time).

    `after`, `after_stream`: seq and stream of the decision's event, None if none was taken.
    """

    by: Literal["decision", "command", "exit"]
    direction: Direction = "in"
    after: int | None = None
    credential: Presented | None = None
    holder: str | None = None
    for_s: float | None = None
    after_stream: str | None = None


class ContactSeen(NamedTuple):
    """The contact's point was read; "unknown" if its value cannot be trusted."""

    contact: Contact


class ModeSet(NamedTuple):
    """The door's mode was changed."""

    mode: Mode


class Tick(NamedTuple):
    """Time passed (`next_wake` came)."""


DoorEvent = Release | ContactSeen | ModeSet | Tick


class Opened(NamedTuple):
    """`door.opened`."""

    by: By


class Closed(NamedTuple):
    """`door.closed`; `by` as it was opened."""

    by: By


class Passage(NamedTuple):
    """`passage.made`."""

    release: Release


class Raise(NamedTuple):
    """The alarm of this cause begins."""

    cause: Cause


class Clear(NamedTuple):
    """The alarm of this cause ends."""

    cause: Cause


class LockChanged(NamedTuple):
    """What the lock is now, for the screens."""

    lock: Lock


DoorEffect = Opened | Closed | Passage | Raise | Clear | LockChanged


@dataclass(frozen=True, slots=True)
class DoorMemory:
    """What a door remembers. `relock_at`, `forgive_until`, `held_at`: monotonic seconds, None: not running."""

    state: State = "unknown"
    contact: Contact = "unknown"
    mode: Mode = "normal"
    release: Release | None = None
    passed: bool = False
    opened_by: By = "unknown"
    relock_at: float | None = None
    forgive_until: float | None = None
    held_at: float | None = None


def step(
    traits: DoorTraits, memory: DoorMemory, event: DoorEvent, now: float
) -> tuple[DoorMemory, tuple[DoorEffect, ...]]:
    """The door after `event` at `now`, and what to record. Due times are settled first, in their order."""
    effects: list[DoorEffect] = []
    memory = _settle(memory, now, effects)
    match event:
        case Release():
            memory = _released(traits, memory, event, now, effects)
        case ContactSeen(contact):
            memory = _contact(traits, memory, contact, now, effects)
        case ModeSet(mode):
            memory = _mode(traits, memory, mode, now, effects)
        case Tick():
            pass
    return memory, tuple(effects)


def lock_of(memory: DoorMemory) -> Lock:
    """Whether the lock lets people through."""
    return "released" if memory.mode == "unlocked" or memory.relock_at is not None else "locked"


def next_wake(memory: DoorMemory) -> float | None:
    """When time alone will change something, in monotonic seconds."""
    times = [at for at in (memory.relock_at, memory.forgive_until, memory.held_at) if at is not None]
    return min(times, default=None)


def _settle(memory: DoorMemory, now: float, effects: list[DoorEffect]) -> DoorMemory:
    if memory.relock_at is not None and now >= memory.relock_at:
        memory = _locked_as(memory, replace(memory, relock_at=None), effects)
    if memory.forgive_until is not None and now >= memory.forgive_until:
        memory = _moved(replace(memory, forgive_until=None), "relocked", effects)
        if memory.state == "closed" and memory.contact == "unknown":
            # Nobody saw whether it stands open: its next sight is a first sight.
            memory = replace(memory, state="unknown")
    if memory.held_at is not None and now >= memory.held_at:
        memory = _moved(replace(memory, held_at=None), "overdue", effects)
    return memory


def _released(
    traits: DoorTraits, memory: DoorMemory, release: Release, now: float, effects: list[DoorEffect]
) -> DoorMemory:
    until = now + (traits.release_s if release.for_s is None else release.for_s)
    relock_at = max(until, memory.relock_at or until)
    after = replace(memory, release=release, passed=False, relock_at=relock_at, forgive_until=relock_at + GRACE_S)
    after = _moved(_locked_as(memory, after, effects), "release", effects)
    if after.state == "open":
        # Somebody is let in through the open door: they have gone through, and the door may stay open anew.
        after = _pass(replace(after, held_at=_held_at(traits, after, now)), effects)
    return after


def _contact(
    traits: DoorTraits, memory: DoorMemory, contact: Contact, now: float, effects: list[DoorEffect]
) -> DoorMemory:
    if contact == memory.contact:
        return memory
    first = memory.state == "unknown"
    memory = replace(memory, contact=contact)
    if contact == "unknown":
        return replace(memory, held_at=None)
    if contact == "open":
        return _opens(traits, memory, now, effects, first=first)
    return _closes(memory, now, effects, first=first)


def _opens(traits: DoorTraits, memory: DoorMemory, now: float, effects: list[DoorEffect], *, first: bool) -> DoorMemory:
    if memory.state in {"open", "held", "forced"}:
        # It was open before the contact was lost: it goes on, with its time from now.
        return replace(memory, held_at=_held_at(traits, memory, now)) if memory.state == "open" else memory
    by: By = "unknown"
    if memory.mode == "unlocked":
        by = "free"
    elif memory.state == "released" and memory.release is not None:
        by = memory.release.by
    if memory.mode == "unlocked" and memory.state == "closed":
        memory = replace(memory, state="released")
    memory = replace(memory, opened_by=by)
    if not first:
        effects.append(Opened(by))
    memory = _moved(memory, "opens", effects)
    if memory.state != "open":
        return memory
    memory = replace(memory, held_at=_held_at(traits, memory, now))
    return memory if by in {"free", "unknown"} else _pass(memory, effects)


def _closes(memory: DoorMemory, now: float, effects: list[DoorEffect], *, first: bool) -> DoorMemory:
    was_open = memory.state in {"open", "held", "forced"}
    if was_open and not first:
        effects.append(Closed(memory.opened_by))
    memory = replace(memory, held_at=None)
    if was_open or memory.state == "unknown":
        memory = _moved(memory, "closes", effects)
    if memory.state == "closed" and memory.forgive_until is not None and now < memory.forgive_until:
        # The lock is still let go: whoever pulls again does not force the door.
        memory = replace(memory, state="released")
    return memory


def _mode(traits: DoorTraits, memory: DoorMemory, mode: Mode, now: float, effects: list[DoorEffect]) -> DoorMemory:
    after = _locked_as(memory, replace(memory, mode=mode), effects)
    if mode == "unlocked":
        if after.state in {"held", "forced"}:
            effects.append(Clear(ALARMS[after.state]))
            after = replace(after, state="open")
        return replace(after, held_at=None)
    if memory.mode == "unlocked" and after.state == "released" and after.forgive_until is None:
        return replace(after, state="closed")
    if after.state == "open":
        return replace(after, held_at=after.held_at or _held_at(traits, after, now))
    return after


def _pass(memory: DoorMemory, effects: list[DoorEffect]) -> DoorMemory:
    if memory.release is None or memory.passed:
        return memory
    effects.append(Passage(memory.release))
    return replace(memory, passed=True)


def _moved(memory: DoorMemory, what: What, effects: list[DoorEffect]) -> DoorMemory:
    to = TRANSITIONS.get((memory.state, what), memory.state)
    if to == memory.state:
        return memory
    if memory.state in ALARMS:
        effects.append(Clear(ALARMS[memory.state]))
    if to in ALARMS:
        effects.append(Raise(ALARMS[to]))
    return replace(memory, state=to)


def _locked_as(before: DoorMemory, after: DoorMemory, effects: list[DoorEffect]) -> DoorMemory:
    if lock_of(before) != lock_of(after):
        effects.append(LockChanged(lock_of(after)))
    return after


def _held_at(traits: DoorTraits, memory: DoorMemory, now: float) -> float | None:
    return None if memory.mode == "unlocked" else now + traits.held_s
