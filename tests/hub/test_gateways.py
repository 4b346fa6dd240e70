"""Gateways: enrolment, births and forks, who is lost by will or by silence."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from contract.acks import Ack
from contract.facts.hub import GatewaySeen
from contract.presence import Presence
from hub.database.transactions import Database
from hub.gateways.service import EnrolmentError, enrol
from hub.ingest.arrivals import PresenceArrived
from hub.ingest.presence import GatewayPresence
from hub.ingest.worker import stages
from tests.hub.office import office
from tests.hub.senders import NOW_MS, STREAM, Journal, Sent, arrived, enrolled, rows
from tests.hub.test_ingest import ingest


def heard(presence: Presence, at_ms: int = NOW_MS, gateway: str = "gw-1") -> PresenceArrived:
    found = arrived(gateway, "presence", presence, at_ms)
    assert isinstance(found, PresenceArrived)
    return found


def presence_of(database: Database, sent: Sent, silence_s: float = 45) -> GatewayPresence:
    return GatewayPresence(database, sent, silence_s=silence_s, now_ms=lambda: NOW_MS)


async def recorded(database: Database) -> list[object]:
    return [row[0] for row in await rows(database, "SELECT kind FROM events WHERE gateway IS NULL ORDER BY id")]


async def test_enrolment(database: Database) -> None:
    await enrolled(database, "gw-1")
    await enrolled(database, "gw-1")
    async with database.transaction() as conn:
        with pytest.raises(EnrolmentError, match="enrolled for site demo"):
            await enrol(conn, "gw-1", "other")
        with pytest.raises(EnrolmentError, match="expected 1 to 64"):
            await enrol(conn, "gw.1", "demo")


async def test_signs_of_life_are_shown(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        gateways = presence_of(database, Sent())
        journal = hub.journals["demo"]
        await gateways.seen(heard(journal.presence(at_ms=NOW_MS + 1500, desired=7), gateway="demo-gw"))
        assert (await guard.get("/api/gateways")).json() == {
            "items": [
                {
                    "id": "demo-gw", "site": "demo", "online": True, "backlog": 0, "readings_backlog": 0,
                    "clock": "ok", "clock_error_ms": 1500,
                    "versions": {"software": "1.0", "desired": 7, "site_file": "abc", "reads": 1},
                    "seen_at": "2026-09-21T14:13:20.000Z",
                }
            ],
            "next": None,
        }  # fmt: skip
        assert (await guard.get("/api/gateways?site=other")).status_code == 403
        assert await hub.events("gateway.found") == [("gateway.found", "demo", {"gateway": "demo-gw", "backlog": 0})]


async def test_the_clock_error_that_the_gateway_measured_counts_and_not_the_way_of_its_word(database: Database) -> None:
    await enrolled(database, "gw-1")
    gateways = presence_of(database, Sent())
    for error_ms, shown in ((-120_000, -120_000), (4 * 10**18, 2**53)):
        presence = msgspec.structs.replace(Journal().presence(at_ms=NOW_MS - 700), clock_error_ms=error_ms)
        await gateways.seen(heard(presence))
        assert await rows(database, "SELECT clock_error_ms FROM gateways") == [(shown,)]


async def test_a_will_is_believed_after_the_gateways_time_was_taken_back(database: Database) -> None:
    await enrolled(database, "gw-1")
    gateways = presence_of(database, Sent())
    journal = Journal()
    await gateways.seen(heard(journal.presence(at_ms=NOW_MS + 70 * 365 * 86_400_000)))
    await gateways.seen(heard(journal.presence(at_ms=NOW_MS)))
    await gateways.seen(heard(journal.presence("gone", at_ms=NOW_MS - 100)))
    assert await rows(database, "SELECT online FROM gateways") == [(False,)]


async def test_the_topic_says_who_speaks_and_strangers_are_not_heard(database: Database) -> None:
    await enrolled(database, "gw-1", "gw-2")
    gateways = presence_of(database, Sent())
    await gateways.seen(heard(Journal("gw-2").presence(), gateway="gw-1"))
    await gateways.seen(heard(Journal("gw-9").presence(), gateway="gw-9"))
    assert await rows(database, "SELECT id FROM gateways WHERE online") == [("gw-1",)]


async def test_a_birth_behind_what_is_committed_forks(database: Database) -> None:
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(9), Sent()
    await ingest(database, sent).facts([journal.arrived(1, 9)])
    sent.acks()
    gateways = presence_of(database, sent)
    await gateways.seen(heard(journal.presence()))
    await gateways.seen(heard(journal.copied(4).presence(at_ms=NOW_MS + 1)))
    assert sent.acks() == [(STREAM, "committed", 9), (STREAM, "fork", 4)]


async def test_a_birth_that_the_broker_repeats_is_not_judged_again(database: Database) -> None:
    """It was level when it was made; what was recorded since must not look like a fork."""
    await enrolled(database, "gw-1")
    journal, sent = Journal().record_many(4), Sent()
    hub, gateways = ingest(database, sent), presence_of(database, sent)
    birth = heard(journal.presence())
    await hub.facts([journal.arrived(1, 4)])
    await gateways.seen(birth)
    await hub.facts([journal.record_many(3).arrived(5, 7)])
    await gateways.seen(birth)
    assert [ack[1:] for ack in sent.acks()] == [("committed", 4), ("committed", 4), ("committed", 7)]


async def test_a_last_will_is_recorded_once(database: Database) -> None:
    await enrolled(database, "gw-1")
    gateways, journal = presence_of(database, Sent()), Journal()
    await gateways.seen(heard(journal.presence(at_ms=NOW_MS + 10)))
    for _ in range(2):
        await gateways.seen(heard(journal.presence("gone", at_ms=NOW_MS)))
    assert await recorded(database) == ["gateway.found", "gateway.lost"]
    await gateways.seen(heard(journal.presence("alive", at_ms=NOW_MS + 20)))
    assert await recorded(database) == ["gateway.found", "gateway.lost", "gateway.found"]


async def test_the_will_of_the_connection_before_is_not_believed(database: Database) -> None:
    """The gateway came back at once; the broker publishes the old connection's will after the new birth."""
    await enrolled(database, "gw-1")
    gateways, journal = presence_of(database, Sent()), Journal()
    await gateways.seen(heard(journal.presence(at_ms=NOW_MS + 10)))
    await gateways.seen(heard(journal.presence(at_ms=NOW_MS + 2010)))
    await gateways.seen(heard(journal.presence("gone", at_ms=NOW_MS)))
    assert await recorded(database) == ["gateway.found"]
    await gateways.seen(heard(journal.presence("gone", at_ms=NOW_MS + 2000)))
    assert await recorded(database) == ["gateway.found", "gateway.lost"]


