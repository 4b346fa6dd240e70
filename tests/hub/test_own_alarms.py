"""Alarms that the hub itself raises: one history, one list, the same commands; and the one about rights that lag."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import event

from contract.desired import Holder
from contract.texts import Text
from hub.alarms import own
from hub.alarms.shelves import end_shelves
from hub.database.transactions import Database
from hub.desired import lagging
from hub.desired import service as desired
from hub.desired.lagging import LAG_S, RULE, Lagging
from hub.desired.publishing import DesiredPublishing
from hub.ingest import away, successions
from tests.hub.office import Office, office
from tests.hub.senders import Journal, Sent, rows
from tests.leftovers import ROOT

TEXT = Text("旧", "old")


async def raised(database: Database, source: str = "gw-1") -> None:
    async with database.transaction(writes=True) as conn:
        await own.raise_(conn, "demo", "rights.behind", source, severity="critical", message=TEXT, response=TEXT)


async def cleared(database: Database, source: str = "gw-1") -> None:
    async with database.transaction(writes=True) as conn:
        await own.clear(conn, "demo", "rights.behind", source)


async def states(database: Database) -> list[tuple[object, ...]]:
    return list(await rows(database, "SELECT source, state, gateway FROM alarms ORDER BY source, raised_at"))


async def kinds(database: Database) -> list[object]:
    found = await rows(
        database, "SELECT kind FROM events WHERE kind LIKE 'alarm.%' OR kind LIKE 'command.%' ORDER BY id"
    )
    return [kind for (kind,) in found]


async def test_it_is_raised_and_cleared_once(database: Database) -> None:
    for _ in range(2):
        await raised(database)
    assert await states(database) == [("gw-1", "active", "")]
    for _ in range(2):
        await cleared(database)
    assert await states(database) == [("gw-1", "cleared", "")]
    # Back before anybody saw it: the same alarm again.
    await raised(database)
    assert await states(database) == [("gw-1", "active", "")]
    assert await kinds(database) == ["alarm.raised", "alarm.cleared", "alarm.raised"]
    assert await rows(database, "SELECT DISTINCT site, gateway FROM events") == [("demo", None)]


async def test_many_at_once_hold_up_the_history_little(database: Database) -> None:
    """Nobody else writes the history meanwhile: of each alarm only what becomes of it takes statements of its own."""
    async with office(database) as hub, hub.signed_in("wang", "manager") as client:
        sources = [f"gw-{number:02}" for number in range(40)]
        for source in sources:
            await raised(database, source)
        listed = (await client.get("/api/alarms", params={"limit": 100})).json()["items"]
        said: list[str] = []
        listening = (database.engine.sync_engine, "before_cursor_execute", lambda *told: said.append(told[2]))
        event.listen(*listening)
        answer = await client.post("/api/alarms/shelve", json={"ids": [each["id"] for each in listed], "for_s": 600})
        event.remove(*listening)
        assert {item["command"]["state"] for item in answer.json()["items"]} == {"done"}
        assert [item["command"]["target"] for item in answer.json()["items"]] == [each["id"] for each in listed]
        assert {state for _, state, _ in await states(database)} == {"shelved"}
        assert (await kinds(database)).count("command.done") == 40
        assert len(said) < 40 * 6


async def test_people_see_it_and_what_they_command_is_done_at_once(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as client:
        await raised(database)
        (alarm,) = (await client.get("/api/alarms", params={"site": "demo", "state": "open"})).json()["items"]
        assert (alarm["rule"], alarm["source"], alarm["state"], alarm["message"]["zh"]) == (
            "rights.behind",
            "gw-1",
            "active",
            "旧",
        )
        answer = await client.post(f"/api/alarms/{alarm['id']}/ack", json={"note": "seen"})
        assert answer.status_code == 202
        assert (answer.json()["state"], answer.json()["kind"]) == ("done", "alarm.ack")
        assert (await client.get(f"/api/commands/{answer.json()['id']}")).json()["state"] == "done"
        alarm = (await client.get(f"/api/alarms/{alarm['id']}")).json()
        assert (alarm["state"], alarm["note"], alarm["acknowledged_by"]["name"]) == ("acknowledged", "seen", "Wang")
        again = await client.post(f"/api/alarms/{alarm['id']}/ack")
        assert again.status_code == 409
        assert (await client.post(f"/api/alarms/{alarm['id']}/shelve", json={"for_s": 60})).status_code == 202
        assert await states(database) == [("gw-1", "shelved", "")]
        assert 0 < (await end_shelves(database, datetime.now(UTC)) or 0) <= 60
        await end_shelves(database, datetime.now(UTC) + timedelta(seconds=61))
        assert await states(database) == [("gw-1", "active", "")]
        assert await end_shelves(database, datetime.now(UTC)) is None
        assert (await kinds(database))[:4] == ["alarm.raised", "command.asked", "alarm.acknowledged", "command.done"]


async def test_the_road_of_commands_leads_to_the_hub_too(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "manager") as client:
        await raised(database)
        (alarm,) = (await client.get("/api/alarms", params={"site": "demo"})).json()["items"]
        command = {"site": "demo", "target": alarm["id"], "kind": "alarm.ack", "reason": "r", "args": {"note": "seen"}}
        answers = [await client.post("/api/commands", json=command, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(202, "done")] * 2
        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert await states(database) == [("gw-1", "acknowledged", "")]
        assert await rows(database, "SELECT gateway FROM commands") == [("",)]
        assert (await client.post("/api/commands", json=command)).status_code == 409
        assert await rows(database, "SELECT count(*) FROM commands") == [(1,)]


async def test_no_gateway_changes_an_alarm_of_the_hub(database: Database) -> None:
    async with office(database) as hub:
        await raised(database)
        [(alarm,)] = await rows(database, "SELECT id FROM alarms")
        await hub.clear(str(alarm))
        await hub.raise_alarm(alarm=str(alarm))
        assert await rows(database, "SELECT state, message ->> 'zh' FROM alarms") == [("active", "旧")]
        assert await rows(database, "SELECT count(*) FROM events WHERE failed IS NOT NULL") == [(2,)]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def change(hub: Office) -> None:
    async with hub.database.transaction(writes=True) as conn:
        await desired.changed(conn, "demo", [("holder", "h", Holder(id="h", name="x"))])


async def test_a_gateway_that_is_there_and_lags_for_a_minute_raises_an_alarm(database: Database) -> None:
    async with office(database) as hub:
        (gateway,) = (await rows(database, "SELECT id FROM gateways"))[0]
        clock, sent = Clock(), Sent()
        publishing = DesiredPublishing(database, sent, monotonic=clock)

        async def says(revision: int, *, online: bool = True) -> None:
            async with database.transaction() as conn:
                await conn.exec_driver_sql(f"UPDATE gateways SET online = {online}, desired = {revision}")
            publishing.heard(str(gateway), "demo", Journal(str(gateway)).presence("alive", desired=revision))
            await publishing.bring(str(gateway))
            await publishing._lagging.turn(clock.now)

        await change(hub)
        await says(1)
        await change(hub)
        await says(1)
        assert publishing._lagging.next_due() == clock.now + LAG_S
        clock.now += LAG_S - 1
        await says(1)
        assert await states(database) == []
        clock.now += 1
        await says(1)
        assert await states(database) == [(gateway, "active", "")]
        assert await own_rules(database) == [RULE]
        # The next hub process knows of it.
        publishing = DesiredPublishing(database, sent, monotonic=clock)
        await publishing._remember()
        await says(2)
        assert await states(database) == [(gateway, "cleared", "")]


async def test_all_that_lag_are_told_in_one_transaction(database: Database) -> None:
    async with office(database, "demo", "east", "south") as hub:
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE gateways SET online = true")
        names = {f"{site}-gw": site for site in hub.journals}
        lagging = Lagging(database)
        commits: list[int] = []
        database.subscribe(lambda done: commits.append(len(done.events)))
        for gateway, site in names.items():
            lagging.saw(gateway, site, 1, 2, 0.0)
        await lagging.turn(LAG_S)
        assert [source for source, state, _ in await states(database) if state == "active"] == sorted(names)
        for gateway, site in names.items():
            lagging.saw(gateway, site, 2, 2, LAG_S)
        await lagging.turn(LAG_S)
        assert [source for source, state, _ in await states(database) if state == "cleared"] == sorted(names)
        assert commits == [3, 3]


async def test_one_that_is_away_or_follows_raises_none(database: Database) -> None:
    async with office(database) as hub:
        (gateway,) = (await rows(database, "SELECT id FROM gateways"))[0]
        clock = Clock()
        publishing = DesiredPublishing(database, Sent(), monotonic=clock)
        journal = Journal(str(gateway))
        for revision in range(1, 5):
            await change(hub)
            publishing.heard(str(gateway), "demo", journal.presence("alive", desired=revision - 1))
            await publishing.bring(str(gateway))
            clock.now += LAG_S - 1
            await publishing._lagging.turn(clock.now)
        assert await states(database) == []
        async with database.transaction() as conn:
            await conn.exec_driver_sql("UPDATE gateways SET online = FALSE")
        clock.now += LAG_S
        await publishing._lagging.turn(clock.now)
        assert await states(database) == []
        assert publishing._lagging.next_due() is None


async def own_rules(database: Database) -> list[object]:
    return [rule for (rule,) in await rows(database, "SELECT rule FROM alarms WHERE gateway = ''")]


def test_the_console_knows_which_alarms_are_the_hubs_own() -> None:
    """Of these something can be said also while their site's gateway is away."""
    source = (ROOT / "web/console/src/areas/alarms/arriving.ts").read_text()
    named = re.search(r"HUBS_OWN = new Set\(\[(.*)\]\)", source)
    assert named is not None
    assert set(re.findall(r'"([^"]+)"', named[1])) == {away.RULE, successions.LOST, lagging.RULE}
