"""An event that cannot be projected costs only itself. What is counted are statements: time depends on the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from hub.database.event import StoredEvent
from hub.database.transactions import Database, outcome
from hub.ingest.arrivals import EventsArrived
from hub.ingest.projecting import PROBATION, RUN, Registry
from hub.ingest.worker import Ingest
from tests.hub.senders import NOW_MS, Journal, Sent, enrolled, rows
from tests.hub.test_ingest import NoPresence, no_bulk

GOOD, BAD = "gw-1", "gw-2"
MANY = 199


class Counted:
    """What was asked of the database. `work`: statements of projections; `savepoints`: how many were begun."""

    def __init__(self) -> None:
        self.work = 0
        self.savepoints = 0
        self.all = 0


@contextmanager
def counting(database: Database) -> Iterator[Counted]:
    """Count from here on."""
    found = Counted()

    def statement(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        found.all += 1
        found.work += "/* work */" in statement

    def savepoint(_conn: object, _name: str) -> None:
        found.savepoints += 1

    engine = database.engine.sync_engine
    listeners: list[tuple[str, Callable[..., None]]] = [("before_cursor_execute", statement), ("savepoint", savepoint)]
    for name, listener in listeners:
        sqlalchemy_event.listen(engine, name, listener)
    try:
        yield found
    finally:
        for name, listener in listeners:
            sqlalchemy_event.remove(engine, name, listener)


async def works(conn: AsyncConnection, event: StoredEvent) -> None:
    """Stands for a domain; what gw-2 says of alarms fails in the database."""
    await conn.execute(text("SELECT 1 /* work */"))
    if event.gateway == BAD and event.kind == "alarm.cleared":
        await conn.execute(text("SELECT 1 / 0"))


REGISTRY: Registry = {"door.opened": [works], "alarm.cleared": [works]}
UNKNOWN_ALARM = b'{"alarm": "a1", "rule": "r"}'
MISFIT = b'{"alarm": 7}'


class Two:
    """An honest gateway with many events in each group, and one whose single event cannot be projected."""

    def __init__(self, database: Database) -> None:
        self.honest, self.hostile = Journal(GOOD, "a" * 32), Journal(BAD, "b" * 32)
        self.sent = Sent()
        self.ingest = Ingest(database, REGISTRY, self.sent, NoPresence(), no_bulk, now_ms=lambda: NOW_MS)

    async def group(self, bad: bytes | None) -> None:
        """One transaction: `MANY` good events, with the bad one in their midst."""
        first = len(self.honest.events) + 1
        self.honest.record_many(MANY)
        middle = first + MANY // 2
        batches: list[EventsArrived] = [self.honest.arrived(first, middle)]
        if bad is not None:
            at = self.hostile.record("alarm.cleared", bad, "pump-1").seq
            batches.append(self.hostile.arrived(at, at))
        batches.append(self.honest.arrived(middle + 1, first + MANY - 1))
        await self.ingest.facts(batches)


async def failed(database: Database) -> list[tuple[object, ...]]:
    return list(await rows(database, "SELECT gateway, seq FROM events WHERE failed IS NOT NULL ORDER BY id"))


async def test_data_that_do_not_fit_their_kind_cost_nobody_anything(database: Database) -> None:
    await enrolled(database, GOOD, BAD)
    two = Two(database)
    with counting(database) as counted:
        await two.group(MISFIT)
    assert (counted.work, counted.savepoints) == (MANY, 1)
    assert await failed(database) == [(BAD, 1)]


async def test_what_fails_in_the_database_costs_the_others_once_and_then_stands_apart(database: Database) -> None:
    await enrolled(database, GOOD, BAD)
    two = Two(database)
    with counting(database) as first:
        await two.group(UNKNOWN_ALARM)
    # Those before it in its run are done a second time; those after it go on.
    assert MANY < first.work - 1 <= MANY + MANY // 2 + 1
    with counting(database) as second:
        await two.group(UNKNOWN_ALARM)
    assert (second.work, second.savepoints) == (MANY + 1, 3)
    assert await failed(database) == [(BAD, 1), (BAD, 2)]
    records = await rows(database, "SELECT count(*) FROM events WHERE kind = 'projection.failed'")
    assert records == [(2,)]


async def test_only_the_kind_that_failed_is_on_probation(database: Database) -> None:
    await enrolled(database, BAD)
    journal = Journal(BAD, "b" * 32)
    ingest = Ingest(database, REGISTRY, Sent(), NoPresence(), no_bulk, now_ms=lambda: NOW_MS)
    journal.record("alarm.cleared", UNKNOWN_ALARM, "pump-1")
    await ingest.facts([journal.arrived(1, 1)])
    for _ in range(3):
        journal.record()
    with counting(database) as counted:
        await ingest.facts([journal.arrived(2, 4)])
    assert counted.savepoints == 1


async def test_probation_ends(database: Database) -> None:
    await enrolled(database, GOOD)
    journal, troubled = Journal(GOOD), {1}

    async def mends(conn: AsyncConnection, event: StoredEvent) -> None:
        if event.seq in troubled:
            raise ValueError("not yet")

    ingest = Ingest(database, {"door.opened": [mends]}, Sent(), NoPresence(), no_bulk, now_ms=lambda: NOW_MS)
    journal.record_many(1 + PROBATION + 10)
    await ingest.facts([journal.arrived(1, 1)])
    with counting(database) as apart:
        await ingest.facts([journal.arrived(2, 1 + PROBATION)])
    with counting(database) as together:
        await ingest.facts([journal.arrived(2 + PROBATION, 1 + PROBATION + 10)])
    assert (apart.savepoints, together.savepoints) == (PROBATION, 1)


async def test_a_large_group_is_cut_into_runs(database: Database) -> None:
    await enrolled(database, GOOD)
    journal, tries = Journal(GOOD).record_many(2 * RUN), list[int]()

    async def last_fails(conn: AsyncConnection, event: StoredEvent) -> None:
        tries.append(event.seq)
        if event.seq == 2 * RUN:
            raise ValueError("the very last")

    ingest = Ingest(database, {"door.opened": [last_fails]}, Sent(), NoPresence(), no_bulk, now_ms=lambda: NOW_MS)
    await ingest.facts([journal.arrived(first, first + 99) for first in range(1, 2 * RUN, 100)])
    assert len(tries) == 2 * RUN + RUN - 1
    assert await failed(database) == [(GOOD, 2 * RUN)]


@pytest.mark.parametrize("bad", [{1}, {2, 3}, {1, 3, 5}, {1, 2, 3, 4, 5, 6}])
async def test_what_was_told_of_a_failed_event_is_forgotten(database: Database, bad: set[int]) -> None:
    await enrolled(database, GOOD)
    journal, told, last = Journal(GOOD).record_many(6), list[object](), list[object]()

    async def at_the_end(conn: AsyncConnection, items: object) -> None:
        last.append(items)

    async def tells(conn: AsyncConnection, event: StoredEvent) -> None:
        outcome(conn).state({"id": event.seq})
        outcome(conn).put_off(at_the_end, event.seq)
        if event.seq in bad:
            raise ValueError(f"bad {event.seq}")

    database.subscribe(lambda done: told.extend(state["id"] for state in done.states))
    ingest = Ingest(database, {"door.opened": [tells]}, Sent(), NoPresence(), no_bulk, now_ms=lambda: NOW_MS)
    await ingest.facts([journal.arrived(1, 6)])
    well = [seq for seq in range(1, 7) if seq not in bad]
    assert told == well
    assert last == ([well] if well else [])
    assert await failed(database) == [(GOOD, seq) for seq in sorted(bad)]


async def test_what_is_put_off_and_fails_stops_no_stream(database: Database) -> None:
    await enrolled(database, GOOD)
    journal, told = Journal(GOOD).record_many(3), list[object]()

    async def breaks(conn: AsyncConnection, items: object) -> None:
        outcome(conn).state({"id": "never"})
        await conn.execute(text("SELECT 1 / 0"))

    async def tells(conn: AsyncConnection, event: StoredEvent) -> None:
        outcome(conn).state({"id": event.seq})
        outcome(conn).put_off(breaks, event.seq)

    database.subscribe(lambda done: told.extend(state["id"] for state in done.states))
    sent = Sent()
    ingest = Ingest(database, {"door.opened": [tells]}, sent, NoPresence(), no_bulk, now_ms=lambda: NOW_MS)
    await ingest.facts([journal.arrived(1, 3)])
    assert sent.acks() == [(journal.stream, "committed", 3)]
    assert told == [1, 2, 3]
    assert await rows(database, "SELECT count(*) FROM events WHERE kind = 'door.opened'") == [(3,)]
