"""One transaction takes many batches of many gateways: judge, store, project; the answers go out after its commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from contract.acks import Ack
from contract.events import Hash
from contract.instants import Instant, instant
from hub.database.driver import Driver, driver
from hub.database.transactions import outcome
from hub.ingest import records, successions
from hub.ingest.arrivals import EventsArrived
from hub.ingest.omissions import Omissions, fault_of
from hub.ingest.places import Places, StreamPlace, places_of
from hub.ingest.projecting import Projecting
from hub.ingest.records import NewEvent
from hub.ingest.rule import BatchVerdict, Head, empty_head, held_range, judge
from hub.ingest.successions import FORKED, Begun, Fork, old_stream

BATCHES = Counter("gatehouse_ingest_batches", "Batches of events, by what became of them", ["verdict"])
EVENTS = Counter("gatehouse_ingest_events", "Events stored")
AGAIN = Counter("gatehouse_ingest_events_again", "Events that were held already and came again in another stream")

NOT_ENROLLED = "this gateway is not enrolled at this hub"


class Answer(NamedTuple):
    """What to send to a gateway once the transaction is committed."""

    gateway: str
    ack: Ack


class Unacceptable(NamedTuple):
    """A batch that can never be accepted, for the record."""

    gateway: str
    fault: str
    why: str


class Accepted(NamedTuple):
    """What one transaction did. `stored`: how many events are new."""

    answers: list[Answer]
    unacceptable: list[Unacceptable]
    stored: int


async def accept(
    conn: AsyncConnection, arrived: Sequence[EventsArrived], projecting: Projecting, now_ms: int
) -> Accepted:
    """Take `arrived` into the database, in a transaction opened with `writes=True`."""
    pg = await driver(conn)
    sites = await records.sites_of(pg, {one.gateway for one in arrived})
    heads = await records.lock_streams(pg, {one.batch.stream for one in arrived})
    group = _Group(heads, instant(now_ms), sites, await places_of(pg, arrived))
    held = await _held(pg, group, arrived)
    for one in arrived:
        group.take(one, held.get(one.batch.stream, {}))
    if group.moved:
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        losses = await successions.lost(pg, group.begun) if group.begun else []
        stored = await records.insert_events(pg, group.new, group.at) if group.new else []
        await records.move_heads(pg, {name: group.heads[name] for name in group.moved}, sites, now)
        if group.places is not None:
            await group.places.store(pg, stored)
        await successions.end(pg, group.forks, sites, now)
        outcome(conn).events.extend(stored)
        await group.omissions.store(conn, pg, sites)
        await successions.tell(conn, losses, sites)
        await projecting.project(conn, stored)
    return Accepted(group.answers, group.unacceptable, len(group.new))


class _Group:
    """The batches of one transaction: heads move on as they are taken, so that one stream may have several."""

    def __init__(self, heads: dict[str, Head], at: Instant, sites: dict[str, str], places: Places | None) -> None:
        self.heads = heads
        self.at = at
        self.sites = sites
        self.places = places
        self.new: list[NewEvent] = []
        self.moved: set[str] = set()
        self.begun: list[Begun] = []
        self.forks: list[Fork] = []
        self.answers: list[Answer] = []
        self.unacceptable: list[Unacceptable] = []
        self.omissions = Omissions()
        self._ended: set[tuple[str, str]] = set()
        self._taken: dict[str, dict[int, Hash]] = {}

    def head(self, one: EventsArrived) -> Head:
        found = self.heads.get(one.batch.stream) or empty_head(one.gateway)
        return found._replace(ended=True) if (one.gateway, one.batch.stream) in self._ended else found

    def take(self, one: EventsArrived, held: dict[int, Hash]) -> None:
        stream = one.batch.stream
        if one.gateway not in self.sites:
            self._answer(one, BatchVerdict("refused", 0, NOT_ENROLLED), "not-enrolled")
            return
        verdict = judge(self.head(one), one.gateway, one.batch, one.hashes, held | self._taken.get(stream, {}))
        if verdict.state == "accept":
            self._store(one, verdict.seq)
            BATCHES.labels("accepted").inc()
            self._answer(one, BatchVerdict("committed", one.batch.events[-1].seq))
            return
        BATCHES.labels(verdict.state).inc()
        self._answer(one, verdict, "foreign-stream")

    def _store(self, one: EventsArrived, after: int) -> None:
        batch = one.batch
        name = batch.stream
        taken = self._taken.setdefault(name, {})
        site = self.sites[one.gateway]
        firsts = {moved.seq: moved for moved in batch.moved}
        forks: list[Fork] = []
        for event, digest in zip(batch.events, one.hashes, strict=True):
            if event.seq <= after:
                continue
            taken[event.seq] = digest
            if (fault := fault_of(event)) is not None:
                self.omissions.add(one.gateway, name, event, digest, fault)
                continue
            first = firsts.get(event.seq)
            if event.kind == FORKED and (old := old_stream(event)) not in (None, name):
                forks.append(Fork(one.gateway, str(old), name))
            if self.places is not None:
                here = StreamPlace(name, event.seq, digest)
                if first is not None and self.places.again(one.gateway, event, first, here):
                    AGAIN.inc()
                    continue
                self.places.new(one.gateway, event, first, here, len(self.new))
            self.new.append(NewEvent(site, one.gateway, name, event, digest, first))
        if name not in self.heads:
            self.begun.append(Begun(one.gateway, name, tuple(fork.old for fork in forks)))
        self.moved.add(name)
        self.heads[name] = Head(one.gateway, batch.events[-1].seq, one.hashes[-1])
        self.forks += forks
        self._ended.update((fork.gateway, fork.old) for fork in forks)

    def _answer(self, one: EventsArrived, verdict: BatchVerdict, fault: str = "") -> None:
        assert verdict.state != "accept"
        head = one.batch.head if verdict.state == "committed" else None
        ack = Ack(stream=one.batch.stream, state=verdict.state, seq=verdict.seq, at=self.at, why=verdict.why, head=head)
        self.answers.append(Answer(one.gateway, ack))
        if verdict.state == "refused":
            self.unacceptable.append(Unacceptable(one.gateway, fault, verdict.why))


async def _held(pg: Driver, group: _Group, arrived: Sequence[EventsArrived]) -> dict[str, dict[int, Hash]]:
    ranges = []
    for one in arrived:
        wanted = held_range(group.head(one), one.batch.first_seq, one.batch.events[-1].seq)
        if wanted is not None:
            ranges.append((one.batch.stream, *wanted))
    return await records.held_hashes(pg, ranges)
