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
from hub.db import outcome
from hub.ingest import records
from hub.ingest.arrivals import EventsArrived
from hub.ingest.projecting import Registry, project
from hub.ingest.records import NewEvent
from hub.ingest.rule import Head, Verdict, empty_head, held_range, judge

BATCHES = Counter("gatehouse_ingest_batches", "Batches of events, by what became of them", ["verdict"])
EVENTS = Counter("gatehouse_ingest_events", "Events stored")

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


async def accept(conn: AsyncConnection, arrived: Sequence[EventsArrived], registry: Registry, now_ms: int) -> Accepted:
    """Take `arrived` into the database, in a transaction opened with `writes=True`."""
    pg = await records.driver(conn)
    sites = await records.sites_of(pg, {one.gateway for one in arrived})
    group = _Group(await records.lock_streams(pg, {one.batch.stream for one in arrived}), instant(now_ms), sites)
    held = await _held(pg, group, arrived)
    for one in arrived:
        group.take(one, held.get(one.batch.stream, {}))
    if group.new:
        stored = await records.insert_events(pg, group.new, group.at)
        moved = {stream: group.heads[stream] for stream in {new.stream for new in group.new}}
        await records.move_heads(pg, moved, sites, datetime.fromtimestamp(now_ms / 1000, UTC))
        outcome(conn).events.extend(stored)
        await project(conn, stored, registry)
    return Accepted(group.answers, group.unacceptable, len(group.new))


class _Group:
    """The batches of one transaction: heads move on as they are taken, so that one stream may have several."""

    def __init__(self, heads: dict[str, Head], at: Instant, sites: dict[str, str]) -> None:
        self.heads = heads
        self.at = at
        self.sites = sites
        self.new: list[NewEvent] = []
        self.answers: list[Answer] = []
        self.unacceptable: list[Unacceptable] = []
        self._taken: dict[str, dict[int, Hash]] = {}

    def head(self, one: EventsArrived) -> Head:
        return self.heads.get(one.batch.stream) or empty_head(one.gateway)

    def take(self, one: EventsArrived, held: dict[int, Hash]) -> None:
        stream = one.batch.stream
        if one.gateway not in self.sites:
            self._answer(one, Verdict("refused", 0, NOT_ENROLLED), "not-enrolled")
            return
        verdict = judge(self.head(one), one.gateway, one.batch, one.hashes, held | self._taken.get(stream, {}))
        if verdict.state == "accept":
            self._store(one, verdict.seq)
            BATCHES.labels("accepted").inc()
            self._answer(one, Verdict("committed", one.batch.events[-1].seq))
            return
        BATCHES.labels(verdict.state).inc()
        self._answer(one, verdict, "foreign-stream")

    def _store(self, one: EventsArrived, after: int) -> None:
        batch = one.batch
        taken = self._taken.setdefault(batch.stream, {})
        site = self.sites[one.gateway]
        for event, digest in zip(batch.events, one.hashes, strict=True):
            if event.seq > after:
                self.new.append(NewEvent(site, one.gateway, batch.stream, event, digest))
                taken[event.seq] = digest
        self.heads[batch.stream] = Head(one.gateway, batch.events[-1].seq, one.hashes[-1])

    def _answer(self, one: EventsArrived, verdict: Verdict, fault: str = "") -> None:
        assert verdict.state != "accept"
        head = one.batch.head if verdict.state == "committed" else None
        ack = Ack(stream=one.batch.stream, state=verdict.state, seq=verdict.seq, at=self.at, why=verdict.why, head=head)
        self.answers.append(Answer(one.gateway, ack))
        if verdict.state == "refused":
            self.unacceptable.append(Unacceptable(one.gateway, fault, verdict.why))


async def _held(pg: records.Driver, group: _Group, arrived: Sequence[EventsArrived]) -> dict[str, dict[int, Hash]]:
    ranges = []
    for one in arrived:
        wanted = held_range(group.head(one), one.batch.first_seq, one.batch.events[-1].seq)
        if wanted is not None:
            ranges.append((one.batch.stream, *wanted))
    return await records.held_hashes(pg, ranges)
