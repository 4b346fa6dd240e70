"""Plate reads before anything moves: whether they are of now, what they meet, and what is recorded of them.

A read that is not of now (stored, queued, or sent again by a stranger) is recorded once and never acted on; repeats of
an arrival are counted only. What is decided upon is remembered, after a restart too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import msgspec

from config.site import Lane
from contract.facts.entry import Access, PlateSeen, Presented
from contract.instants import instant
from drivers.reports import InputRefused, PlateRead
from gateway.engine.desk.allowance import Allowance
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.lanes.cameras import Cameras, Timed
from gateway.engine.lanes.snapshots import Snapshots
from rules.access.index import AccessIndex
from rules.access.plates import LaneDecision, LanePolicy, PlateSight, RecentRead, decide_plate, is_known, remembered

BURST, PER_S = 40, 2
"""Reads of one camera that are recorded: so many at once, then so many a second, are more than cars can come."""

OLD_BURST, OLD_PER_S = 200, 5
"""Reads that are not of now and are recorded; a camera that has more is told to keep them, and sends them later."""

OLD_LIMIT = 2_000
"""Reads that are not of now and are recognised when they come again."""

READS = "reads"
"""Under which the last reads of each lane are kept."""


class Reads(msgspec.Struct, frozen=True):
    """The reads that a lane has decided upon lately: after a restart too they are repeats when they come again."""

    recent: tuple[RecentRead, ...]


class Taken(NamedTuple):
    """What becomes of a read. `facts`: what is recorded of it; `acts`: its decision is acted on.

    `access`: the decision, where it is acted on; to be said beside `facts`.
    `recorded`: False if there were too many, and its camera shall keep it. `picture`: being written.
    """

    decision: LaneDecision
    facts: Facts
    acts: bool = False
    access: Access | None = None
    recorded: bool = True
    picture: asyncio.Task[None] | None = None


@dataclass(slots=True)
class _Memory:
    """What one lane remembers of its reads."""

    lane: Lane
    policy: LanePolicy
    recent: tuple[RecentRead, ...] = ()
    old: deque[tuple[str, int | None]] = field(default_factory=lambda: deque(maxlen=OLD_LIMIT))
    allowance: Allowance = field(default_factory=lambda: Allowance(BURST, PER_S))
    allowance_old: Allowance = field(default_factory=lambda: Allowance(OLD_BURST, OLD_PER_S))


class PlateReads:
    """The reads of all lanes."""

    def __init__(self, lanes: Mapping[str, Lane], desk: Desk, *, cameras: Cameras, snapshots: Snapshots) -> None:
        self._lanes = {id: _Memory(lane, _policy(id, lane)) for id, lane in lanes.items()}
        self._cameras = cameras
        self._snapshots = snapshots
        self._record = desk.record
        self._refusals = desk.refusals
        self._clock = desk.clock

    def start(self) -> None:
        """Remembers the last reads."""
        self._remember(self._record.load_state(READS, Reads, self._come_late, merges=True))

    def _remember(self, found: dict[str, Reads]) -> None:
        # What a disk brings late is of before everything that was read meanwhile.
        for id, saved in found.items():
            if id in self._lanes:
                recent = self._lanes[id].recent
                self._lanes[id].recent = (*(read for read in saved.recent if read not in recent), *recent)

    def _come_late(self, found: dict[str, Reads]) -> None:
        self._remember(found)
        facts = Facts()
        for id in found.keys() & self._lanes.keys():
            facts.keep(READS, id, Reads(self._lanes[id].recent))
        if facts:
            self._record.append(facts)

    def take(self, lane: str, read: PlateRead, index: AccessIndex) -> Taken:
        """Decides on a read of this lane's camera by `index`."""
        memory, facts, now = self._lanes[lane], Facts(), self._clock.wall_ms()
        sight = PlateSight(read.plate, read.plate_id, read.confidence, stamped=read.seen_at is not None)
        timed = self._cameras.timed(read, known=is_known(sight, memory.recent, now), facts=facts)
        sight = replace(sight, replayed=timed.replayed)
        clock_ok = self._clock.state == "ok"
        decision = decide_plate(index, memory.policy, sight, memory.recent, now, clock_ok=clock_ok)
        if decision.rule == "repeated":
            return Taken(decision, facts)
        if decision.outcome == "ignored":
            return self._old(lane, read, timed, Taken(decision, facts))
        if not memory.allowance.take(self._clock.monotonic()):
            self._refusals.refuse(InputRefused(read.camera, "more reads than cars can come"))
            return Taken(decision, facts)
        # What is not acted on is not remembered: a flood pushes out nothing.
        memory.recent = remembered(memory.recent, memory.policy, sight, decision, now)
        seen, writing = self._seen(read, timed, decision)
        facts.say("plate.seen", lane, seen)
        access = Access(
            credential=Presented(kind="plate", value=decision.plate),
            holder=decision.holder,
            rule=decision.rule,
            revision=decision.revision,
            reason=decision.reason,
            direction=memory.lane.direction,
            reader=read.camera,
            picture=seen.picture,
        )
        facts.keep(READS, lane, Reads(memory.recent))
        self._cameras.keep(read.camera, facts)
        return Taken(decision, facts, acts=True, access=access, picture=writing)

    def _old(self, lane: str, read: PlateRead, timed: Timed, taken: Taken) -> Taken:
        memory, key = self._lanes[lane], (read.plate_id or read.plate, read.seen_at)
        if key in memory.old:
            return taken
        if not memory.allowance_old.take(self._clock.monotonic()):
            self._refusals.refuse(InputRefused(read.camera, "more reads that are not of now than can be recorded"))
            return taken._replace(recorded=False)
        memory.old.append(key)
        seen, writing = self._seen(read, timed, taken.decision)
        taken.facts.say("plate.seen", lane, seen)
        self._cameras.keep(read.camera, taken.facts)
        return taken._replace(picture=writing)

    def _seen(
        self, read: PlateRead, timed: Timed, decision: LaneDecision
    ) -> tuple[PlateSeen, asyncio.Task[None] | None]:
        picture, writing = self._snapshots.keep(read)
        seen = PlateSeen(
            plate=decision.plate,
            camera=read.camera,
            confidence=read.confidence,
            colour=read.colour,
            plate_id=read.plate_id,
            replayed=timed.replayed is not None,
            seen_at=None if timed.at is None else instant(timed.at),
            picture=picture,
            reason=timed.replayed,
        )
        return seen, writing


def _policy(id: str, lane: Lane) -> LanePolicy:
    return LanePolicy(
        lane=id,
        direction=lane.direction,
        visitors=lane.visitors,
        confidence=lane.confidence,
        repeat_s=lane.repeat_s,
    )
