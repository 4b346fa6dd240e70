"""Readings: kept once, skipped where the gateway dropped them, served raw, in steps and from hourly sums."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from contract.instants import instant
from contract.layout import PointLayout
from contract.pictures import Picture, picture_id
from contract.readings import Column, Quality, Reading, ReadingsBatch, Value, columns_of
from contract.texts import Text
from hub.database.transactions import Database, Outcome
from hub.ingest.accept import Answer
from hub.ingest.arrivals import MessageRefused, PictureArrived, ReadingsArrived
from hub.telemetry.ingest import Readings
from hub.telemetry.months import Month, month_of
from hub.telemetry.rollup import next_hour, sum_hours
from tests.hub.office import Office, layout, office
from tests.hub.senders import NOW_MS, arrived, enrolled, rows

STORE = "d" * 32
START = datetime(2026, 9, 21, 8, 0, tzinfo=UTC)
START_MS = round(START.timestamp() * 1000)
MINUTE = 60_000
HOUR = 60 * MINUTE


def reading(point: str, value: Value, at_ms: int, quality: Quality = "good") -> Reading:
    return Reading(point=point, value=value, quality=quality, at=at_ms)


def blob(seq: int, readings: Sequence[Reading], *, oldest: int = 1, gateway: str = "gw-1") -> ReadingsArrived:
    batch = ReadingsBatch(store=STORE, seq=seq, oldest=oldest, columns=columns_of(list(readings)))
    found = arrived(gateway, "telemetry", batch)
    assert isinstance(found, ReadingsArrived)
    return found


def series(point: str, values: Sequence[Value], *, step_ms: int = MINUTE, start_ms: int = START_MS) -> list[Reading]:
    return [reading(point, value, start_ms + place * step_ms) for place, value in enumerate(values)]


def store(database: Database, **more: Any) -> Readings:
    return Readings(database, **more, now_ms=lambda: START_MS + HOUR)


def said(answers: list[Answer]) -> list[tuple[str, int]]:
    return [(answer.ack.state, answer.ack.seq) for answer in answers]


async def held(database: Database) -> list[tuple[object, ...]]:
    query = "SELECT p.id, r.value, r.label, r.quality FROM readings r JOIN points p ON p.key = r.point"
    return list(await rows(database, f"{query} ORDER BY p.id, r.at"))


async def test_readings_of_every_type_are_kept_once(database: Database) -> None:
    await enrolled(database, "gw-1")
    one = blob(
        1,
        [
            reading("pump-1.flow", 2.5, START_MS),
            reading("pump-1.running", True, START_MS),
            reading("pump-1.mode", "auto", START_MS),
            reading("pump-1.flow", None, START_MS + 1, "bad"),
            reading("pump-1.flow", 3, START_MS + 2, "stale"),
        ],
    )
    readings = store(database)
    assert said(await readings.store([one])) == [("committed", 1)]
    assert said(await readings.store([one, blob(2, series("pump-1.flow", [2.5]))])) == [
        ("committed", 1),
        ("committed", 2),
    ]
    assert await held(database) == [
        ("pump-1.flow", 2.5, None, 0),
        ("pump-1.flow", None, None, 2),
        ("pump-1.flow", 3.0, None, 1),
        ("pump-1.mode", None, "auto", 0),
        ("pump-1.running", 1.0, None, 0),
    ]
    types = await rows(database, "SELECT id, type, value::text FROM points ORDER BY id")
    assert types == [
        ("pump-1.flow", "number", "3"),
        ("pump-1.mode", "label", '"auto"'),
        ("pump-1.running", "flag", "true"),
    ]


SEQUENCES = [
    ("next", [(1, 1), (2, 1)], [("committed", 1), ("committed", 2)]),
    ("gap", [(1, 1), (4, 1)], [("committed", 1), ("expected", 1)]),
    ("gap that the gateway cannot fill", [(1, 1), (4, 4)], [("committed", 1), ("committed", 4)]),
    ("gap behind what is gone", [(1, 1), (6, 4)], [("committed", 1), ("expected", 3)]),
    ("repeat", [(1, 1), (2, 1), (1, 1)], [("committed", 1), ("committed", 2), ("committed", 1)]),
    ("new store in the middle", [(7, 1)], [("expected", 0)]),
    ("new store whose beginning is gone", [(7, 7)], [("committed", 7)]),
]


@pytest.mark.parametrize(("name", "sent", "answers"), SEQUENCES, ids=[case[0] for case in SEQUENCES])
async def test_sequences(
    database: Database, name: str, sent: list[tuple[int, int]], answers: list[tuple[str, int]]
) -> None:
    assert name
    await enrolled(database, "gw-1")
    readings = store(database)
    found = [
        (await readings.store([blob(seq, series("a.b", [float(seq)], start_ms=START_MS + seq), oldest=oldest)]))[0]
        for seq, oldest in sent
    ]
    assert said(found) == answers
    committed = {seq for (seq, _), (state, _) in zip(sent, answers, strict=True) if state == "committed"}
    assert [row[1] for row in await held(database)] == sorted(map(float, committed))


async def test_a_foreign_store_and_an_unknown_gateway_are_refused(database: Database) -> None:
    await enrolled(database, "gw-1", "gw-2")
    readings = store(database)
    await readings.store([blob(1, series("a.b", [1.0]))])
    answers = await readings.store([blob(2, series("a.b", [2.0]), gateway=name) for name in ("gw-2", "gw-9")])
    assert said(answers) == [("refused", 0), ("refused", 0)]
    assert len(await held(database)) == 1


async def test_impossible_times_and_numbers_do_not_stop_the_others(database: Database) -> None:
    await enrolled(database, "gw-1")
    odd = [
        reading("a.b", 1.0, -1),
        reading("a.b", 2.0, 10**18),
        reading("a.b", 10**400, START_MS),
        reading("a.b", 3.0, START_MS + 1),
        reading("a.old", 4.0, 0),
        reading("a.text", "x\x00y", START_MS),
    ]
    assert said(await store(database).store([blob(1, odd)])) == [("committed", 1)]
    assert await held(database) == [
        ("a.b", None, None, 2),
        ("a.b", 3.0, None, 0),
        ("a.old", 4.0, None, 0),
        ("a.text", None, "xy", 0),
    ]


def test_columns_of_different_lengths_are_refused() -> None:
    column = Column(point="a.b", at=[1, 2], values=[1.0], quality=["good"])
    found = arrived("gw-1", "telemetry", ReadingsBatch(store=STORE, seq=1, oldest=1, columns=[column]))
    assert isinstance(found, MessageRefused)
    assert found.stream == STORE


async def test_latest_only_moves_forward_and_is_told(database: Database) -> None:
    await enrolled(database, "gw-1")
    told: list[Outcome] = []
    followed: list[tuple[str, str, Value]] = []

    async def follow(conn: Any, site: str, newer: Sequence[Any], received: datetime) -> None:
        assert received == START + timedelta(hours=1)
        followed.extend((site, one.id, one.value) for one in newer)

    database.subscribe(told.append)
    readings = store(database, latest=[follow])
    await readings.store([blob(1, [reading("a.b", 2.0, START_MS + 5), reading("a.b", 1.0, START_MS)])])
    await readings.store([blob(2, [reading("a.b", 9.0, START_MS + 3)])])
    assert followed == [("demo", "a.b", 2)]
    assert [state for outcome in told for state in outcome.states] == [
        {"kind": "point", "id": "a.b", "site": "demo", "unit": "", "value": 2.0, "quality": "good",
         "at": instant(START_MS + 5)}
    ]  # fmt: skip


def test_months() -> None:
    now = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert Month(2026, 12).end == datetime(2027, 1, 1, tzinfo=UTC)
    assert month_of(datetime(2026, 12, 5, tzinfo=UTC), now) == Month(2026, 12)
    assert month_of(datetime(2027, 1, 5, tzinfo=UTC), now) == Month(2027, 1)
    assert month_of(datetime(2027, 2, 5, tzinfo=UTC), now) is None
    assert month_of(datetime(1970, 1, 1, tzinfo=UTC), now) is None
    assert next_hour(now) == datetime(2027, 1, 1, tzinfo=UTC)


async def test_a_month_takes_over_what_came_before_its_time(database: Database) -> None:
    """Older software put readings of a clock that ran ahead into the partition of the rest."""
    await enrolled(database, "gw-1")
    ahead = START_MS + 80 * 24 * HOUR
    await store(database).store([blob(1, [reading("a.b", 1.0, START_MS)])])
    async with database.transaction() as conn:
        at = datetime.fromtimestamp(ahead / 1000, UTC)
        await conn.execute(text("UPDATE readings SET at = :at"), {"at": at})
    assert await rows(database, "SELECT count(*) FROM readings_other") == [(1,)]
    later = Readings(database, now_ms=lambda: ahead)
    await later.store([blob(2, [reading("a.b", 2.0, ahead + 1)])])
    assert await rows(database, "SELECT count(*) FROM readings_other") == [(0,)]
    assert [row[1] for row in await held(database)] == [1.0, 2.0]


async def test_pictures_are_kept_once_and_shown_to_their_site(database: Database) -> None:
    async with office(database, "demo", "other") as hub, hub.signed_in("wang", "guard") as guard:
        jpeg = b"\xff\xd8\xff" + b"plate" * 1000
        picture = Picture(id=picture_id(jpeg), at=instant(NOW_MS), jpeg=jpeg)
        for gateway in ("demo-gw", "demo-gw"):
            found = arrived(gateway, "pictures", picture)
            assert isinstance(found, PictureArrived)
            assert said(await store(database).store([found])) == [("committed", 0)]
        shown = await guard.get(f"/api/pictures/{picture.id}")
        assert (shown.status_code, shown.headers["content-type"], shown.content) == (200, "image/jpeg", jpeg)
        assert (await guard.get(f"/api/pictures/{'0' * 32}")).status_code == 404
        async with hub.signed_in("stranger", "guard", "other") as stranger:
            assert (await stranger.get(f"/api/pictures/{picture.id}")).status_code == 404
        forged = arrived("demo-gw", "pictures", Picture(id="0" * 32, at=instant(NOW_MS), jpeg=jpeg))
        assert isinstance(forged, MessageRefused)


# --- What REST answers


async def measured(hub: Office, readings: Sequence[Reading]) -> None:
    await store(hub.database).store([blob(1, readings, gateway="demo-gw")])


async def asked(client: Any, **query: Any) -> Any:
    query = {"site": "demo", "point": "pump-1.flow", "from": "2026-09-21T08:00:00Z"} | query
    query.setdefault("to", "2026-09-21T20:00:00Z")
    answer = await client.get("/api/readings", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_points_take_their_names_from_the_layout_and_go_stale_with_their_gateway(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        flow = PointLayout(
            id="pump-1.flow", device="pump-1", name=Text("流量", "Flow"), type="number", unit="m³/h", writable=True
        )
        await hub.report("site.described", layout("demo", points=[flow]), "demo")
        await measured(hub, [reading("pump-1.flow", 2.5, START_MS), reading("x.y", None, START_MS, "bad")])
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE gateways SET online = TRUE"))
        points = {item["id"]: item for item in (await guard.get("/api/points?site=demo")).json()["items"]}
        assert points["pump-1.flow"] == {
            "id": "pump-1.flow", "site": "demo", "name": {"zh": "流量", "en": "Flow"}, "type": "number",
            "unit": "m³/h", "labels": {}, "writable": True, "value": 2.5, "quality": "good", "at": instant(START_MS),
        }  # fmt: skip
        assert (points["x.y"]["name"], points["x.y"]["quality"]) == (None, "bad")
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE gateways SET online = FALSE"))
        stale = {item["id"]: item["quality"] for item in (await guard.get("/api/points")).json()["items"]}
        assert stale == {"pump-1.flow": "stale", "x.y": "bad"}
        await hub.report("site.described", layout("demo", points=[]), "demo")
        assert (await guard.get("/api/points")).json()["items"][0]["writable"] is False


async def test_points_stand_in_the_order_of_the_site_and_of_the_product(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        ids = ["sump.level", "sump.alarm", "board.relay_2", "board.relay_10"]
        points = [PointLayout(id=id, device=id.partition(".")[0], name=Text(id, id), type="number") for id in ids]
        await hub.report("site.described", layout("demo", points=points), "demo")
        await measured(hub, [reading("lobby-a.lock", None, START_MS, "bad"), reading("a.a", 1.0, START_MS)])
        found = [item["id"] for item in (await guard.get("/api/points?site=demo")).json()["items"]]
        assert found == [*ids, "a.a", "lobby-a.lock"]


async def test_readings_as_they_came_in_pages(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        await measured(hub, series("pump-1.flow", [1.0, 2.0, 3.0]))
        first = await asked(guard, limit=2)
        assert [item["value"] for item in first["items"]] == [1.0, 2.0]
        rest = await asked(guard, limit=2, **{"from": first["next"]})
        assert rest["items"] == [{"at": instant(START_MS + 2 * MINUTE), "value": 3.0, "quality": "good"}]
        assert rest["next"] is None


AGGREGATES = [
    ("avg", [2.0, 20.0]),
    ("min", [1.0, 10.0]),
    ("max", [3.0, 30.0]),
    ("last", [3.0, 30.0]),
    ("delta", [2.0, 27.0]),
]


@pytest.mark.parametrize(("agg", "values"), AGGREGATES)
@pytest.mark.parametrize("summed", [False, True], ids=["from readings", "from hourly sums"])
async def test_aggregates(database: Database, agg: str, values: list[float], summed: bool) -> None:
    """Two steps of two hours with a gap between; bad and stale readings count for nothing."""
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        minutes = {0: 1.0, 30: 2.0, 90: 3.0, 240: 10.0, 299: 20.0, 300: 30.0}
        readings = [reading("pump-1.flow", value, START_MS + at * MINUTE) for at, value in minutes.items()]
        readings.append(reading("pump-1.flow", None, START_MS + 301 * MINUTE, "bad"))
        readings.append(reading("pump-1.flow", 99.0, START_MS + 302 * MINUTE, "stale"))
        await measured(hub, readings)
        if summed:
            assert await sum_hours(database, START + timedelta(days=1)) == 4
            assert await rows(database, "SELECT count(*) FROM readings_dirty") == [(0,)]
        found = await asked(guard, step=7200, agg=agg)
        assert [(item["at"], item["value"]) for item in found["items"]] == [
            (instant(START_MS), values[0]),
            (instant(START_MS + 4 * HOUR), values[1]),
        ]


async def test_hours_that_are_not_summed_yet_or_are_cut_come_from_readings(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        await measured(hub, series("pump-1.flow", [1.0] * 180))
        await sum_hours(database, START + timedelta(days=1))
        await store(database).store([blob(2, series("pump-1.flow", [7.0], start_ms=START_MS + 1), gateway="demo-gw")])
        found = await asked(guard, step=3600, agg="max", to="2026-09-21T09:30:00Z")
        assert [item["value"] for item in found["items"]] == [7.0, 1.0]
        found = await asked(guard, step=3600, agg="last", to="2026-09-21T10:00:00Z")
        assert len(found["items"]) == 2
        assert await sum_hours(database, START + timedelta(days=1)) == 1
        assert (await asked(guard, step=3600, agg="max"))["items"][0]["value"] == 7.0


async def test_the_hour_that_is_not_over_is_not_summed(database: Database) -> None:
    await enrolled(database, "gw-1")
    await store(database).store([blob(1, series("a.b", [1.0]))])
    assert await sum_hours(database, START + timedelta(minutes=59)) == 0
    assert await sum_hours(database, START + timedelta(minutes=61)) == 1


async def test_flags_and_texts_in_steps(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        flags = series("pump-1.running", [True, False, True, True])
        await measured(hub, [*flags, *series("pump-1.mode", ["auto", "auto", "hand", "auto"])])
        share = await asked(guard, point="pump-1.running", step=240, agg="avg")
        last = await asked(guard, point="pump-1.running", step=120, agg="last")
        mode = await asked(guard, point="pump-1.mode", step=180)
        assert [item["value"] for item in share["items"]] == [0.75]
        assert [item["value"] for item in last["items"]] == [False, True]
        assert [item["value"] for item in mode["items"]] == ["hand", "auto"]
        assert mode["agg"] == "last"


REFUSED = [
    ({"agg": "avg"}, 422, "step"),
    ({"step": 0}, 422, "step"),
    ({"step": 1}, 422, "step"),
    ({"agg": "median", "step": 60}, 422, "agg"),
    ({"point": "pump-1.mode", "agg": "avg", "step": 60}, 422, "agg"),
    ({"from": "yesterday"}, 422, "from"),
    ({"from": "2026-09-21T08:00:00"}, 422, "from"),
    ({"to": "2026-09-20T08:00:00Z"}, 422, "to"),
    ({"from": "1990-01-01T00:00:00Z"}, 422, "from"),
    ({"point": "nothing.here"}, 404, None),
    ({"site": "other"}, 403, None),
]


@pytest.mark.parametrize(("query", "status", "field"), REFUSED)
async def test_refused_questions(database: Database, query: dict[str, Any], status: int, field: str | None) -> None:
    async with office(database, "demo", "other") as hub, hub.signed_in("wang", "guard") as guard:
        await measured(hub, [*series("pump-1.flow", [1.0]), *series("pump-1.mode", ["auto"])])
        whole = {"site": "demo", "point": "pump-1.flow", "from": "2026-09-21T08:00:00Z", "to": "2026-09-21T20:00:00Z"}
        answer = await guard.get("/api/readings", params=whole | query)
        assert answer.status_code == status, answer.text
        if field is not None:
            assert list(answer.json()["error"]["fields"]) == [field]
