"""Doors: decide, record, let the lock go; see what the contact says of it.

The way of one card: `credential_read` decides and gives the decision its place in the journal before it returns; the
errand waits until it is committed (50 ms at the most) and then pulses the lock, timed by the board itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import structlog
from prometheus_client import Histogram

from config.site import Door, Input, Site
from contract.facts.entry import Access, Direction, DoorModeSet, DoorMoved, DoorReleased, PassageMade, Presented
from contract.instants import instant
from contract.readings import Reading
from drivers.bus import CommandFailed
from drivers.reports import CredentialRead, InputRefused
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.alarms.causes import built_in, built_in_key
from gateway.engine.desk.allowance import Allowance
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.layout import contact_point
from gateway.engine.desk.record import Facts, Thing
from gateway.engine.desk.timers import Alarmclock
from gateway.engine.doors.keypads import Keypads
from gateway.engine.doors.locks import LOCK_WITHIN_S, DoorLock
from gateway.journal import Recorded
from rules.access.decision import Decision, Request, decide
from rules.access.index import AccessIndex
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

DECIDING_S = Histogram(
    "gatehouse_gateway_deciding_seconds",
    "From a granted credential to its pulse being handed to the wire",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1),
)

BURST, PER_S = 40, 10
"""Credentials of one reader: so many at once, then so many a second, are more than people can present."""

HIDDEN = "****"
"""What is recorded of a PIN: who was let in by it is known, and nobody who reads the journal can use it."""

WAITING_LIMIT = 8
"""Credentials of one door that wait for the journal or the lock at the most, and presses of its exit button that wait
for the lock: whoever presses on top of these is let out by one of them."""

Recording = Awaitable[Sequence[Recorded]]
"""A decision on its way into the journal."""


class DoorSaved(msgspec.Struct, frozen=True):
    """What outlives a restart."""

    mode: Mode


class Side(NamedTuple):
    """A reader's door, and the way through it."""

    door: str
    direction: Direction


@dataclass(slots=True)
class _Standing:
    """One door as it is now. `at`: Unix ms of its last change."""

    door: Door
    traits: DoorTraits
    clock: Alarmclock
    lock: DoorLock
    memory: DoorMemory = field(default_factory=DoorMemory)
    at: int = 0
    waiting: int = 0
    exits: int = 0
    pressed: bool = False


