"""Meters: what each register used by day, across roll-overs, exchanged meters and mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from contract.facts.machines import MeterRead
from contract.instants import instant, milliseconds
from contract.kinds import encode_data
from hub.database.transactions import Database
from rules.metering.registers import Held, capacity, step
from tests.hub.office import Office, office

STEPS = [
    ("first reading", None, 5.0, ("first", 0.0)),
    ("grows", Held("m", 100.0), 103.5, ("used", 3.5)),
    ("stands still", Held("m", 100.0), 100.0, ("used", 0.0)),
    ("rolls over", Held("m", 99_998.0), 3.0, ("rollover", 5.0)),
    ("rolls over exactly", Held("m", 999_999.0), 0.0, ("rollover", 1.0)),
    ("falls without reason", Held("m", 50_000.0), 49_990.0, ("odd", 0.0)),
    ("falls to zero from the middle", Held("m", 50_000.0), 0.0, ("odd", 0.0)),
    ("falls far from near its end", Held("m", 99_000.0), 60_000.0, ("odd", 0.0)),
    ("too small to roll over", Held("m", 9.9), 0.1, ("odd", 0.0)),
    ("another meter", Held("old", 99_998.0), 3.0, ("exchanged", 0.0)),
]


@pytest.mark.parametrize(("name", "before", "value", "expected"), STEPS, ids=[case[0] for case in STEPS])
def test_a_step(name: str, before: Held | None, value: float, expected: tuple[str, float]) -> None:
    assert name
    found = step(before, "m", value)
    assert found.kind == expected[0]
    assert found.used == pytest.approx(expected[1])


@pytest.mark.parametrize(("value", "end"), [(0.0, 1), (0.5, 1), (1, 10), (9.9, 10), (10, 100), (99_999.9, 100_000)])
def test_capacity(value: float, end: float) -> None:
    assert capacity(value) == end


async def read(hub: Office, at: str, value: float, meter_no: str = "20260001", register: str = "import") -> None:
    """A reading at a site in Shanghai (UTC+8); its event's time is what counts, and it is received no sooner."""
    hub.now_ms = max(hub.now_ms, milliseconds(at))
    await read_later(hub, at, value, meter_no, register)


async def read_later(
    hub: Office, at: str, value: float, meter_no: str = "20260001", register: str = "import", *, begins: bool = False
) -> None:
    """A reading whose event claims to be of `at`, received at `hub.now_ms`."""
    journal = hub.journals["demo"]
    data = encode_data(MeterRead(register=register, value=value, unit="kWh", meter_no=meter_no, begins=begins))
    journal.record("meter.read", bytes(data), "meter-main", at=instant(milliseconds(at)))
    await hub.take(journal.arrived(len(journal.events), len(journal.events)))


