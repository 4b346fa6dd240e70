"""Nothing takes its time from the future: what claims to is of its receipt, and what stands there gives way."""

from __future__ import annotations

from datetime import UTC, datetime

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from contract.facts.alarms import AlarmRaised
from contract.facts.gateway import Empty
from contract.facts.machines import MeterRead
from contract.instants import instant, milliseconds
from contract.kinds import encode_data
from contract.readings import Reading
from contract.texts import Text
from hub import migrations
from hub.database.event import AHEAD
from hub.database.transactions import Database
from hub.sites.states import on_readings
from hub.telemetry.ingest import Readings
from tests.hub.office import Office, office
from tests.hub.senders import NOW_MS, enrolled, rows
from tests.hub.test_telemetry import blob, reading

IN_2099 = milliseconds("2099-01-01T00:00:00.000Z")
UNTIL_MS = NOW_MS + round(AHEAD.total_seconds() * 1000)


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


async def take(hub: Office, kind: str, at_ms: int, source: str = "lobby-a", data: bytes = b"{}") -> None:
    """An event that claims to be of `at_ms`."""
    journal = hub.journals["demo"]
    event = journal.record(kind, data, source, at=instant(at_ms))
    await hub.take(journal.arrived(event.seq, event.seq))


async def contact(hub: Office) -> object:
    [(value,)] = await rows(hub.database, "SELECT value #>> '{}' FROM place_states WHERE aspect = 'contact'")
    return value


async def test_a_door_of_2099_is_as_its_next_event_says(database: Database) -> None:
    async with office(database) as hub:
        await take(hub, "door.opened", IN_2099, data=b'{"by":"free"}')
        assert await contact(hub) == "open"
        hub.now_ms += 60_000
        await take(hub, "door.closed", hub.now_ms, data=b'{"by":"free"}')
        assert await contact(hub) == "closed"


async def test_a_door_that_stands_in_2099_gives_way_to_events_and_readings(database: Database) -> None:
    async with office(database) as hub:
        await take(hub, "door.opened", NOW_MS, data=b'{"by":"free"}')
        poison = text("UPDATE place_states SET at = '2099-01-01'")
        async with database.transaction() as conn:
            await conn.execute(poison)
        await take(hub, "door.closed", NOW_MS + 1_000, data=b'{"by":"free"}')
        assert await contact(hub) == "closed"
        async with database.transaction() as conn:
            await conn.execute(poison)
        readings = Readings(database, (on_readings,), now_ms=lambda: NOW_MS + 5_000)
        await readings.store([blob(1, [reading("lobby-a.contact", "open", NOW_MS + 2_000)], gateway="demo-gw")])
        assert await contact(hub) == "open"


async def test_an_alarm_of_2099_stands_where_it_was_received(database: Database) -> None:
    async with office(database) as hub:
        raised = AlarmRaised(
            alarm="a-1", rule="dry-run@pump-1", severity="major", message=Text("干转", "dry"), asset="pump-1", values={}
        )
        await take(hub, "alarm.raised", IN_2099, "pump-1", bytes(encode_data(raised)))
        [(at,)] = await rows(database, "SELECT raised_at FROM alarms")
        assert at == moment(UNTIL_MS + 1 + len(hub.journals["demo"].events) - 1)


async def test_readings_of_2099_are_refused_counted_and_told_once_a_minute(database: Database) -> None:
    await enrolled(database, "gw-1")
    now_ms = NOW_MS
    readings = Readings(database, now_ms=lambda: now_ms)
    wild = [reading("pump-1.flow", float(n), IN_2099 + n) for n in range(30)]
    for _ in range(2):  # sent again, nothing of it is doubled
        answers = await readings.store([blob(1, [reading("pump-1.flow", 1.5, NOW_MS - 1_000), *wild])])
        assert [answer.ack.state for answer in answers] == ["committed"]
    assert await rows(database, "SELECT value, at FROM readings") == [(1.5, moment(NOW_MS - 1_000))]
    assert await rows(database, "SELECT value::text, at FROM points") == [("1.5", moment(NOW_MS - 1_000))]
    told = "SELECT data->>'why' FROM events WHERE kind = 'batch.refused'"
    why = "telemetry: 30 readings are of a time to come, up to 2099-01-01T00:00:00.029Z"
    assert await rows(database, told) == [(why,)]
    now_ms += 60_000
    await readings.store([blob(2, wild)])
    assert len(await rows(database, told)) == 2
    partitions = await rows(database, "SELECT relname FROM pg_class WHERE relname LIKE 'readings_y2099%'")
    assert partitions == []


