"""What a gateway states makes the hub equal to it: unknown alarms end, missing ones come, differing ones are set."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import msgspec

from contract.commands import Person
from contract.instants import instant
from contract.standing import AlarmsStated, AlarmStanding, PlacesStated, PlaceStanding, TicketStanding
from contract.texts import Text
from hub.alarms.models import AlarmRow
from hub.database.transactions import Database, connection
from hub.domains import projections
from hub.gateways.service import enrol
from hub.ingest.reprojecting import reproject
from tests.hub.office import Office, office
from tests.hub.senders import NOW_MS, Journal, rows

LI = Person(id="a-1", name="李师傅", role="guard")


def standing(alarm: str = "", **more: Any) -> AlarmStanding:
    """An alarm of the pump as its gateway tells it."""
    return msgspec.structs.replace(
        AlarmStanding(
            alarm=alarm or str(uuid.uuid4()),
            rule="dry-run@pump-1",
            source="pump-1",
            asset="pump-1",
            severity="major",
            state="active",
            message=Text("水泵干转", "Pump runs dry"),
            raised_at=instant(NOW_MS),
            response=Text("停泵", "Stop the pump"),
            values={"pump-1.flow": 0.0},
        ),
        **more,
    )


async def state(hub: Office, *alarms: AlarmStanding, site: str = "demo", **more: Any) -> None:
    """The site's gateway says what stands."""
    await hub.report("alarms.stated", AlarmsStated(alarms=list(alarms), **more), f"{site}-gw", site=site)


async def alarms(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in (await client.get("/api/alarms")).json()["items"]}


async def the_ticket(client: httpx.AsyncClient) -> dict[str, Any]:
    [ticket] = (await client.get("/api/tickets")).json()["items"]
    found: dict[str, Any] = ticket
    return found


async def test_an_alarm_that_its_gateway_does_not_know_ends_and_its_ticket_can_be_closed(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "maintenance") as client:
        gone = await hub.raise_alarm(ticket=True)
        kept = await hub.raise_alarm(rule="fill@tank-1", asset="tank-1")
        ticket = await the_ticket(client)
        await client.post(f"/api/tickets/{ticket['id']}/take")
        done = await client.post(f"/api/tickets/{ticket['id']}/finish", json={"text": "清理了"})
        assert done.json()["state"] == "done", done.text
        await state(hub, standing(kept, rule="fill@tank-1", source="tank-1", asset="tank-1"))
        found = await alarms(client)
        assert (found[gone]["state"], found[kept]["state"]) == ("closed", "active")
        [(_, site, forgotten)] = await hub.events("alarm.forgotten")
        assert (site, forgotten["alarm"], forgotten["rule"]) == ("demo", gone, "dry-run@pump-1")
        assert set(forgotten["why"]) == {"zh", "en"}
        assert (await the_ticket(client))["state"] == "closed"
        await state(hub, standing(kept, rule="fill@tank-1", source="tank-1", asset="tank-1"))
        assert len(await hub.events("alarm.forgotten")) == 1


async def test_work_that_is_finished_later_closes_its_ticket_too(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "maintenance") as client:
        await hub.raise_alarm(ticket=True)
        await state(hub)
        ticket = await the_ticket(client)
        assert ticket["state"] == "raised"
        await client.post(f"/api/tickets/{ticket['id']}/take")
        await client.post(f"/api/tickets/{ticket['id']}/finish", json={"text": "清理了"})
        assert (await the_ticket(client))["state"] == "closed"