async def watch(gateways: GatewayPresence) -> None:
    while True:  # noqa: ASYNC110 - as the job does it
        await asyncio.sleep(await gateways.silent())


async def test_silence_is_noticed_also_of_those_that_were_there_before_the_hub_started(database: Database) -> None:
    await enrolled(database, "gw-1", "gw-2", "gw-3")
    before = presence_of(database, Sent())
    await before.seen(heard(Journal("gw-1").presence(), gateway="gw-1"))
    gateways = presence_of(database, Sent(), silence_s=0.05)
    lost = asyncio.Event()
    database.subscribe(lambda told: lost.set() if len(told.events) and told.events[0].source == "gw-2" else None)
    watching = asyncio.create_task(watch(gateways))
    await asyncio.sleep(0)
    await gateways.seen(heard(Journal("gw-2").presence(), gateway="gw-2"))
    lost.clear()
    await lost.wait()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    gone = await rows(database, "SELECT source, data::text FROM events WHERE kind = 'gateway.lost' ORDER BY source")
    assert [row[0] for row in gone] == ["gw-1", "gw-2"]
    assert GatewaySeen(gateway="gw-1", backlog=0).gateway in str(gone[0][1])
    assert await rows(database, "SELECT id FROM gateways WHERE online IS NULL") == [("gw-3",)]


async def test_whom_another_process_hears_is_not_lost(database: Database) -> None:
    await enrolled(database, "gw-1")
    deaf, other = presence_of(database, Sent(), silence_s=0.05), presence_of(database, Sent())
    journal = Journal()
    await deaf.seen(heard(journal.presence(), at_ms=NOW_MS))
    await other.seen(heard(journal.presence("alive", at_ms=NOW_MS + 10), at_ms=NOW_MS + 10))
    await asyncio.sleep(0.06)
    assert await deaf.silent() > 0
    assert await recorded(database) == ["gateway.found"]
    await asyncio.sleep(0.06)
    await deaf.silent()
    assert await recorded(database) == ["gateway.found", "gateway.lost"]


async def test_whoever_hears_nothing_notices_the_silence_of_whom_others_heard(database: Database) -> None:
    """Also of a gateway that came after its first look, and in little more than the time of silence."""
    await enrolled(database, "gw-1")
    deaf, hears = presence_of(database, Sent(), silence_s=0.4), presence_of(database, Sent(), silence_s=60)
    began = asyncio.get_running_loop().time()
    assert await deaf.silent() <= 0.1
    await hears.seen(heard(Journal().presence()))
    watching = asyncio.create_task(watch(deaf))
    async with asyncio.timeout(10):
        while await recorded(database) != ["gateway.found", "gateway.lost"]:  # noqa: ASYNC110 - as the job does it
            await asyncio.sleep(0.02)
    assert asyncio.get_running_loop().time() - began > 0.4
    watching.cancel()
    # Who hears goes by what the database says as well: it is not lost twice, and found again.
    await hears.silent()
    await hears.seen(heard(Journal().presence("alive", at_ms=NOW_MS + 10), at_ms=NOW_MS + 10))
    assert await recorded(database) == ["gateway.found", "gateway.lost", "gateway.found"]


def test_births_part_what_came_before_from_what_comes_after() -> None:
    journal = Journal().record_many(3)
    one, two, three = (journal.arrived(seq, seq) for seq in (1, 2, 3))
    birth, alive, gone = (heard(journal.presence(state)) for state in ("birth", "alive", "gone"))
    assert list(stages([one, alive, two, birth, three])) == [[one, two], [birth], [three]]
    assert list(stages([one, alive, two, alive])) == [[alive], [one, two]]
    assert list(stages([alive, one, birth, two, alive])) == [[one], [birth], [two], [alive]]
    assert list(stages([alive, gone])) == [[gone]]


async def test_gateways_hear_what_is_committed_when_the_broker_is_there(database: Database) -> None:
    async with office(database) as hub:
        sent = Sent()
        gateways = presence_of(database, sent)
        journal = hub.journals["demo"]
        await gateways.seen(heard(journal.presence(), gateway="demo-gw"))
        await enrolled(database, "gw-new", site="demo")
        sent.messages.clear()
        sent.something.clear()
        greeting = asyncio.create_task(gateways.greet())
        gateways.connected()
        await sent.something.wait()
        greeting.cancel()
        (message,) = sent.messages
        ack = message[2]
        assert isinstance(ack, Ack)
        assert message[:2] == ("demo-gw", "ack")
        assert (ack.stream, ack.state, ack.seq, ack.head) == (journal.stream, "committed", 1, journal.hash_at(1))
