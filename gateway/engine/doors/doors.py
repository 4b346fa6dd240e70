"""Doors: decide on a credential, record that, let the lock go (`gateway.engine.doors.passages`).

The way of one card: `credential_read` decides and gives the decision its place in the journal before it returns; the
errand waits until it is committed (50 ms at the most) and then pulses the lock, timed by the board itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import NamedTuple

import structlog
from prometheus_client import Histogram

from config.site import Site
from contract.facts.entry import Access, Direction, Presented
from drivers.reports import CredentialRead, InputRefused
from gateway.engine.alarms.alarms import Alarms
from gateway.engine.desk.allowance import Allowance
from gateway.engine.desk.desk import Desk
from gateway.engine.desk.record import Facts
from gateway.engine.doors.keypads import Keypads
from gateway.engine.doors.passages import WAITING_LIMIT, DoorPassages
from gateway.journal import Recorded
from rules.access.decision import Decision, Request, decide
from rules.access.index import AccessIndex
from rules.passage.doors import Release

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

Recording = Awaitable[Sequence[Recorded]]
"""A decision on its way into the journal."""


class Side(NamedTuple):
    """A reader's door, and the way through it."""

    door: str
    direction: Direction


class Doors(DoorPassages):
    """Who may pass the site's doors. `index` is replaced when the desired state has another revision."""

    def __init__(self, site: Site, index: AccessIndex, desk: Desk, alarms: Alarms) -> None:
        super().__init__(site, desk, alarms)
        self.index = index
        self.decisions = {"granted": 0, "denied": 0}
        self._buses = desk.buses
        self._refusals = desk.refusals
        self._sides: dict[str, Side] = {}
        for id, door in site.doors.items():
            if door.reader_in is not None:
                self._sides[door.reader_in] = Side(id, "in")
            if door.reader_out is not None:
                self._sides[door.reader_out] = Side(id, "out")
        self._allowances = {reader: Allowance(BURST, PER_S) for reader in self._sides}
        self._keypads = Keypads(self._sides, desk, alarms)

    def start(self) -> None:
        """Doors stand in the mode that was recorded last; their contacts are unknown until they are read."""
        facts = Facts()
        self._keypads.start(facts)
        self._take_up(facts)
        if facts:
            self._record.append(facts)

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

    # --- Inside

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
            opened = await self.release(side.door, release)
            self._buses.show(read.reader, "granted" if opened else "denied")
        finally:
            standing.waiting -= 1


def _presented(read: CredentialRead) -> Presented:
    return Presented(kind=read.kind, value=HIDDEN if read.kind == "pin" else read.value)
