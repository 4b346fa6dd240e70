"""Takes what the broker brought into the database: events and presence on one lane, readings and pictures on another.

Nothing is acknowledged before its commit. While PostgreSQL is away the group in hand is tried again and the hand-over
fills up; what it drops comes again, since gateways send from the last acknowledgement.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Protocol, TypeVar

import structlog
from prometheus_client import Counter, Histogram

from contract.acks import Ack
from contract.instants import instant
from contract.wire import packed
from hub.database.failures import FAULTS, passes, senders_fault
from hub.database.transactions import Database
from hub.downlink import Send
from hub.ingest import refusals
from hub.ingest.accept import EVENTS, Accepted, Answer, accept
from hub.ingest.arrivals import (
    Arrival,
    EventsArrived,
    MessageRefused,
    PictureArrived,
    PresenceArrived,
    ReadingsArrived,
    Weighed,
    weighed,
)
from hub.ingest.handover import Handover, Message
from hub.ingest.projecting import Projecting, Registry

log = structlog.get_logger(__name__)

COMMIT_SECONDS = Histogram("gatehouse_ingest_commit_seconds", "One transaction of ingest, with its retries", ["lane"])
RETRIES = Counter("gatehouse_ingest_retries", "Transactions of ingest that were tried again", ["lane"])
PUZZLES = Counter("gatehouse_ingest_puzzles", "Messages left unanswered because of an error of ours", ["lane"])

GROUP_BYTES = 2_000_000
"""Payload bytes that are taken together at the most, and bytes of JSON after which no more of them is unpacked. Honest
messages do not come near it; of others it is what everybody else may have to wait for."""

AT_ONCE_BYTES = 64_000
"""What is no more than this, and not packed, is read on the loop: a thread would cost more than the reading."""

BACKOFF_S = (0.1, 0.3, 1.0, 2.0, 5.0)

OneT = TypeVar("OneT")
WorkT = TypeVar("WorkT")


class Presences(Protocol):
    """What happens with signs of life."""

    async def seen(self, arrived: PresenceArrived) -> None:
        """Take note of one."""


Store = Callable[[Sequence[ReadingsArrived | PictureArrived]], Awaitable[list[Answer]]]
"""Commits readings and pictures in one transaction of its own."""


class Ingest:
    """The two lanes. `receive` is called for every message and never waits."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        send: Send,
        presences: Presences,
        store: Store,
        *,
        now_ms: Callable[[], int],
        handover_bytes: int = 32_000_000,
        group_events: int = 4000,
    ) -> None:
        self._database = database
        self._projecting = Projecting(registry)
        self._send = send
        self._presences = presences
        self._store = store
        self._now_ms = now_ms
        self._group_events = group_events
        self._facts = Handover("facts", handover_bytes)
        self._bulk = Handover("bulk", handover_bytes)
        self._refusals = refusals.Refusals()

    def receive(self, message: Message) -> bool:
        """Hand one message over; False if there was no room for it."""
        lane = self._bulk if message.topic.kind in ("telemetry", "pictures") else self._facts
        return lane.put(message)

    async def run(self) -> None:
        """Both lanes, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lane(self._facts, self.facts))
            tasks.create_task(self._lane(self._bulk, self.bulk))

    async def _lane(self, lane: Handover, work: Callable[[list[Arrival]], Awaitable[None]]) -> None:
        while True:
            messages = await lane.take(GROUP_BYTES)
            try:
                await work(await self._arrived(lane, messages))
            except Exception:  # the lane must live; what was in hand is unanswered and comes again
                log.exception("ingest.puzzled", messages=len(messages))
                PUZZLES.labels("lane").inc(len(messages))

    async def _arrived(self, lane: Handover, messages: Sequence[Message]) -> list[Arrival]:
        """What the messages say, as far as it is read now; the rest goes back to where its gateway's turn is."""
        small = sum(len(message.payload) for message in messages) <= AT_ONCE_BYTES
        if small and not any(packed(message.payload) for message in messages):
            found = _read(messages)
        else:
            # Unpacking and hashing leave the interpreter to others; reading holds it for one message at the most.
            found = await asyncio.to_thread(_read, messages)
        lane.give_back(messages[len(found) :])
        for message, one in zip(messages, found, strict=False):
            lane.charge(message.topic.gateway, max(0, one.cost - len(message.payload)))
        return [one.arrival for one in found]

    async def facts(self, arrivals: Sequence[Arrival]) -> None:
        """Take events and presence into the database, in the order in which each gateway sent them."""
        for stage in stages(arrivals):
            match stage[0]:
                case PresenceArrived():
                    for presence in stage:
                        assert isinstance(presence, PresenceArrived)
                        await self._until_committed("facts", partial(self._presences.seen, presence))
                case _:
                    refused = [one for one in stage if isinstance(one, MessageRefused)]
                    await self._refuse(refused)
                    batches = [one for one in stage if isinstance(one, EventsArrived)]
                    for group in groups(batches, self._group_events):
                        await self._take(group)

    async def bulk(self, arrivals: Sequence[Arrival]) -> None:
        """Take readings and pictures into the database."""
        await self._refuse([one for one in arrivals if isinstance(one, MessageRefused)])
        await self._take_bulk([one for one in arrivals if isinstance(one, ReadingsArrived | PictureArrived)])

    async def _take(self, group: Sequence[EventsArrived]) -> None:
        accepted = await self._or_apart(
            "facts",
            lambda: self._accept(group),
            group,
            again=self._take,
            what="events",
            stream_of=lambda one: one.batch.stream,
        )
        if accepted is not None:
            EVENTS.inc(accepted.stored)
            self._answer(accepted.answers)

    async def _accept(self, group: Sequence[EventsArrived]) -> Accepted:
        now_ms = self._now_ms()
        async with self._database.transaction(writes=True) as conn:
            accepted = await accept(conn, group, self._projecting, now_ms)
            refused = [MessageRefused(one.gateway, "events", one.why, fault=one.fault) for one in accepted.unacceptable]
            worth = self._refusals.worth_recording(refused, now_ms)
            await refusals.record(conn, worth)
        self._refusals.recorded(worth, now_ms)
        return accepted

    async def _take_bulk(self, arrived: Sequence[ReadingsArrived | PictureArrived]) -> None:
        if not arrived:
            return
        answers = await self._or_apart(
            "bulk", lambda: self._store(arrived), arrived, again=self._take_bulk, what="telemetry", stream_of=_named
        )
        self._answer(answers or ())

    async def _or_apart(
        self,
        lane: str,
        work: Callable[[], Awaitable[WorkT]],
        group: Sequence[OneT],
        *,
        again: Callable[[Sequence[OneT]], Awaitable[None]],
        what: str,
        stream_of: Callable[[OneT], str],
    ) -> WorkT | None:
        """What the transaction gave; what failed for good is found, and the others get through."""
        try:
            return await self._until_committed(lane, work)
        except Exception as wrong:  # whatever one message does to a transaction, the others' must not suffer for it
            error = wrong
        if len(group) > 1:
            # By halves: what is right goes in a few large transactions, not one by one.
            middle = len(group) // 2
            await again(group[:middle])
            await again(group[middle:])
        else:
            await self._puzzle(group[0], error, what, stream_of)
        return None

    async def _puzzle(self, one: OneT, error: Exception, what: str, stream_of: Callable[[OneT], str]) -> None:
        gateway = one.gateway  # type: ignore[attr-defined]
        if senders_fault(error):
            why = f"cannot be stored: {error}"[:300]
            await self._refuse([MessageRefused(gateway, what, why, stream=stream_of(one), fault="data")])
            return
        log.error("ingest.puzzled", gateway=gateway, what=what, error=repr(error)[:500])
        PUZZLES.labels(what).inc()

    async def _refuse(self, refused: Sequence[MessageRefused]) -> None:
        if not refused:
            return
        now_ms = self._now_ms()
        worth = self._refusals.worth_recording(refused, now_ms)
        for one in worth:
            log.warning("ingest.refused", gateway=one.gateway, what=one.what, why=one.why)
        if worth:
            await self._until_committed("facts", lambda: self._record(worth))
            self._refusals.recorded(worth, now_ms)
        at = instant(now_ms)
        self._answer(
            [
                Answer(one.gateway, Ack(stream=one.stream, state="refused", seq=0, at=at, why=one.why))
                for one in refused
                if one.stream is not None
            ]
        )

    async def _record(self, worth: Sequence[MessageRefused]) -> None:
        async with self._database.transaction(writes=True) as conn:
            await refusals.record(conn, worth)

    async def _until_committed(self, lane: str, work: Callable[[], Awaitable[OneT]]) -> OneT:
        """Try a transaction until it is committed; errors that do not pass by themselves are raised."""
        failures = 0
        with COMMIT_SECONDS.labels(lane).time():
            while True:
                try:
                    return await work()
                except FAULTS as error:
                    if not passes(error):
                        raise
                    wait = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
                    failures += 1
                    RETRIES.labels(lane).inc()
                    log.warning("ingest.again", lane=lane, error=repr(error)[:300], retry_in_s=wait)
                await asyncio.sleep(wait)

    def _answer(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            self._send(answer.gateway, "ack", answer.ack)


def _read(messages: Sequence[Message]) -> list[Weighed]:
    """The first messages, read until they have cost as much as may be read together."""
    found: list[Weighed] = []
    left = GROUP_BYTES
    for message in messages:
        one = weighed(*message)
        found.append(one)
        left -= one.cost
        if left <= 0:
            break
    return found


def stages(arrivals: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """Runs of messages that may share transactions.

    A birth is judged by what was committed before it came: births and wills part what came before from what comes
    after. Of heartbeats only a gateway's last word counts. What it answers must not wait for everybody's events, so it
    is first; only that of a gateway which was also born or lost here waits for the end.
    """
    turns = [one for one in arrivals if not _heartbeat(one)]
    turned = {one.gateway for one in turns if isinstance(one, PresenceArrived)}
    last_words = {one.gateway: one for one in arrivals if isinstance(one, PresenceArrived)}
    heartbeats = [one for one in last_words.values() if _heartbeat(one)]
    if first := [one for one in heartbeats if one.gateway not in turned]:
        yield list(first)
    for _, run in groupby(turns, key=lambda one: isinstance(one, PresenceArrived)):
        yield list(run)
    if after := [one for one in heartbeats if one.gateway in turned]:
        yield list(after)


def groups(batches: Sequence[EventsArrived], most_events: int) -> Iterator[list[EventsArrived]]:
    """Batches in their order, in groups of at most about `most_events` events."""
    group: list[EventsArrived] = []
    events = 0
    for one in batches:
        if group and events + len(one.batch.events) > most_events:
            yield group
            group, events = [], 0
        group.append(one)
        events += len(one.batch.events)
    if group:
        yield group


def _heartbeat(one: Arrival) -> bool:
    return isinstance(one, PresenceArrived) and one.presence.state == "alive"


def _named(one: ReadingsArrived | PictureArrived) -> str:
    return one.batch.store if isinstance(one, ReadingsArrived) else one.picture.id