async def test_what_the_hub_lacks_is_created_with_its_ticket(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("li", "maintenance") as client:
        ticket = TicketStanding(ticket=str(uuid.uuid4()), title=Text("检修水泵", "See to the pump"), place="泵房")
        said = standing(
            state="shelved", shelved_until=instant(NOW_MS + 60_000), acknowledged_at=instant(NOW_MS + 5),
            acknowledged_by=LI, note="检修", ticket=ticket,
        )  # fmt: skip
        for _ in range(2):
            await state(hub, said)
        [found] = (await alarms(client)).values()
        assert found == {
            "id": said.alarm, "site": "demo", "rule": said.rule, "source": "pump-1", "asset": "pump-1",
            "severity": "major", "state": "shelved", "message": {"zh": "水泵干转", "en": "Pump runs dry"},
            "response": {"zh": "停泵", "en": "Stop the pump"}, "values": {"pump-1.flow": 0.0},
            "raised_at": instant(NOW_MS), "cleared_at": None, "acknowledged_at": instant(NOW_MS + 5),
            "acknowledged_by": {"id": "a-1", "name": "李师傅", "role": "guard"},
            "shelved_until": instant(NOW_MS + 60_000), "note": "检修", "can": ["alarm.unshelve"],
        }  # fmt: skip
        opened = await the_ticket(client)
        assert (opened["id"], opened["alarm"], opened["state"]) == (ticket.ticket, said.alarm, "raised")
        assert (opened["count"], opened["place"], opened["title"]["zh"]) == (1, "泵房", "检修水泵")


async def test_what_differs_is_set_and_what_the_hub_had_closed_is_open_again(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        alarm = await hub.raise_alarm()
        told: list[tuple[str, str]] = []
        database.subscribe(lambda done: told.extend((each["id"], each["state"]) for each in done.states))
        await state(hub, standing(alarm, state="cleared", cleared_at=instant(NOW_MS + 9)))
        found = (await alarms(client))[alarm]
        assert (found["state"], found["cleared_at"]) == ("cleared", instant(NOW_MS + 9))
        await state(hub)
        await state(hub, standing(alarm))
        found = (await alarms(client))[alarm]
        assert (found["state"], found["cleared_at"]) == ("active", None)
        await state(hub, standing(alarm))
        assert told == [(alarm, "cleared"), (alarm, "closed"), (alarm, "active")]


async def test_what_is_stated_of_2099_is_of_its_receipt_and_the_beginning_stays(database: Database) -> None:
    in_2099 = "2099-01-01T00:00:00.000Z"
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        known = await hub.raise_alarm()
        raised_at = (await alarms(client))[known]["raised_at"]
        wild = {"raised_at": in_2099, "cleared_at": in_2099, "acknowledged_at": in_2099}
        await state(hub, standing(known, state="cleared", **wild), standing("new", state="cleared", **wild))
        found = await alarms(client)
        assert found[known]["raised_at"] == raised_at
        receipt = instant(NOW_MS + len(hub.journals["demo"].events) + 2_000)
        assert {found["new"][name] for name in wild} == {receipt}
        assert {found[known][name] for name in ("cleared_at", "acknowledged_at")} == {receipt}


async def test_a_part_speaks_of_its_own_range_only(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        ids = sorted([await hub.raise_alarm(rule=f"r-{n}@pump-1") for n in range(5)])
        await state(hub, after=ids[0], upto=ids[2])
        found = await alarms(client)
        assert [found[id]["state"] for id in ids] == ["active", "closed", "closed", "active", "active"]
        await state(hub, after=ids[3])
        found = await alarms(client)
        assert [found[id]["state"] for id in ids] == ["active", "closed", "closed", "active", "closed"]


async def test_alarms_of_the_hub_itself_and_of_other_sites_are_left_alone(database: Database) -> None:
    async with office(database, "demo", "other") as hub, hub.signed_in("boss", "manager", "demo", "other") as client:
        elsewhere = await hub.raise_alarm(site="other")
        own = await hub.raise_alarm(rule="gateway.lost@demo-gw")
        async with database.session(writes=True) as session:
            row = await session.get(AlarmRow, own)
            assert row is not None
            row.gateway = ""
            session.add(row)
        await state(hub)
        assert {item["state"] for item in (await alarms(client)).values()} == {"active"}
        # Nor may a gateway take such an alarm over: what it says then is marked, and nothing is changed.
        for foreign in (own, elsewhere):
            await state(hub, standing(foreign, state="cleared"))
        assert {item["state"] for item in (await alarms(client)).values()} == {"active"}
        assert len(await hub.events("projection.failed")) == 2


async def test_a_replacement_ends_what_the_gateway_before_it_left_open_and_not_the_other_way(
    database: Database,
) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        left = await hub.raise_alarm()
        async with database.session(writes=True) as session:
            await enrol(await connection(session), "new-gw", "demo")
        before, hub.journals["demo"] = hub.journals["demo"], Journal("new-gw", uuid.uuid4().hex)
        fresh = await hub.raise_alarm()
        after, hub.journals["demo"] = hub.journals["demo"], before
        await state(hub, standing(left))
        assert {id: item["state"] for id, item in (await alarms(client)).items()} == {left: "active", fresh: "active"}
        hub.journals["demo"] = after
        await state(hub, standing(fresh))
        assert {id: item["state"] for id, item in (await alarms(client)).items()} == {left: "closed", fresh: "active"}


async def test_doors_and_lanes_stand_as_stated_until_something_newer_is_said(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        places = [
            PlaceStanding(place="lobby-a", aspects={"lock": "locked", "contact": "open", "mode": "unlocked"}),
            PlaceStanding(place="gate-in", aspects={"barrier": "up", "loop_before": True, "loop_under": None}),
            PlaceStanding(place="garage", aspects={"contact": None, "lock": "ajar", "poem": "x"}),
            PlaceStanding(place="nowhere", aspects={"contact": "open"}),
        ]
        await hub.report("places.stated", PlacesStated(places=places), "demo-gw")
        doors = {item["id"]: item for item in (await client.get("/api/doors")).json()["items"]}
        lanes = {item["id"]: item for item in (await client.get("/api/lanes")).json()["items"]}
        assert [doors["lobby-a"][name] for name in ("lock", "contact", "mode")] == ["locked", "open", "unlocked"]
        assert [doors["garage"][name] for name in ("lock", "contact")] == ["unknown", "unknown"]
        assert (lanes["gate-in"]["barrier"], lanes["gate-in"]["loops"]) == ("up", {"before": True, "under": None})


async def test_an_old_statement_is_never_projected_late(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        await state(hub)
        alarm = await hub.raise_alarm()
        async with database.session(writes=True) as session:
            conn = await connection(session)
            await conn.exec_driver_sql("UPDATE events SET failed = 'x' WHERE kind = 'alarms.stated'")
        assert (await reproject(database, projections())).done == 1
        assert (await alarms(client))[alarm]["state"] == "active"
        assert await rows(database, "SELECT 1 FROM events WHERE failed IS NOT NULL") == []
