"""Events that come again in another stream are stored once; a stream that follows from none is told."""

from __future__ import annotations

import msgspec
import pytest

from contract.facts.gateway import JournalLost
from hub.database.transactions import Database, Outcome
from hub.events.service import WantedEvents, events
from hub.events.verifying import verify
from hub.ingest.places import Places, StreamPlace
from hub.ingest.projecting import Registry
from hub.ingest.worker import Ingest
from tests.hub.senders import STREAM, Journal, Sent, enrolled, rows
from tests.hub.test_ingest import history, ingest

SECOND, THIRD, FOURTH = "b" * 32, "c" * 32, "d" * 32


async def marks(database: Database, mark: str) -> int:
    found = await rows(database, "SELECT count(*) FROM events WHERE data::text LIKE :mark", mark=f"%{mark}%")
    return int(str(found[0][0]))


async def losses(database: Database) -> list[JournalLost]:
    found = await rows(database, "SELECT data::text FROM events WHERE kind = 'journal.lost' ORDER BY id")
    return [msgspec.json.decode(str(row[0]), type=JournalLost) for row in found]


async def verified(database: Database) -> None:
    assert (await verify(database)).disagreements == []


async def standing(database: Database, sent: Sent, registry: Registry | None = None) -> tuple[Ingest, Journal]:
    """A hub that holds ten events, and the journal that made them and two more after a copy was put back."""
    await enrolled(database, "gw-1")
    hub = ingest(database, sent, registry)
    whole = Journal().record_many(10)
    await hub.facts([whole.arrived(1, 10)])
    return hub, whole.copied(6).record_many(3, "after the copy")


async def test_an_older_journal_put_back_again_and_again_doubles_nothing(database: Database) -> None:
    sent = Sent()
    hub, copy = await standing(database, sent)
    for stream in (SECOND, THIRD, FOURTH):
        await hub.facts([copy.arrived(7, 9)])
        moved = copy.forked(6, stream)
        await hub.facts([moved.arrived(1, 4)])
        assert sent.acks()[-2:] == [(STREAM, "fork", 6), (stream, "committed", 4)]
    assert await marks(database, "after the copy") == 3
    assert len(await history(database)) == 10 + 4 + 1 + 1
    await verified(database)


async def test_what_was_moved_twice_is_still_known_by_its_first_place(database: Database) -> None:
    sent = Sent()
    hub, copy = await standing(database, sent)
    once = copy.forked(6, SECOND)
    await hub.facts([once.arrived(1, 2)])
    twice = once.forked(2, THIRD)
    await hub.facts([twice.arrived(1, 3)])
    again = once.forked(0, FOURTH)
    await hub.facts([again.arrived(1, 5)])
    assert await marks(database, "after the copy") == 3
    await verified(database)


async def test_a_stream_that_never_came_before_its_own_fork_is_not_taken_afterwards(database: Database) -> None:
    """Its events have no first place elsewhere: an ordinary batch of it would be a second recording."""
    sent = Sent()
    hub, copy = await standing(database, sent)
    unheard = copy.forked(6, SECOND).record_many(2, "first recorded in the second stream")
    third = unheard.forked(0, THIRD)
    await hub.facts([third.arrived(1, 7), unheard.arrived(1, 6)])
    assert sent.acks()[-2:] == [(THIRD, "committed", 7), (SECOND, "fork", 0)]
    await hub.facts([unheard.arrived(1, 6)])
    assert sent.acks()[-1] == (SECOND, "fork", 0)
    await hub.facts([unheard.forked(0, FOURTH).arrived(1, 7)])
    assert await marks(database, "after the copy") == 3
    assert await marks(database, "first recorded in the second") == 2
    await verified(database)


async def test_all_of_it_in_one_transaction(database: Database) -> None:
    """The old stream's own batch, and two moves of the same events, one after the other in the same group."""
    sent = Sent()
    await enrolled(database, "gw-1")
    journal = Journal().record_many(6, "once")
    hub = ingest(database, sent)
    second, third = journal.forked(2, SECOND), journal.forked(2, THIRD)
    await hub.facts([journal.arrived(1, 4), second.arrived(1, 5), third.arrived(1, 5), journal.arrived(3, 6)])
    assert [ack[1:] for ack in sent.acks()] == [("committed", 4), ("committed", 5), ("committed", 5), ("fork", 4)]
    assert await marks(database, "once") == 6
    await verified(database)


async def test_screens_and_projections_hear_of_a_fact_once(database: Database) -> None:
    told: list[Outcome] = []
    database.subscribe(told.append)
    projected: list[int] = []

    async def projection(conn: object, event: object) -> None:
        projected.append(event.seq)  # type: ignore[attr-defined]

    hub, copy = await standing(database, Sent(), {"door.opened": (projection,)})
    await hub.facts([copy.forked(6, SECOND).arrived(1, 4)])
    shown, done = sum(len(one.events) for one in told), len(projected)
    await hub.facts([copy.forked(6, THIRD).arrived(1, 4)])
    assert len(projected) == done
    assert sum(len(one.events) for one in told) == shown + 1