async def days(client: Any) -> Any:
    answer = await client.get("/api/meters", params={"site": "demo", "from": "2026-09-20", "to": "2026-09-25"})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_days_of_the_sites_calendar(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as manager:
        await read(hub, "2026-09-21T15:45:00.000Z", 100.0)
        await read(hub, "2026-09-21T16:00:00.000Z", 101.0)
        await read(hub, "2026-09-22T15:45:00.000Z", 120.0)
        await read(hub, "2026-09-22T16:00:00.000Z", 121.5)
        [item] = await days(manager)
        assert (item["id"], item["register"], item["value"], item["unit"], item["used"]) == (
            "meter-main", "import", 121.5, "kWh", 21.5,
        )  # fmt: skip
        assert [(day["day"], day["first"], day["last"], day["used"]) for day in item["days"]] == [
            ("2026-09-21", 100.0, 100.0, 0.0),
            ("2026-09-22", 101.0, 120.0, 20.0),
            ("2026-09-23", 121.5, 121.5, 1.5),
        ]


async def test_roll_over_exchange_and_mistakes_on_one_day(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as manager:
        for minute, (value, meter_no) in enumerate(
            [(99_990.0, "old"), (5.0, "old"), (4.0, "old"), (10.0, "old"), (2.0, "new"), (3.0, "new")]
        ):
            await read(hub, f"2026-09-21T01:{minute:02d}:00.000Z", value, meter_no)
        [item] = await days(manager)
        assert [(day["meter_no"], day["used"], day["rollovers"], day["odd"]) for day in item["days"]] == [
            ("old", pytest.approx(15.0 + 5.0), 1, 1),
            ("new", pytest.approx(1.0), 0, 0),
        ]
        assert item["used"] == pytest.approx(21.0)
        assert (item["meter_no"], item["value"]) == ("new", 3.0)


async def test_a_dip_counts_nothing_and_a_register_that_was_set_back_counts_on(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as manager:
        for minute, value in enumerate([5.0, 4.0, 10.0, 2.0, 2.5, 3.0, 4.0, 6.0]):
            await read(hub, f"2026-09-21T01:{minute:02d}:00.000Z", value)
        [item] = await days(manager)
        assert [(day["used"], day["odd"]) for day in item["days"]] == [(pytest.approx(5.0 + 2.0 + 2.0), 4)]
        assert item["value"] == 6.0


async def test_a_count_that_begins_by_another_ratio_books_no_jump(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as manager:
        hub.now_ms = milliseconds("2026-09-22T16:00:00.000Z")
        for at, value, begins in (
            ("2026-09-21T01:00:00.000Z", 100.0, False),
            ("2026-09-21T01:15:00.000Z", 103.0, False),
            ("2026-09-21T01:30:00.000Z", 2080.0, True),  # 1 → 20
            ("2026-09-21T01:45:00.000Z", 2100.0, False),
            ("2026-09-22T01:00:00.000Z", 105.5, True),  # and back: no fall either
            ("2026-09-22T01:15:00.000Z", 106.0, False),
        ):
            await read_later(hub, at, value, begins=begins)
        [item] = await days(manager)
        assert [(day["day"], day["used"], day["rollovers"], day["odd"]) for day in item["days"]] == [
            ("2026-09-21", 3.0 + 20.0, 0, 0),
            ("2026-09-22", 0.5, 0, 0),
        ]
        assert (item["value"], item["meter_no"]) == (106.0, "20260001")


async def test_a_meter_takes_no_time_from_the_future_and_one_that_stands_there_goes_on(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as manager:
        await read(hub, "2026-09-21T01:00:00.000Z", 100.0)
        hub.now_ms = milliseconds("2026-09-21T01:15:00.000Z")
        await read_later(hub, "2099-01-01T00:00:00.000Z", 101.0)
        await read(hub, "2026-09-21T01:30:00.000Z", 103.0)
        async with hub.database.transaction() as conn:  # as older software left it
            await conn.execute(text("UPDATE meters SET at = '2099-01-01'"))
        await read(hub, "2026-09-21T01:45:00.000Z", 107.0)
        await read(hub, "2026-09-21T01:40:00.000Z", 104.0)
        [item] = await days(manager)
        assert [(day["day"], day["used"]) for day in item["days"]] == [("2026-09-21", 7.0)]
        assert (item["value"], item["at"]) == (107.0, "2026-09-21T01:45:00.000Z")


async def test_a_reading_that_is_not_newer_adds_nothing(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as manager:
        await read(hub, "2026-09-21T01:00:00.000Z", 100.0)
        await read(hub, "2026-09-21T01:15:00.000Z", 110.0)
        await read(hub, "2026-09-21T01:10:00.000Z", 105.0)
        [item] = await days(manager)
        assert (item["used"], item["value"]) == (10.0, 110.0)


async def test_registers_and_sites_are_apart(database: Database) -> None:
    async with office(database, "demo", "other") as hub, hub.signed_in("wang", "manager", "other") as manager:
        await read(hub, "2026-09-21T01:00:00.000Z", 100.0)
        await read(hub, "2026-09-21T01:00:00.000Z", 7.0, register="export")
        assert (await manager.get("/api/meters")).json() == {"items": [], "next": None}
        assert (await manager.get("/api/meters?site=demo")).status_code == 403
        async with hub.signed_in("root", "admin", "*") as admin:
            found = (await admin.get("/api/meters")).json()["items"]
            assert [(item["register"], item["value"]) for item in found] == [("export", 7.0), ("import", 100.0)]


@pytest.mark.parametrize("query", [{"from": "2026-09-25", "to": "2026-09-20"}, {"from": "2000-01-01"}, {"from": "x"}])
async def test_refused_questions(database: Database, query: dict[str, str]) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as manager:
        assert (await manager.get("/api/meters", params=query)).status_code == 422
