"""What a gateway may not say is refused event by event; its stream goes on, and both chains still verify."""

from __future__ import annotations

import msgspec
import pytest

from contract.commands import Person
from contract.facts.hub import EventRefused, RecordChanged
from contract.kinds import KINDS, OF_THE_HUB, data_limit, decode_data
from contract.limits import EVENT_BYTES
from hub.database.transactions import Database, Outcome
from hub.events import stream
from hub.events.verifying import verify
from hub.ingest.omissions import fault_of
from hub.live import tell
from tests.hub.senders import STREAM, Journal, Sent, enrolled, rows
from tests.hub.test_ingest import history, ingest, own_kinds

BY_THE_BOSS = b'"by":{"id":"boss","name":"B","role":"admin"}'

FORGED = {
    "an account's change": ("account.changed", b'{"id":"boss","change":"updated",' + BY_THE_BOSS + b"}"),
    "a holder's change": ("holder.changed", b'{"id":"h","change":"removed",' + BY_THE_BOSS + b"}"),
    "another gateway's loss": ("gateway.lost", b'{"gateway":"gw-2"}'),
    "a ticket's step": ("ticket.closed", b'{"ticket":"t","state":"closed"}'),
    "more data than any event has": ("teapot.boiled", b'"' + b"x" * EVENT_BYTES + b'"'),
}  # fmt: skip


async def refusals(database: Database) -> list[EventRefused]:
    found = await rows(database, "SELECT data::text FROM events WHERE kind = 'event.refused' ORDER BY id")
    told = [decode_data("event.refused", str(data).encode()) for (data,) in found]
    return [one for one in told if isinstance(one, EventRefused)]


@pytest.mark.parametrize("case", FORGED)
async def test_a_forged_event_is_refused_alone_and_the_stream_goes_on(database: Database, case: str) -> None:
    await enrolled(database, "gw-1")
    kind, data = FORGED[case]
    journal, sent = Journal().record_many(2), Sent()
    forged = journal.record(kind, data)
    journal.record_many(2)
    hub = ingest(database, sent)
    await hub.facts([journal.arrived(1, 5)])
    assert sent.acks() == [(STREAM, "committed", 5)]
    assert [row[1] for row in await history(database)] == [1, 2, 4, 5]
    assert await own_kinds(database) == ["event.refused"]
    [told] = await refusals(database)
    assert [(one.seq, one.kind, one.hash) for one in told.events] == [(3, forged.kind, journal.hash_at(3))]
    assert (told.gateway, told.stream) == ("gw-1", STREAM)
    # What comes again, wholly or in part, is recognised and refused no second time.
    await hub.facts([journal.arrived(3, 5), journal.arrived(3, 3), journal.record_many(1).arrived(2, 6)])
    assert [ack[1:] for ack in sent.acks()] == [("committed", 5), ("committed", 3), ("committed", 6)]
    assert len(await refusals(database)) == 1
    assert (await verify(database)).disagreements == []


async def test_many_forged_events_are_told_together(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal(), Sent()
    for _ in range(250):
        journal.record("account.changed", b"{}")
    await ingest(database, sent).facts([journal.arrived(1, 200), journal.arrived(201, 250)])
    assert [ack[1:] for ack in sent.acks()] == [("committed", 200), ("committed", 250)]
    assert await history(database) == []
    assert [len(told.events) for told in await refusals(database)] == [200, 50]
    assert (await verify(database)).disagreements == []


async def test_a_refused_event_that_a_fork_moves_is_refused_at_its_new_place(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(2), Sent()
    journal.record("account.changed", b"{}")
    journal.record_many(1)
    hub = ingest(database, sent)
    await hub.facts([journal.arrived(1, 4)])
    await hub.facts([journal.forked(1, "d" * 32).arrived(1, 4)])
    assert [ack[1:] for ack in sent.acks()] == [("committed", 4), ("committed", 4)]
    assert len(await history(database)) == 4
    assert [told.events[0].seq for told in await refusals(database)] == [3, 3]
    assert (await verify(database)).disagreements == []


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        ("UPDATE event_places SET hash = decode(repeat('ab', 32), 'hex') WHERE seq = 3", 3),
        ("DELETE FROM event_places WHERE seq = 3", 3),
        (
            "WITH gone AS (DELETE FROM events WHERE gateway = 'gw-1' AND seq = 2 RETURNING stream, seq, hash)"
            " INSERT INTO event_places SELECT stream, seq, hash, (SELECT id FROM events WHERE kind = 'event.refused'),"
            " true FROM gone",
            2,
        ),
    ],
    ids=["another hash", "a place that is gone", "an event made out to have been refused"],
)
async def test_verifying_finds_what_was_changed_about_refused_events(database: Database, change: str, seq: int) -> None:
    await enrolled(database, "gw-1")
    journal = Journal().record_many(2)
    journal.record("account.changed", b"{}")
    journal.record_many(1)
    await ingest(database, Sent()).facts([journal.arrived(1, 4)])
    async with database.transaction() as conn:
        await conn.exec_driver_sql(change)
    [found] = (await verify(database)).disagreements
    assert (found.stream, found.seq) == (STREAM, seq)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_hub_is_refused_from_a_gateway_and_no_other(kind: str) -> None:
    event = Journal().record(kind, b"{}")
    fault = fault_of(event)
    assert (fault is not None and fault.name == "origin") == (kind in OF_THE_HUB)


@pytest.mark.parametrize("kind", ["door.opened", "site.described", "teapot.boiled"])
def test_data_is_held_up_to_its_kinds_limit(kind: str) -> None:
    fits = b'"' + b"x" * (data_limit(kind) - 2) + b'"'
    assert fault_of(Journal().record(kind, fits)) is None
    found = fault_of(Journal().record(kind, fits + b" "))
    assert found is not None
    assert found.name == "size"


async def test_no_gateways_word_ends_a_screen(database: Database) -> None:
    """Even were it held: screens end by what this hub itself committed."""
    ended: list[str] = []

    class Screens:
        def publish(self, *_: object) -> None:
            pass

        def end(self, account: str) -> None:
            ended.append(account)

    await enrolled(database, "gw-1")
    told: list[Outcome] = []
    database.subscribe(told.append)
    changed = RecordChanged(id="boss", by=Person(id="boss", name="B", role="admin"), change="updated", fields=["role"])
    async with database.transaction(writes=True) as conn:
        await stream.record(conn, "account.changed", "boss", changed)
    own = told[-1].events[-1]
    tell(Screens())(told[-1])  # type: ignore[arg-type]
    assert ended == ["boss"]
    tell(Screens())(Outcome(events=[msgspec.structs.replace(own, gateway="gw-1")]))  # type: ignore[arg-type]
    assert ended == ["boss"]
