"""Events and readings tell of the same doors and lanes at the same time, each in transactions of its own."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from contract.facts.entry import BarrierMoved, DoorMoved
from contract.instants import instant
from contract.kinds import encode_data
from contract.readings import Reading, ReadingsBatch, columns_of
from hub.database.transactions import Database
from hub.domains import LATEST
from hub.ingest.accept import accept
from hub.ingest.arrivals import EventsArrived, ReadingsArrived
from hub.telemetry.ingest import Readings
from tests.hub.office import PROJECTING, Office, layout, office
from tests.hub.senders import NOW_MS, arrived, rows

ROUNDS = 60
SITES = ("east", "west")
POINTS = ("garage.contact", "gate-in.barrier", "lobby-a.contact", "lobby-a.lock")


def facts(hub: Office, site: str, at_ms: int) -> EventsArrived:
    """What a gateway's journal brings: its places in an order of their own, and now and then the layout."""
    journal = hub.journals[site]
    first = len(journal.events) + 1
    moment = instant(at_ms)
    journal.record("door.opened", bytes(encode_data(DoorMoved(by="free"))), "lobby-a", moment)
    journal.record("barrier.opened", bytes(encode_data(BarrierMoved(by="free"))), "gate-in", moment)
    journal.record("door.closed", bytes(encode_data(DoorMoved(by="free"))), "garage", moment)
    if first % 5 == 0:
        journal.record("site.described", bytes(encode_data(layout(site))), site, moment)
    return journal.arrived(first, len(journal.events))


def telemetry(site: str, seq: int, at_ms: int) -> ReadingsArrived:
    """The same places as points, with values that change."""
    words = {"contact": ("open", "closed"), "barrier": ("up", "down"), "lock": ("locked", "released")}
    readings = [
        Reading(point=point, value=words[point.rpartition(".")[2]][seq % 2], quality="good", at=at_ms)
        for point in POINTS
    ]
    store = f"{SITES.index(site) + 1:032x}"
    found = arrived(
        f"{site}-gw", "telemetry", ReadingsBatch(store=store, seq=seq, oldest=seq, columns=columns_of(readings))
    )
    assert isinstance(found, ReadingsArrived)
    return found


async def deadlocks(database: Database) -> object:
    ((found,),) = await rows(database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return found


async def test_the_lanes_of_events_and_of_readings_never_lock_each_other(database: Database) -> None:
    async with office(database, *SITES) as hub:
        # A deadlock is found at once, and costs the test no second.
        async with database.engine.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            await conn.execute(text(f"ALTER DATABASE \"{database.engine.url.database}\" SET deadlock_timeout = '5ms'"))
        await database.engine.dispose()
        readings = Readings(database, LATEST, now_ms=lambda: NOW_MS)

        async def lane_of_events() -> None:
            for number in range(ROUNDS):
                # West before east, as they came.
                group = [facts(hub, site, NOW_MS + number * 10) for site in reversed(SITES)]
                async with database.transaction(writes=True) as conn:
                    await accept(conn, group, PROJECTING, NOW_MS + number)

        async def lane_of_readings() -> None:
            for number in range(ROUNDS):
                await readings.store([telemetry(site, number + 1, NOW_MS + number * 10 + 5) for site in SITES])

        await asyncio.gather(lane_of_events(), lane_of_readings())
        assert await deadlocks(database) == 0
        states = await rows(database, "SELECT count(*) FROM place_states WHERE site = ANY(:sites)", sites=list(SITES))
        assert states == [(2 * len(POINTS),)]
