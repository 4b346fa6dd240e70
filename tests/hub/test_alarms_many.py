"""Several alarms at once: what becomes of each, that a key does it once, and how the list is filtered."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from contract.commands import Person
from contract.facts.alarms import AlarmShelved
from hub.database.transactions import Database
from tests.hub.office import Office, office
from tests.hub.senders import rows

FLOOD = 30


async def flood(hub: Office, count: int = FLOOD, **more: Any) -> list[str]:
    return [await hub.raise_alarm(rule=f"lost@d-{n}", asset=f"d-{n}", **more) for n in range(count)]


async def asked_of(hub: Office) -> list[tuple[str, str]]:
    found = await rows(hub.database, "SELECT target, gateway FROM commands ORDER BY issued_at, id")
    return [(str(target), str(gateway)) for target, gateway in found]


async def test_a_flood_is_acknowledged_by_one_request(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("wang", "guard", "demo", "north") as client:
        alarms = [*await flood(hub, FLOOD // 2), *await flood(hub, FLOOD // 2, site="north")]
        answer = await client.post("/api/alarms/ack", json={"ids": [*alarms, alarms[0]], "note": "停电，已通知"})
        assert answer.status_code == 202
        items = answer.json()["items"]
        assert [item["id"] for item in items] == alarms, "each once, in the order in which they were named"
        assert {(item["command"]["kind"], item["command"]["args"]["note"], item["refused"]) for item in items} == {
            ("alarm.ack", "停电，已通知", None)
        }
        sent = await asked_of(hub)
        assert sorted(target for target, _ in sent) == sorted(alarms)
        assert {gateway for _, gateway in sent} == {"demo-gw", "north-gw"}
        assert len(await hub.events("command.asked")) == FLOOD


async def test_of_each_it_is_said_what_became_of_it(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("song", "maintenance", "demo") as client:
        good, over, foreign = [
            await hub.raise_alarm(rule=f"r@{n}", site=site) for n, site in enumerate(("demo", "demo", "north"))
        ]
        await hub.clear(over)
        answer = await client.post("/api/alarms/shelve", json={"ids": [good, over, foreign, "none"], "for_s": 600})
        told = [(item["command"] is not None, (item["refused"] or {}).get("code")) for item in answer.json()["items"]]
        assert told == [(True, None), (False, "alarm_state"), (False, "not_found"), (False, "not_found")]
        assert answer.json()["items"][1]["refused"]["message"] == {
            "zh": "此告警已恢复或已暂停提醒",
            "en": "This alarm is over or snoozed already",
        }
        assert [target for target, _ in await asked_of(hub)] == [good]
        assert (await client.post("/api/alarms/ack", json={"ids": [foreign, "none"]})).status_code == 404
        until = "2026-10-01T00:00:00.000Z"
        by = Person(id="w", name="Wang", role="guard")
        await hub.report("alarm.shelved", AlarmShelved(alarm=good, by=by, until=until), "pump-1")
        answer = await client.post("/api/alarms/unshelve", json={"ids": [good]})
        assert answer.json()["items"][0]["command"]["kind"] == "alarm.unshelve"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"ids": []}, 422),
        ({"ids": ["x"] * 501}, 422),
        ({"ids": ["x" * 65]}, 422),
        ({}, 422),
    ],
)
async def test_how_many_one_request_may_name(database: Database, body: dict[str, Any], status: int) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        await hub.raise_alarm()
        assert (await client.post("/api/alarms/ack", json=body)).status_code == status


async def test_who_may_not_shelve_shelves_none(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        alarms = await flood(hub, 3)
        answer = await client.post("/api/alarms/shelve", json={"ids": alarms, "for_s": 600})
        assert answer.status_code == 403
        assert await asked_of(hub) == []


async def test_a_key_does_it_once(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        alarms = await flood(hub, 5)
        key = {"Idempotency-Key": "flood-1"}
        first, again = [await client.post("/api/alarms/ack", json={"ids": alarms}, headers=key) for _ in range(2)]
        assert first.content == again.content
        assert len(await asked_of(hub)) == 5


async def test_as_many_as_are_allowed_take_no_more_than_seconds(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        one = await hub.raise_alarm()
        async with hub.database.transaction(writes=True) as conn:
            await conn.exec_driver_sql(
                "INSERT INTO alarms SELECT (jsonb_populate_record(a, jsonb_build_object('id', 'copy-' || n))).*"
                " FROM alarms a, generate_series(1, 499) n"
            )
        began = time.monotonic()
        answer = await client.post("/api/alarms/ack", json={"ids": [one, *(f"copy-{n}" for n in range(1, 500))]})
        assert len(answer.json()["items"]) == 500
        assert all(item["command"] for item in answer.json()["items"])
        assert time.monotonic() - began < 15, "seconds, on a machine that is shared"


async def ids(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await client.get("/api/alarms", params=query)
    assert answer.status_code == 200, answer.text
    return [item["rule"].partition("@")[0] for item in answer.json()["items"]]


async def test_the_history_is_asked_for_by_filters(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        for rule, severity, asset in (("a", "minor", "pump-1"), ("b", "critical", "lift-1"), ("c", "major", "pump-1")):
            await hub.raise_alarm(rule=f"{rule}@x", severity=severity, asset=asset)
        assert await ids(client) == ["b", "c", "a"]
        assert await ids(client, order="time") == ["c", "b", "a"]
        assert await ids(client, severity="critical,major") == ["b", "c"]
        assert await ids(client, source="pump-1") == ["c", "a"]
        assert await ids(client, source=["pump-1", "lift-1"], severity="critical") == ["b"]
        assert await ids(client, q="干转") == await ids(client, q="DRY pump") == ["b", "c", "a"]
        assert await ids(client, q="lift-1") == ["b"]
        assert await ids(client, q="100%_") == []
        whole = (await client.get("/api/alarms", params={"order": "time"})).json()["items"]
        middle = whole[1]["raised_at"]
        assert await ids(client, order="time", **{"from": middle}) == ["c", "b"]
        assert await ids(client, order="time", to=middle) == ["a"]
        first = (await client.get("/api/alarms", params={"order": "time", "limit": 2})).json()
        rest = {"order": "time", "limit": 2, "cursor": first["next"]}
        assert [item["rule"] for item in first["items"]] == ["c@x", "b@x"]
        assert await ids(client, **rest) == ["a"]
        for wrong in ({"severity": "huge"}, {"order": "name"}, {"from": "yesterday"}, {"q": "x" * 101}):
            assert (await client.get("/api/alarms", params=wrong)).status_code == 422
