"""What is projected late, or had to wait for a lock, does not undo what came in the meantime."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from contract.facts.machines import MeterRead
from contract.instants import instant
from contract.kinds import encode_data
from hub.database.transactions import Database
from hub.domains import projections
from hub.ingest.reprojecting import reproject
from hub.sites.states import on_readings
from hub.telemetry.ingest import Readings
from tests.hub.office import Office, office
from tests.hub.senders import rows
from tests.hub.test_telemetry import blob, reading

HOUR = 3_600_000
DAY = 24 * HOUR


def days_ago(days: int) -> int:
    """Milliseconds by the real clock, which the hub asks for its present."""
    return (int(time.time()) // 86_400 - days) * DAY


async def take(hub: Office, kind: str, at_ms: int, source: str, data: bytes) -> None:
    """An event that is received when it happens."""
    hub.now_ms = at_ms
    event = hub.journals["demo"].record(kind, data, source, at=instant(at_ms))
    await hub.take(hub.journals["demo"].arrived(event.seq, event.seq))


async def read(hub: Office, at_ms: int, value: float) -> None:
    data = MeterRead(register="import", value=value, unit="kWh", meter_no="1")
    await take(hub, "meter.read", at_ms, "main", bytes(encode_data(data)))


async def contact(database: Database) -> object:
    [(value,)] = await rows(database, "SELECT value #>> '{}' FROM place_states WHERE aspect = 'contact'")
    return value


async def test_late_meter_readings_are_not_booked_twice(database: Database) -> None:
    async with office(database) as hub:
        start = days_ago(3)
        for hour in range(8):
            await read(hub, start + hour * HOUR, 1000.0 + 10 * hour)
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE events SET failed = 'x' WHERE data ->> 'value' IN ('1010.0', '1020.0')"))
        done = await reproject(database, projections())
        assert (done.done, done.still) == (2, {})
        await read(hub, start + 8 * HOUR, 1080.0)
        assert await rows(database, "SELECT value, fallen FROM meters") == [(1080.0, None)]
        assert await rows(database, "SELECT sum(used), sum(odd) FROM meter_days") == [(pytest.approx(80.0), 0)]


async def test_a_late_word_does_not_turn_a_door_back(database: Database) -> None:
    async with office(database) as hub:
        await take(hub, "door.opened", days_ago(3), "lobby-a", b'{"by": "free"}')
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE events SET failed = 'x' WHERE kind = 'door.opened'"))
        await take(hub, "door.closed", days_ago(2), "lobby-a", b'{"by": "free"}')
        assert (await reproject(database, projections())).done == 1
        assert await contact(database) == "closed"


async def test_who_had_to_wait_does_not_turn_a_door_back(database: Database) -> None:
    async with office(database) as hub:
        start = days_ago(2)
        readings = Readings(database, (on_readings,), now_ms=lambda: start + 10_000)
        await readings.store([blob(1, [reading("lobby-a.contact", "closed", start + 9_000)], gateway="demo-gw")])
        # Its receipt is of before it waited for the history.
        await take(hub, "door.opened", start, "lobby-a", b'{"by": "free"}')
        assert await contact(database) == "closed"


async def test_readings_that_had_to_wait_do_not_replace_the_newest(database: Database) -> None:
    async with office(database):
        start = days_ago(2)
        for seq, (now_ms, value) in enumerate([(start + 10_000, 2.5), (start, 1.5)], 1):
            readings = Readings(database, now_ms=lambda now=now_ms: now)  # type: ignore[misc]
            await readings.store([blob(seq, [reading("pump-1.flow", value, now_ms)], gateway="demo-gw")])
        newest = datetime.fromtimestamp(start / 1000 + 10, UTC)
        assert await rows(database, "SELECT value::text, at FROM points") == [("2.5", newest)]