async def test_a_hub_whose_clock_fell_behind_loses_no_good_readings(database: Database) -> None:
    week = 7 * 86_400_000
    async with office(database):
        elapsed = 0.0
        late = Readings(database, now_ms=lambda: NOW_MS - week, monotonic=lambda: elapsed)
        for seq, days in enumerate((0, 3), 1):
            elapsed = days * 86_400.0
            good = reading("pump-1.flow", float(seq), NOW_MS + days * 86_400_000)
            await late.store([blob(seq, [good, reading("pump-1.flow", 9.5, IN_2099)], gateway="demo-gw")])
    expected = [(1.0, moment(NOW_MS)), (2.0, moment(NOW_MS + 3 * 86_400_000))]
    assert await rows(database, "SELECT value, at FROM readings ORDER BY at") == expected


async def test_readings_a_little_ahead_are_kept_and_the_newest_is_of_its_receipt(database: Database) -> None:
    await enrolled(database, "gw-1")
    now_ms = NOW_MS
    readings = Readings(database, now_ms=lambda: now_ms)

    async def newest(seq: int, one: Reading) -> object:
        await readings.store([blob(seq, [one])])
        [(value, at)] = await rows(database, "SELECT value::text, at FROM points")
        return value, at

    assert await newest(1, reading("pump-1.flow", 1.5, NOW_MS + 90_000)) == ("1.5", moment(UNTIL_MS))
    assert await rows(database, "SELECT at FROM readings") == [(moment(NOW_MS + 90_000),)]
    now_ms = NOW_MS + 10_000
    assert await newest(2, reading("pump-1.flow", 2.5, now_ms)) == ("2.5", moment(now_ms))
    async with database.transaction() as conn:
        await conn.execute(text("UPDATE points SET at = '2099-01-01'"))
    assert await newest(3, reading("pump-1.flow", 3.5, now_ms + 1)) == ("3.5", moment(now_ms + 1))
    assert await newest(4, reading("pump-1.flow", 4.5, now_ms)) == ("3.5", moment(now_ms + 1))


async def test_a_database_that_was_poisoned_before_heals_with_the_software(database: Database) -> None:
    """Days of 2099 are put where their readings were received, alarms and tickets where they can be seen."""
    revision = ScriptDirectory.from_config(migrations.config()).get_revision("clock_meters_and_the_future")
    assert isinstance(revision.down_revision, str)
    before = revision.down_revision
    async with office(database) as hub:
        read = MeterRead(register="import", value=5.0, unit="kWh", meter_no="m")
        await take(hub, "meter.read", IN_2099, "main", bytes(encode_data(read)))
        raised = AlarmRaised(
            alarm="a-1", rule="dry-run@pump-1", severity="major", message=Text("干转", "dry"), asset="pump-1", values={}
        )
        await take(hub, "alarm.raised", NOW_MS, "pump-1", bytes(encode_data(raised)))
        await take(hub, "gateway.stopped", NOW_MS, "demo-gw", bytes(encode_data(Empty())))
        async with database.transaction() as conn:
            await conn.run_sync(lambda sync: command.downgrade(migrations.config(sync), before))
            await conn.execute(text("UPDATE alarms SET raised_at = '2099-01-01'"))
            await conn.execute(text("UPDATE meters SET at = '2099-01-01'"))
            await conn.execute(text("DELETE FROM meter_days"))
            for day, first, last, used in (("2098-12-31", 1, 3, 2), ("2099-01-01", 3, 5, 2)):
                await conn.execute(
                    text(
                        "INSERT INTO meter_days (site, id, register_name, day, meter_no, unit, first, first_at, last,"
                        " last_at, used, rollovers, odd) VALUES ('demo', 'main', 'import', CAST(:day AS date), 'm',"
                        " 'kWh', :first, CAST(:day AS date), :last, CAST(:day AS date), :used, 0, 0)"
                    ),
                    {
                        "day": datetime.fromisoformat(day).replace(tzinfo=UTC),
                        "first": first,
                        "last": last,
                        "used": used,
                    },
                )
        await migrations.upgrade(database)
    assert await rows(database, "SELECT id FROM alarms WHERE raised_at > now()") == []
    assert await rows(database, "SELECT day FROM meter_days WHERE day > '2090-01-01'") == []
    assert await rows(database, "SELECT sum(used) FROM meter_days") == [(4.0,)]
    assert (moment(NOW_MS).date(), 2.0) in await rows(database, "SELECT day, used FROM meter_days")
    assert await rows(database, "SELECT fallen FROM meters") == [(None,)]