class Doors:
    """All doors of the site. `index` is replaced when the desired state has another revision."""

    def __init__(self, site: Site, index: AccessIndex, desk: Desk, alarms: Alarms) -> None:
        self.index = index
        self.decisions = {"granted": 0, "denied": 0}
        self._site = site.site
        self._desk = desk
        self._points = desk.points
        self._names = desk.names
        self._buses = desk.buses
        self._alarms = alarms
        self._record = desk.record
        self._errands = desk.errands
        self._refusals = desk.refusals
        self._readings = desk.readings
        self._clock = desk.clock
        self._doors = {id: self._standing(id, door) for id, door in site.doors.items()}
        self._sides: dict[str, Side] = {}
        self._contacts: dict[str, list[str]] = {}
        self._buttons: dict[str, list[str]] = {}
        self._outputs: dict[str, list[str]] = {}
        for id, door in site.doors.items():
            self._outputs.setdefault(self._doors[id].lock.point, []).append(id)
            if door.reader_in is not None:
                self._sides[door.reader_in] = Side(id, "in")
            if door.reader_out is not None:
                self._sides[door.reader_out] = Side(id, "out")
            if door.contact is not None:
                self._contacts.setdefault(contact_point(door.contact), []).append(id)
            if door.exit_button is not None:
                self._buttons.setdefault(contact_point(door.exit_button), []).append(id)

        self._allowances = {reader: Allowance(BURST, PER_S) for reader in self._sides}
        self._keypads = Keypads(self._sides, desk, alarms)

    def start(self) -> None:
        """Doors stand in the mode that was recorded last; their contacts are unknown until they are read."""
        for id, saved in self._record.load_state("door", DoorSaved, self._modes_late).items():
            if id in self._doors:
                self._doors[id].memory = DoorMemory(mode=saved.mode)
        now, facts = self._clock.wall_ms(), Facts()
        self._keypads.start(facts)
        for id, standing in self._doors.items():
            standing.at = now
            self._readings(self._state_readings(id))
            if standing.door.contact is None:  # it may have had one before: nobody sees any more that it is closed
                for cause in ALARMS.values():
                    self._alarms.clear_cause(built_in_key(cause, id), facts)
        if facts:
            self._record.append(facts)

    @property
    def lock_failures(self) -> int:
        """How often a board did not do with a lock what was asked."""
        return sum(standing.lock.failures for standing in self._doors.values())

    def __contains__(self, door: str) -> bool:
        return door in self._doors

    # --- What readers and contacts say

    def credential_read(self, read: CredentialRead) -> bool:
        """Decides on a credential; False if no door has this reader."""
        side = self._sides.get(read.reader)
        if side is None:
            return False
        standing = self._doors[side.door]
        if standing.waiting >= WAITING_LIMIT or not self._allowances[read.reader].take(self._clock.monotonic()):
            self._refusals.refuse(InputRefused(read.reader, "more credentials than can be recorded"))
            return True
        if read.kind == "pin" and self._keypads.refuses(read.reader):
            self._refusals.refuse(InputRefused(read.reader, "a PIN while none is taken: too many were wrong"))
            self._buses.show(read.reader, "denied")
            return True
        request = Request(
            side.door,
            read.kind,
            read.value,
            direction=side.direction,
            mode=standing.memory.mode,
            clock_ok=self._clock.state == "ok",
            on_clock_doubt=standing.door.on_clock_doubt,
        )
        decision = decide(self.index, request, self._clock.wall_ms())
        facts = self._decided(read, side, decision)
        if read.kind == "pin" and not decision.granted and decision.holder is None:
            self._keypads.wrong(read.reader, facts)
        recording = self._record.append(facts)
        if decision.granted:
            standing.waiting += 1
            self._errands.begin(self._let_through(side, read, decision, recording))
        else:
            self._buses.show(read.reader, "denied")
        return True

    def points_changed(self, points: list[str], facts: Facts) -> None:
        """Contacts, exit buttons and locks among the points that have another value or quality."""
        for point in points:
            for id in self._contacts.get(point, ()):
                self._contact_seen(id, facts)
            for id in self._buttons.get(point, ()):
                self._button_seen(id)
            for id in self._outputs.get(point, ()):
                self._doors[id].lock.seen()

    def lock_found(self, device: str, facts: Facts) -> None:
        """A board with locks answers (again): a door that stands unlocked is let go, any other must be locked."""
        for standing in self._doors.values():
            if standing.lock.device == device:
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

    async def set_mode(self, door: str, mode: Mode, by: str, within_s: float) -> None:
        """Records the mode, then drives the lock accordingly; `CommandFailed` if the board did not follow."""
        standing = self._doors[door]
        before = standing.memory.mode
        facts = Facts()
        facts.say("door.mode_set", door, DoorModeSet(mode=mode, by=by))
        facts.keep("door", door, DoorSaved(mode))
        self._step(door, ModeSet(mode), facts)
        self._changed(door, facts)
        await self._record.append(facts)
        if "unlocked" in (before, mode):
            await standing.lock.set(released=mode == "unlocked", within_s=within_s)

    # --- What people see

    def item(self, door: str) -> shapes.Door:
        """The door as the REST interface and the live stream show it."""
        standing = self._doors[door]
        return {
            "id": door,
            "site": self._site,
            "lock": lock_of(standing.memory),
            "contact": standing.memory.contact,
            "mode": standing.memory.mode,
            "at": instant(standing.at),
        }

    def ids(self) -> list[str]:
        """All doors."""
        return list(self._doors)

    # --- Inside

    def _modes_late(self, found: dict[str, DoorSaved]) -> None:
        """The disk gives long after the start in which mode a door stood, and nobody has set it since."""
        facts = Facts()
        for id, saved in found.items():
            if id not in self._doors or self._doors[id].memory.mode == saved.mode:
                continue
            lock = self._doors[id].lock
            self._step(id, ModeSet(saved.mode), facts)
            self._changed(id, facts)
            if self._buses.online(lock.device):
                lock.follow()
        if facts:
            self._record.append(facts)

    def _standing(self, id: str, door: Door) -> _Standing:
        traits = DoorTraits(release_s=door.release_s, held_s=door.held_s, has_contact=door.contact is not None)
        return _Standing(
            door,
            traits,
            clock=Alarmclock(self._desk.timers, lambda: self._tick(id)),
            lock=DoorLock(id, door, lambda: self._doors[id].memory, self._desk, self._alarms),
        )

    def _decided(self, read: CredentialRead, side: Side, decision: Decision) -> Facts:
        kind = "granted" if decision.granted else "denied"
        self.decisions[kind] += 1
        data = Access(
            credential=_presented(read),
            holder=decision.holder,
            rule=decision.rule,
            revision=decision.revision,
            reason=decision.reason,
            direction=side.direction,
            reader=read.reader,
        )
        facts = Facts()
        facts.say(f"access.{kind}", side.door, data)
        return facts

    async def _let_through(self, side: Side, read: CredentialRead, decision: Decision, recording: Recording) -> None:
        standing = self._doors[side.door]
        began = self._clock.monotonic()
        try:
            events = await recording
            DECIDING_S.observe(self._clock.monotonic() - began)
            release = Release(
                by="decision",
                direction=side.direction,
                after=events[0].seq if events else None,
                after_stream=events[0].stream if events else None,
                credential=_presented(read),
                holder=decision.holder,
            )
            opened = await self._release(side.door, release)
            self._buses.show(read.reader, "granted" if opened else "denied")
        finally:
            standing.waiting -= 1

    async def _let_out(self, id: str) -> None:
        try:
            await self._release(id, Release(by="exit", direction="out"))
        finally:
            self._doors[id].exits -= 1

    async def _release(self, id: str, release: Release) -> bool:
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

    def _state_readings(self, id: str) -> list[Reading]:
        standing = self._doors[id]
        memory = standing.memory
        values: Mapping[str, str] = {"lock": lock_of(memory), "contact": memory.contact, "mode": memory.mode}
        return [
            Reading(point=f"{id}.{name}", value=value, quality="good", at=standing.at) for name, value in values.items()
        ]


def _presented(read: CredentialRead) -> Presented:
    return Presented(kind=read.kind, value=HIDDEN if read.kind == "pin" else read.value)
