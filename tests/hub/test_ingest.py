"""Ingest against a real database: nothing lost, nothing doubled, nothing acknowledged before its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contract import wire
from contract.events import Batch, chain
from contract.facts.hub import GatewaySeen
from contract.topics import UpTopic
from hub.database.event import StoredEvent
from hub.database.transactions import Database, Outcome
from hub.events import stream
from hub.ingest.accept import Answer
from hub.ingest.arrivals import PictureArrived, PresenceArrived, ReadingsArrived, arrival
from hub.ingest.handover import Message
from hub.ingest.projecting import UNTOLD, Registry
from hub.ingest.reprojecting import reproject
from hub.ingest.worker import Ingest
from tests.hub.senders import NOW_MS, STREAM, Journal, Sent, enrolled, rows


class NoPresence:
    async def seen(self, arrived: PresenceArrived) -> None:
        raise AssertionError("no presence expected")


async def no_bulk(arrived: Sequence[ReadingsArrived | PictureArrived]) -> list[Answer]:
    raise AssertionError("no readings expected")


def ingest(database: Database, sent: Sent, registry: Registry | None = None) -> Ingest:
    return Ingest(database, registry or {}, sent, NoPresence(), no_bulk, now_ms=lambda: NOW_MS)


async def history(database: Database) -> list[tuple[object, ...]]:
    return list(await rows(database, "SELECT stream, seq, kind FROM events WHERE gateway IS NOT NULL ORDER BY id"))


async def own_kinds(database: Database) -> list[object]:
    return [row[0] for row in await rows(database, "SELECT kind FROM events WHERE gateway IS NULL ORDER BY id")]


async def test_batches_of_many_gateways_in_one_transaction(database: Database) -> None:
    await enrolled(database, "gw-1", "gw-2")
    one, two = Journal().record_many(6), Journal("gw-2", "b" * 32).record_many(2)
    sent = Sent()
    await ingest(database, sent).facts([one.arrived(1, 3), two.arrived(1, 2), one.arrived(4, 6)])
    assert sent.acks() == [(STREAM, "committed", 3), ("b" * 32, "committed", 2), (STREAM, "committed", 6)]
    assert [row[:2] for row in await history(database)] == [
        *((STREAM, seq) for seq in (1, 2, 3)), ("b" * 32, 1), ("b" * 32, 2), *((STREAM, seq) for seq in (4, 5, 6)),
    ]  # fmt: skip


async def test_repeats_and_overlaps_are_stored_once(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(9), Sent()
    hub = ingest(database, sent)
    await hub.facts([journal.arrived(1, 4)])
    await hub.facts([journal.arrived(1, 4), journal.arrived(3, 6), journal.arrived(5, 9), journal.arrived(1, 9)])
    assert [ack[1:] for ack in sent.acks()] == [("committed", seq) for seq in (4, 4, 6, 9, 9)]
    assert [row[1] for row in await history(database)] == list(range(1, 10))


async def test_a_gap_is_answered_with_what_is_expected(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(9), Sent()
    await ingest(database, sent).facts([journal.arrived(1, 2), journal.arrived(5, 9)])
    assert [ack[1:] for ack in sent.acks()] == [("committed", 2), ("expected", 2)]
    assert len(await history(database)) == 2


async def test_an_older_journal_copied_back_forks_and_loses_nothing(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(10), Sent()
    hub = ingest(database, sent)
    await hub.facts([journal.arrived(1, 10)])
    copy = journal.copied(6).record_many(3, "after the copy")
    await hub.facts([copy.arrived(7, 9)])
    assert [ack[1:] for ack in sent.acks()] == [("committed", 10), ("fork", 6)]
    moved = Journal(stream="c" * 32)
    moved.record("stream.forked", msgspec.json.encode({"old_stream": STREAM, "agreed": 6, "why": "fork"}), "gw-1")
    moved.record_many(3, "after the copy")
    await hub.facts([moved.arrived(1, 4)])
    assert sent.acks() == [("c" * 32, "committed", 4)]
    found = await rows(database, "SELECT data::text FROM events WHERE data::text LIKE '%after the copy%'")
    assert len(found) == 3


async def test_a_foreign_stream_is_refused_and_recorded(database: Database) -> None:
    await enrolled(database, "gw-1", "gw-2")
    journal, sent = Journal().record_many(4), Sent()
    hub = ingest(database, sent)
    await hub.facts([journal.arrived(1, 2)])
    thief = Journal("gw-2")
    thief.events, thief.hashes = journal.events, journal.hashes
    await hub.facts([thief.arrived(3, 4)])
    assert [ack[1:] for ack in sent.acks()] == [("committed", 2), ("refused", 0)]
    assert len(await history(database)) == 2
    assert await own_kinds(database) == ["batch.refused"]


async def test_a_gateway_that_is_not_enrolled_is_refused(database: Database) -> None:
    sent = Sent()
    await ingest(database, sent).facts([Journal().record_many(2).arrived(1, 2)])
    assert sent.acks() == [(STREAM, "refused", 0)]
    assert await history(database) == []


def impossible(batch: Batch) -> Batch:
    """The batch with a day that no calendar has; its chain is right."""
    event = msgspec.structs.replace(batch.events[0], at="2026-13-45T00:00:00.000Z")
    return msgspec.structs.replace(batch, events=(event,), head=chain(batch.prev, [event])[-1])


Forge = Callable[[Batch], bytes]

REFUSED: dict[str, Forge] = {
    "wrong version": lambda batch: wire.encode(msgspec.structs.replace(batch, v=9)),
    "chain that contradicts itself": lambda batch: wire.encode(msgspec.structs.replace(batch, head="0" * 64)),
    "hole inside": lambda batch: wire.encode(msgspec.structs.replace(batch, events=batch.events[::2])),
    "not JSON": lambda batch: b'{"v": 1, "stream": ',
    "not UTF-8": lambda batch: wire.encode(batch).replace(b"free", b"fr\xffe"),
    "wrong types": lambda batch: wire.encode(batch).replace(b'"first_seq":1', b'"first_seq":"one"'),
    "broken compression": lambda batch: b"\x78\x9c nonsense",
    "huge": lambda batch: b" " * 1_000_001,
    "nested deeply": lambda batch: b'{"v":1,"x":' + b"[" * 100_000,
    "impossible day": lambda batch: wire.encode(impossible(batch)),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_can_never_be_accepted_is_recorded_and_the_stream_goes_on(database: Database, name: str) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(3), Sent()
    bad = arrival(UpTopic("s1", "gw-1", "events"), REFUSED[name](journal.batch(1, 3)), NOW_MS)
    await ingest(database, sent).facts([bad, journal.arrived(1, 3), bad])
    assert await own_kinds(database) == ["batch.refused"]
    assert (STREAM, "committed", 3) in sent.acks()
    assert len(await history(database)) == 3


async def test_data_that_the_database_cannot_hold_is_refused_alone(database: Database) -> None:
    await enrolled(database, "gw-1", "gw-2")
    good, bad, sent = Journal().record_many(2), Journal("gw-2", "b" * 32), Sent()
    # PostgreSQL's text does not hold a zero character; what came over the wire is checked for it, this is not.
    bad.record(source="x" * 128)
    poisoned = bad.arrived(1, 1)
    event = msgspec.structs.replace(bad.events[0], source="zero\x00")
    poisoned = msgspec.structs.replace(poisoned, batch=msgspec.structs.replace(poisoned.batch, events=(event,)))
    await ingest(database, sent).facts([good.arrived(1, 1), poisoned, good.arrived(2, 2)])
    assert sorted(sent.acks()) == sorted([(STREAM, "committed", 1), ("b" * 32, "refused", 0), (STREAM, "committed", 2)])
    assert [row[1] for row in await history(database)] == [1, 2]


async def test_exact_text_is_kept_and_unknown_kinds_are_stored(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal(), Sent()
    odd = '{ "b":1.0,"a":1e3 , "a":"沪A12345\\u0000" }'.encode()
    journal.record("teapot.boiled", odd)
    await ingest(database, sent).facts([journal.arrived(1, 1)])
    assert await rows(database, "SELECT data::text, kind FROM events") == [(odd.decode(), "teapot.boiled")]


async def test_nothing_is_acknowledged_when_the_transaction_does_not_commit(database: Database) -> None:
    """The hub dies between storing and committing: as if it had never come."""
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(3), Sent()
    stored = asyncio.Event()

    async def hangs(conn: AsyncConnection, event: StoredEvent) -> None:
        stored.set()
        await asyncio.Event().wait()

    work = asyncio.create_task(ingest(database, sent, {"door.opened": [hangs]}).facts([journal.arrived(1, 3)]))
    await stored.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert sent.acks() == []
    assert await history(database) == []
    await ingest(database, sent).facts([journal.arrived(1, 3)])
    assert sent.acks() == [(STREAM, "committed", 3)]
    assert len(await history(database)) == 3


async def test_a_connection_that_breaks_is_tried_again(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent, tries = Journal().record_many(2), Sent(), 0

    async def cut(conn: AsyncConnection, event: StoredEvent) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            async with database.transaction() as other:
                pid = (await conn.execute(text("SELECT pg_backend_pid()"))).scalar_one()
                await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await conn.execute(text("SELECT 1"))

    await ingest(database, sent, {"door.opened": [cut]}).facts([journal.arrived(1, 2)])
    assert sent.acks() == [(STREAM, "committed", 2)]
    assert [row[1] for row in await history(database)] == [1, 2]
    assert tries == 3


async def test_an_event_that_cannot_be_projected_is_stored_and_marked(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(3), Sent()
    told: list[Outcome] = []
    database.subscribe(told.append)

    async def fails(conn: AsyncConnection, event: StoredEvent) -> None:
        work = text("INSERT INTO desired_revisions (site, revision, floor) VALUES (:site, 1, 0)")
        await conn.execute(work, {"site": f"s{event.seq}"})
        if event.seq == 2:
            await conn.execute(text("SELECT 1 / 0"))

    await ingest(database, sent, {"door.opened": [fails]}).facts([journal.arrived(1, 3)])
    assert sent.acks() == [(STREAM, "committed", 3)]
    failed = await rows(database, "SELECT seq FROM events WHERE failed LIKE '%division by zero%'")
    assert failed == [(2,)]
    assert await own_kinds(database) == ["projection.failed"]
    # People of the site hear of it, and nothing of the database's insides.
    [(said,)] = await rows(database, "SELECT data->>'why' FROM events WHERE kind = 'projection.failed'")
    assert said == UNTOLD
    assert await rows(database, "SELECT site FROM desired_revisions ORDER BY site") == [("s1",), ("s3",)]
    assert [(event.kind, event.seq) for event in told[-1].events] == [
        ("door.opened", 1), ("door.opened", 2), ("door.opened", 3), ("projection.failed", 1),
    ]  # fmt: skip
    ids = [event.id for event in told[-1].events]
    assert ids == sorted(ids)


async def test_marked_events_are_projected_again(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, broken, used = Journal().record_many(3), {2, 3}, list[int]()

    async def mends(conn: AsyncConnection, event: StoredEvent) -> None:
        if event.seq in broken:
            raise ValueError(f"cannot use {event.seq}")
        used.append(event.seq)

    registry = {"door.opened": [mends]}
    await ingest(database, Sent(), registry).facts([journal.arrived(1, 3)])
    broken.discard(2)
    found = await reproject(database, registry)
    assert (found.done, list(found.still.values())) == (1, ["ValueError: cannot use 3"])
    broken.clear()
    assert await reproject(database, registry) == (1, {})
    assert await reproject(database, registry) == (0, {})
    assert used[-2:] == [2, 3]
    assert await rows(database, "SELECT count(*) FROM events WHERE failed IS NOT NULL") == [(0,)]


async def test_ids_are_commit_order(database: Database) -> None:
    """Whoever sees an id has already been able to see all lower ones, however many write at once."""
    gateways = [f"gw-{number}" for number in range(6)]
    await enrolled(database, *gateways)
    sent, seen, done = Sent(), set[int](), asyncio.Event()

    async def write(number: int) -> None:
        journal = Journal(gateways[number], f"{number:032x}").record_many(20)
        hub = ingest(database, sent)
        for first in range(1, 21, 2):
            await hub.facts([journal.arrived(first, first + 1)])
            async with database.transaction(writes=True) as conn:
                await stream.record(conn, "gateway.found", gateways[number], GatewaySeen(gateway=gateways[number]))

    async def watch() -> int:
        cursor = 0
        while not done.is_set():
            for (found,) in await rows(database, "SELECT id FROM events WHERE id > :after ORDER BY id", after=cursor):
                assert isinstance(found, int)
                cursor = found
                seen.add(found)
            await asyncio.sleep(0)
        return cursor

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(write(number) for number in range(3)))
    done.set()
    cursor = await watching
    everything = {found for (found,) in await rows(database, "SELECT id FROM events")}
    assert {found for found in everything if isinstance(found, int) and found <= cursor} == seen


async def test_messages_beyond_the_hand_over_are_dropped_and_come_again(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(40), Sent()
    hub = Ingest(database, {}, sent, NoPresence(), no_bulk, now_ms=lambda: NOW_MS, handover_bytes=20_000)
    topic = UpTopic("s1", "gw-1", "events")
    taken = [hub.receive(Message(topic, wire.encode(journal.batch(n, n)), NOW_MS)) for n in range(1, 41)]
    assert taken[0]
    assert not taken[-1]
    running = asyncio.create_task(hub.run())
    committed = 0
    while committed < 40:
        for _, state, seq in sent.acks():
            assert state in ("committed", "expected")
            committed = max(committed, seq)
        if committed < 40:
            hub.receive(Message(topic, wire.encode(journal.batch(committed + 1, min(committed + 10, 40))), NOW_MS))
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [row[1] for row in await history(database)] == list(range(1, 41))
