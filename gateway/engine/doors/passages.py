"""How each door stands and moves: its lock, its contact, its exit button, its mode. Who may pass is decided elsewhere.

The door's own machine is `rules.passage.doors`: what was seen or asked goes in, what is to be said comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import structlog

from config.site import Door, Input, Site
from contract.commands import Person
from contract.facts.entry import DoorModeSet, DoorMoved, DoorReleased, PassageMade
from contract.instants import instant
from contract.readings import Reading
from drivers.bus import CommandFailed
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.layout import contact_point
from gateway.engine.desk.record import Facts, Thing
from gateway.engine.desk.timers import Alarmclock
from gateway.engine.doors.locks import LOCK_WITHIN_S, DoorLock
from gateway.engine.doors.modes import DoorSaved, mode_asked, mode_left_s, mode_term
from rules.commands import DOOR_COMMANDS
from rules.passage.doors import (
    ALARMS,
    Clear,
    Closed,
    Contact,
    ContactSeen,
    DoorEffect,
    DoorEvent,
    DoorMemory,
    DoorTraits,
    Lock,
    LockChanged,
    Mode,
    ModeSet,
    Opened,
    Passage,
    Raise,
    Release,
    Tick,
    lock_of,
    next_wake,
    step,
)
from web import shapes

log = structlog.get_logger(__name__)

WAITING_LIMIT = 8
"""Credentials of one door that wait for the journal or the lock at the most, and presses of its exit button that wait
for the lock: whoever presses on top of these is let out by one of them."""


@dataclass(slots=True)
class _Standing:
    """One door as it is now. `at`: Unix ms of its last change."""

    door: Door
    traits: DoorTraits
    clock: Alarmclock
    term: Alarmclock
    lock: DoorLock
    saved: DoorSaved = field(default_factory=DoorSaved)
    memory: DoorMemory = field(default_factory=DoorMemory)
    at: int = 0
    waiting: int = 0
    exits: int = 0
    pressed: bool = False


class DoorPassages:
    """All doors of the site."""

    def __init__(self, site: Site, desk: Desk, alarms: Alarms) -> None:
        self._site = site.site
        self._desk = desk
        self._points = desk.points
        self._names = desk.names
        self._alarms = alarms
        self._record = desk.record
        self._errands = desk.errands
        self._readings = desk.readings
        self._clock = desk.clock
        self._doors = {id: self._standing(id, door) for id, door in site.doors.items()}
        self._lost: set[str] = set()
        self._contacts: dict[str, list[str]] = {}
        self._buttons: dict[str, list[str]] = {}
        self._outputs: dict[str, list[str]] = {}
        for id, door in site.doors.items():
            self._outputs.setdefault(self._doors[id].lock.point, []).append(id)
            if door.contact is not None:
                self._contacts.setdefault(contact_point(door.contact), []).append(id)
            if door.exit_button is not None:
                self._buttons.setdefault(contact_point(door.exit_button), []).append(id)

    @property
    def lock_failures(self) -> int:
        """How often a board did not do with a lock what was asked."""
        return sum(standing.lock.failures for standing in self._doors.values())

    def __contains__(self, door: str) -> bool:
        return door in self._doors

    # --- What contacts, buttons and boards say

    def points_changed(self, points: list[str], facts: Facts) -> None:
        """Contacts, exit buttons and locks among the points that have another value or quality."""
        for point in points:
            for id in self._contacts.get(point, ()):
                self._contact_seen(id, facts)
            for id in self._buttons.get(point, ()):
                self._button_seen(id)
            for id in self._outputs.get(point, ()):
                self._doors[id].lock.seen()

    def lock_lost(self, device: str, facts: Facts) -> None:
        """A board with locks fell silent: nobody knows any more how they stand."""
        self._lost.add(device)
        for id, standing in self._doors.items():
            if standing.lock.device == device:
                self._changed(id, facts)

    def lock_found(self, device: str, facts: Facts) -> None:
        """A board with locks answers (again): a door that stands unlocked is let go, any other must be locked."""
        was_lost = device in self._lost
        self._lost.discard(device)
        for id, standing in self._doors.items():
            if standing.lock.device == device:
                if was_lost:
                    self._changed(id, facts)
                standing.lock.found(facts)

    # --- What people command

    async def unlock(self, door: str, command: str, within_s: float) -> None:
        """Lets the lock go once; `CommandFailed` if the board did not."""
        standing = self._doors[door]
        facts = Facts()
        if standing.memory.mode != "unlocked":
            try:
                await standing.lock.pulse(within_s, facts)
            finally:
                if facts:
                    self._record.append(facts)
        facts = Facts()
        facts.say("door.released", door, DoorReleased(by="command", for_s=standing.door.release_s, command=command))
        self._step(door, Release(by="command"), facts)
        await self._record.append(facts)

    async def set_mode(self, door: str, mode: Mode, by: Person, within_s: float, for_s: float | None = None) -> None:
        """Records the mode, then drives the lock accordingly; `CommandFailed` if the board did not follow.

        `for_s`: how long it lasts; None: until somebody ends it.
        """
        asked = mode_asked(mode, by, self._clock.wall_ms(), for_s)
        until = None if asked.until is None else instant(asked.until)
        said = DoorModeSet(mode=mode, by=by.id, until=until, person=by)
        await self._turn(door, asked, said, within_s)

    # --- What is let go

    async def release(self, id: str, release: Release) -> bool:
        """Sends the pulse first: everything else about it can wait for a moment. Whether the lock was let go."""
        standing = self._doors[id]
        facts = Facts()
        self._step(id, release, facts)
        try:
            if standing.memory.mode != "unlocked":
                await standing.lock.pulse(LOCK_WITHIN_S, facts)
        except CommandFailed as failure:
            log.warning("lock was not let go", door=id, why=str(failure))
            return False
        finally:
            if facts:
                self._record.append(facts)
        return True

    # --- What people see

    def item(self, door: str) -> shapes.Door:
        """The door as the REST interface and the live stream show it."""
        standing = self._doors[door]
        since, until, by = mode_term(standing.saved)
        return {
            "id": door,
            "site": self._site,
            "lock": self._lock(standing),
            "contact": standing.memory.contact,
            "mode": standing.memory.mode,
            "mode_since": since,
            "mode_until": until,
            "mode_by": by,
            "at": instant(standing.at),
            "can": [*DOOR_COMMANDS],
        }

    def ids(self) -> list[str]:
        """All doors."""
        return list(self._doors)

    # --- Inside

    def _take_up(self, facts: Facts) -> None:
        """The start: the mode that was recorded last; what nobody can see any more is not alarmed any more."""
        for id, saved in self._record.load_state("door", DoorSaved, self._modes_late).items():
            if id in self._doors:
                self._doors[id].memory = DoorMemory(mode=saved.mode)
                self._hold_mode(id, saved)
        now = self._clock.wall_ms()
        for id, standing in self._doors.items():
            standing.at = now
            self._readings(self._state_readings(id))
            if standing.door.contact is None:  # it may have had one before: nobody sees any more that it is closed
                for cause in ALARMS.values():
                    self._alarms.clear_cause(built_in_key(cause, id), facts)

    def _modes_late(self, found: dict[str, DoorSaved]) -> None:
        """The disk gives long after the start in which mode a door stood, and nobody has set it since."""
        facts = Facts()
        for id, saved in found.items():
            if id not in self._doors or self._doors[id].memory.mode == saved.mode:
                continue
            self._hold_mode(id, saved)
            lock = self._doors[id].lock
            self._step(id, ModeSet(saved.mode), facts)
            self._changed(id, facts)
            if self._desk.buses.online(lock.device):
                lock.follow()
        if facts:
            self._record.append(facts)

    def _standing(self, id: str, door: Door) -> _Standing:
        traits = DoorTraits(release_s=door.release_s, held_s=door.held_s, has_contact=door.contact is not None)
        return _Standing(
            door,
            traits,
            clock=Alarmclock(self._desk.timers, lambda: self._tick(id)),
            term=Alarmclock(self._desk.timers, lambda: self._mode_over(id)),
            lock=DoorLock(id, door, lambda: self._doors[id].memory, self._desk, self._alarms),
        )

    async def _turn(self, door: str, saved: DoorSaved, said: DoorModeSet, within_s: float) -> None:
        standing = self._doors[door]
        before = standing.memory.mode
        facts = Facts()
        facts.say("door.mode_set", door, said)
        facts.keep("door", door, saved)
        self._hold_mode(door, saved)
        self._step(door, ModeSet(saved.mode), facts)
        self._changed(door, facts)
        await self._record.append(facts)
        if "unlocked" in (before, saved.mode):
            await standing.lock.set(released=saved.mode == "unlocked", within_s=within_s)

    def _hold_mode(self, door: str, saved: DoorSaved) -> None:
        standing = self._doors[door]
        standing.saved = saved
        standing.term.arm(mode_left_s(saved, self._clock.wall_ms()))

    def _mode_over(self, door: str) -> None:
        """The time that somebody set for a mode is over: nobody has to remember to end it."""
        self._errands.begin(self._end_mode(door, self._doors[door].saved))

    async def _end_mode(self, door: str, over: DoorSaved) -> None:
        if self._doors[door].saved is not over:
            return  # somebody has asked for another one meanwhile
        said = DoorModeSet(mode="normal", by=over.by.id if over.by else "", ended=True, person=over.by)
        try:
            await self._turn(door, DoorSaved(), said, LOCK_WITHIN_S)
        except CommandFailed as failure:
            log.warning("lock does not follow its door", door=door, why=str(failure))

    async def _let_out(self, id: str) -> None:
        try:
            await self.release(id, Release(by="exit", direction="out"))
        finally:
            self._doors[id].exits -= 1

    def _contact_seen(self, id: str, facts: Facts) -> None:
        standing = self._doors[id]
        assert standing.door.contact is not None
        active = self._active(standing.door.contact)
        contact: Contact = "unknown" if active is None else "open" if active else "closed"
        if contact == standing.memory.contact:
            return
        self._step(id, ContactSeen(contact), facts)
        if contact == "closed":
            # What was raised before a restart ends here as well.
            self._alarms.clear_cause(built_in_key("door.forced", id), facts)
            self._alarms.clear_cause(built_in_key("door.held", id), facts)
        self._changed(id, facts)

    def _button_seen(self, id: str) -> None:
        standing = self._doors[id]
        assert standing.door.exit_button is not None
        pressed = self._active(standing.door.exit_button) is True
        if pressed and not standing.pressed:
            # People get out, whatever mode the door is in.
            facts = Facts()
            facts.say("door.released", id, DoorReleased(by="exit", for_s=standing.door.release_s))
            self._record.append(facts)
            if standing.exits < WAITING_LIMIT:
                standing.exits += 1
                self._errands.begin(self._let_out(id))
        standing.pressed = pressed

    def _active(self, contact: Input) -> bool | None:
        latest = self._points.value(contact_point(contact))
        return None if latest.quality != "good" or latest.value is None else latest.value == contact.active

    def _step(self, id: str, event: DoorEvent, facts: Facts) -> None:
        standing = self._doors[id]
        now = self._clock.monotonic()
        standing.memory, effects = step(standing.traits, standing.memory, event, now)
        wake = next_wake(standing.memory)
        standing.clock.arm(None if wake is None else wake - now)
        for effect in effects:
            self._follow(id, effect, facts)

    def _tick(self, id: str) -> None:
        facts = Facts()
        self._step(id, Tick(), facts)
        if facts:
            self._record.append(facts)

    def _follow(self, id: str, effect: DoorEffect, facts: Facts) -> None:
        match effect:
            case Opened(by):
                facts.say("door.opened", id, DoorMoved(by=by))
            case Closed(by):
                facts.say("door.closed", id, DoorMoved(by=by))
            case Passage(release):
                passage = PassageMade(
                    direction=release.direction,
                    after=release.after,
                    after_stream=release.after_stream,
                    credential=release.credential,
                    holder=release.holder,
                )
                facts.say("passage.made", id, passage)
            case Raise(cause):
                self._alarms.raise_cause(built_in(cause, id, self._names), facts)
            case Clear(cause):
                self._alarms.clear_cause(built_in_key(cause, id), facts)
            case LockChanged():
                self._changed(id, facts)

    def _changed(self, id: str, facts: Facts) -> None:
        self._doors[id].at = self._clock.wall_ms()
        self._readings(self._state_readings(id))
        if Thing("door", id) not in facts.changed:
            facts.touch("door", id)

    def _lock(self, standing: _Standing) -> Lock | Literal["unknown"]:
        """What its door wants of it is how it stands only as long as its board answers."""
        return "unknown" if standing.lock.device in self._lost else lock_of(standing.memory)

    def _state_readings(self, id: str) -> list[Reading]:
        standing = self._doors[id]
        memory = standing.memory
        values: Mapping[str, str] = {"lock": self._lock(standing), "contact": memory.contact, "mode": memory.mode}
        return [
            Reading(point=f"{id}.{name}", value=value, quality="good", at=standing.at) for name, value in values.items()
        ]
