"""Alarms: what the gateway's events make of them, how they are listed, and how people command them."""

from __future__ import annotations

from typing import Any

import pytest

from contract.commands import Person
from contract.facts.alarms import AlarmAcknowledged, AlarmShelved, AlarmUnshelved
from hub.database.transactions import Database
from tests.hub.office import Office, office
from tests.hub.senders import rows

WANG = Person(id="w", name="Wang", role="guard")


async def state_of(hub: Office, alarm: str) -> tuple[object, ...]:
    return (await rows(hub.database, "SELECT state FROM alarms WHERE id = :id", id=alarm))[0]


async def say(hub: Office, alarm: str, *words: str) -> None:
    """The gateway's events, in words."""
    for word in words:
        match word:
            case "raise":
                await hub.raise_alarm(alarm=alarm)
            case "clear":
                await hub.clear(alarm)
            case "ack":
                await hub.report("alarm.acknowledged", AlarmAcknowledged(alarm=alarm, by=WANG, note="seen"), "pump-1")
            case "shelve":
                until = "2026-10-01T00:00:00.000Z"
                await hub.report("alarm.shelved", AlarmShelved(alarm=alarm, by=WANG, until=until), "pump-1")
            case "unshelve":
                await hub.report("alarm.unshelved", AlarmUnshelved(alarm=alarm), "pump-1")


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("raise", "active"),
        ("raise ack", "acknowledged"),
        ("raise clear", "cleared"),
        ("raise ack clear", "closed"),
        ("raise clear ack", "closed"),
        ("raise clear raise", "active"),
        ("raise shelve", "shelved"),
        ("raise shelve clear", "closed"),
        ("raise shelve unshelve", "active"),
        ("raise ack shelve unshelve", "active"),
        ("raise ack raise", "acknowledged"),
    ],
)
async def test_the_states_of_an_alarm(database: Database, words: str, state: str) -> None:
    async with office(database) as hub:
        await say(hub, "alarm-1", *words.split())
        assert await state_of(hub, "alarm-1") == (state,)
        assert await rows(hub.database, "SELECT kind FROM events WHERE failed IS NOT NULL") == []


async def test_an_alarm_as_it_is_shown(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        await say(hub, "alarm-1", "raise", "ack")
        (alarm,) = (await client.get("/api/alarms", params={"site": "demo"})).json()["items"]
        assert alarm["acknowledged_by"] == {"id": "w", "name": "Wang", "role": "guard"}
        assert {key: alarm[key] for key in ("id", "site", "rule", "source", "asset", "severity", "note", "values")} == {
            "id": "alarm-1",
            "site": "demo",
            "rule": "dry-run@pump-1",
            "source": "pump-1",
            "asset": "pump-1",
            "severity": "major",
            "note": "seen",
            "values": {"pump-1.flow": 0.0},
        }
        assert alarm["message"] == {"zh": "水泵干转", "en": "Pump runs dry"}
        assert alarm["raised_at"].endswith("Z")
        assert (await client.get("/api/alarms/alarm-1")).json() == alarm


async def test_the_most_urgent_come_first(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        for alarm, severity in (("w", "warning"), ("m1", "major"), ("c", "critical"), ("m2", "major")):
            await hub.raise_alarm(alarm=alarm, severity=severity, rule=f"{alarm}@pump-1")
        await say(hub, "c", "ack")
        await hub.raise_alarm(alarm="gone", severity="critical", rule="gone@pump-1")
        await say(hub, "gone", "clear")
        await hub.raise_alarm(alarm="over", severity="critical", rule="over@pump-1")
        await say(hub, "over", "clear", "ack")

        async def ids(**query: Any) -> list[str]:
            page = (await client.get("/api/alarms", params=query)).json()
            return [item["id"] for item in page["items"]]

        assert await ids() == ["m2", "m1", "w", "c", "gone", "over"]
        assert await ids(state="open") == ["m2", "m1", "w", "c", "gone"]
        assert await ids(state="active") == ["m2", "m1", "w"]
        assert await ids(state="acknowledged,closed") == ["c", "over"]
        assert (await client.get("/api/alarms", params={"state": "burning"})).status_code == 422
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await client.get("/api/alarms", params={"limit": 2, "cursor": cursor})).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next"]
        assert seen == ["m2", "m1", "w", "c", "gone", "over"]


async def test_an_alarm_that_was_never_raised_is_marked_and_stops_nothing(database: Database) -> None:
    async with office(database) as hub:
        await say(hub, "ghost", "clear")
        await say(hub, "alarm-1", "raise")
        failed = await rows(hub.database, "SELECT kind FROM events WHERE failed IS NOT NULL")
        assert failed == [("alarm.cleared",)]
        assert [data["kind"] for _, _, data in await hub.events("projection.failed")] == ["alarm.cleared"]
        assert await state_of(hub, "alarm-1") == ("active",)


async def test_a_gateway_cannot_change_another_sites_alarm(database: Database) -> None:
    async with office(database, "demo", "north") as hub:
        await say(hub, "alarm-1", "raise")
        await hub.clear("alarm-1", site="north")
        await hub.raise_alarm(alarm="alarm-1", site="north")
        assert await state_of(hub, "alarm-1") == ("active",)
        assert await rows(hub.database, "SELECT site FROM alarms") == [("demo",)]
        assert len(await hub.events("projection.failed")) == 2


async def test_acknowledging_is_a_command_and_changes_nothing_by_itself(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        await say(hub, "alarm-1", "raise")
        answer = await client.post("/api/alarms/alarm-1/ack", json={"note": "on my way"})
        assert answer.status_code == 202
        command = answer.json()
        assert (command["kind"], command["target"], command["reason"], command["state"]) == (
            "alarm.ack",
            "alarm-1",
            "on my way",
            "asked",
        )
        assert command["args"] == {"note": "on my way"}
        assert (await client.get(f"/api/commands/{command['id']}")).status_code == 200
        assert await state_of(hub, "alarm-1") == ("active",)
        await say(hub, "alarm-1", "ack")
        again = await client.post("/api/alarms/alarm-1/ack")
        assert (again.status_code, again.json()["error"]["code"]) == (409, "alarm_state")


async def test_acknowledging_needs_no_note(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        await say(hub, "alarm-1", "raise")
        answer = await client.post("/api/alarms/alarm-1/ack")
        assert answer.status_code == 202
        assert answer.json()["reason"]


async def test_shelving_needs_a_time_and_the_right(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        await say(hub, "alarm-1", "raise")
        for body in ({}, {"for_s": 5}, {"for_s": 1_000_000}, {"for_s": "long"}):
            assert (await client.post("/api/alarms/alarm-1/shelve", json=body)).status_code == 422
        answer = await client.post("/api/alarms/alarm-1/shelve", json={"for_s": 3600, "note": "under repair"})
        assert (answer.status_code, answer.json()["args"]) == (202, {"for_s": 3600, "note": "under repair"})
        assert (await client.post("/api/alarms/alarm-1/unshelve")).status_code == 409
        async with hub.signed_in("wang", "guard") as guard:
            assert (await guard.post("/api/alarms/alarm-1/shelve", json={"for_s": 3600})).status_code == 403
        assert (await client.post("/api/alarms/nothing/shelve", json={"for_s": 3600})).status_code == 404