async def test_a_claimed_place_with_other_content_is_another_fact(database: Database) -> None:
    hub, copy = await standing(database, Sent())
    await hub.facts([copy.forked(6, SECOND).arrived(1, 4)])
    other = copy.copied(6).record_many(3, "something else").forked(6, THIRD)
    other.firsts = copy.forked(6, THIRD).firsts
    await hub.facts([other.arrived(1, 4)])
    assert await marks(database, "something else") == 3
    await verified(database)


async def test_a_place_of_another_gateway_is_no_place_of_ones_own(database: Database) -> None:
    hub, _ = await standing(database, Sent())
    await enrolled(database, "gw-2")
    thief = Journal("gw-2", STREAM).record_many(10).forked(0, SECOND)
    await hub.facts([thief.arrived(1, 11)])
    assert len(await rows(database, "SELECT 1 FROM events WHERE gateway = 'gw-2'")) == 11


async def test_a_stream_that_was_taken_over_goes_on_and_its_repeats_are_acknowledged(database: Database) -> None:
    sent = Sent()
    hub, copy = await standing(database, sent)
    await hub.facts([copy.forked(6, SECOND).arrived(1, 4)])
    third = copy.forked(6, THIRD).record_many(2, "later")
    await hub.facts([third.arrived(1, 4)])
    await hub.facts([third.arrived(1, 4), third.arrived(3, 6), third.arrived(5, 6)])
    assert [ack[1:] for ack in sent.acks()][-3:] == [("committed", 4), ("committed", 6), ("committed", 6)]
    assert await marks(database, "later") == 2
    assert (await verify(database, THIRD)).events == 6
    await verified(database)


async def test_the_history_says_where_an_event_was_first_recorded(database: Database) -> None:
    told: list[Outcome] = []
    database.subscribe(told.append)
    hub, copy = await standing(database, Sent())
    await hub.facts([copy.forked(6, SECOND).arrived(1, 4)])
    async with database.transaction() as conn:
        found = (await events(conn, WantedEvents(), 3)).events
    firsts = [(one.first.stream, one.first.seq) for one in found if one.first is not None]
    assert firsts == [(STREAM, 9), (STREAM, 8), (STREAM, 7)]
    live = [(one.first.stream, one.first.seq) for one in told[-1].events if one.first is not None]
    assert live == list(reversed(firsts))


@pytest.mark.parametrize("place", ["head", "middle"])
async def test_verifying_finds_a_place_that_is_gone(database: Database, place: str) -> None:
    hub, copy = await standing(database, Sent())
    for stream in (SECOND, THIRD):
        await hub.facts([copy.forked(6, stream).arrived(1, 4)])
    seq = 4 if place == "head" else 3
    async with database.transaction() as conn:
        await conn.exec_driver_sql(f"DELETE FROM event_places WHERE stream = '{THIRD}' AND seq = {seq}")
    [found] = (await verify(database)).disagreements
    assert (found.stream, found.seq) == (THIRD, seq)


# --- Lost journals


async def test_a_stream_that_follows_from_none_is_told_once(database: Database) -> None:
    await enrolled(database, "gw-1", "gw-2")
    hub = ingest(database, Sent())
    await hub.facts([Journal().record_many(5).arrived(1, 5), Journal("gw-2", FOURTH).record_many(1).arrived(1, 1)])
    assert await losses(database) == []
    fresh = Journal(stream=SECOND).record_many(4)
    await hub.facts([fresh.arrived(1, 2), fresh.arrived(3, 4)])
    await hub.facts([fresh.arrived(1, 4), fresh.record_many(1).arrived(5, 5)])
    assert await losses(database) == [JournalLost(gateway="gw-1", stream=SECOND, before=STREAM, held=5)]
    # Over as soon as it is told, but it waits for somebody to see it.
    assert await rows(database, "SELECT rule, source, state, gateway FROM alarms") == [
        ("journal.lost", "gw-1", "cleared", "")
    ]


async def test_a_fork_is_no_loss_even_of_a_stream_that_never_came(database: Database) -> None:
    hub, copy = await standing(database, Sent())
    await hub.facts([copy.forked(6, SECOND).forked(0, THIRD).arrived(1, 5)])
    assert await losses(database) == []
    fresh = Journal(stream=FOURTH)
    fresh.record("stream.forked", msgspec.json.encode({"old_stream": "", "agreed": 0, "why": "unreadable"}), "gw-1")
    await hub.facts([fresh.arrived(1, 1)])
    assert await losses(database) == [JournalLost(gateway="gw-1", stream=FOURTH, before=THIRD, held=5)]


def test_a_place_that_was_noted_as_the_first_one_can_be_chained_later() -> None:
    """The stream that the event was moved from may come in the same transaction, after the one it was moved to."""
    old = Journal().record_many(1)
    new = old.forked(0, "b" * 32)
    event, (moved,) = new.events[1], new.batch(1, 2).moved
    places = Places({})
    places.new("gw-1", event, moved, StreamPlace(new.stream, 2, new.hash_at(2)), 0)
    first = StreamPlace(old.stream, 1, old.hash_at(1))
    assert not places.noted[first].chained
    assert places.again("gw-1", event, moved, first)
    assert places.noted[first].chained
