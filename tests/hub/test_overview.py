"""The overview's numbers are what their words say, whatever any screen has loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from contract.facts.entry import DoorMoved
from contract.texts import Text
from hub.database.transactions import Database
from hub.sites import overview
from hub.sites import service as sites
from tests.hub.office import Office, office
from tests.hub.senders import Journal


async def seen(hub: Office, username: str, **query: str) -> dict[str, Any]:
    async with hub.client(username) as client:
        return {item.pop("site"): item for item in (await client.get("/api/overview", params=query)).json()["items"]}


async def refused_at(hub: Office, at: datetime) -> None:
    journal: Journal = hub.journals["demo"]
    moment = f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
    event = journal.record("access.denied", b'{"reason": {"code": "no_grant"}}', "lobby-a", moment)
    await hub.take(journal.arrived(event.seq, event.seq))


async def test_every_number_counts_what_its_name_says(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("mei", "manager", "demo")
        nothing = {"critical": 0, "major": 0, "minor": 0, "warning": 0}
        (empty,) = (await seen(hub, "mei")).values()
        assert (empty["alarms"], empty["tickets"], empty["doors_open"], empty["denied"]) == (nothing, 0, 0, 0)

        stays = await hub.raise_alarm(severity="critical", rule="a@lift-1", asset="lift-1", ticket=True)
        gone = await hub.raise_alarm(severity="critical", rule="b@lift-2", asset="lift-2", ticket=True)
        await hub.clear(gone, rule="b@lift-2")
        await hub.report("door.opened", DoorMoved(by="free"), "garage")
        now = datetime.now(UTC)
        for hours in (1, 23, 25):
            await refused_at(hub, now - timedelta(hours=hours))
        found = (await seen(hub, "mei"))["demo"]
        # What recovered is no longer open though nobody has acknowledged it; its ticket still is.
        assert found["alarms"] == nothing | {"critical": 1}
        assert (found["tickets"], found["doors_open"], found["denied"]) == (2, 1, 2)
        assert timedelta(hours=23) < now - datetime.fromisoformat(found["denied_since"]) < timedelta(hours=25)
        await hub.clear(stays, rule="a@lift-1")
        assert (await seen(hub, "mei"))["demo"]["alarms"] == nothing


async def test_who_was_refused_in_the_future_counts_by_the_receipt(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("mei", "manager", "demo")
        await refused_at(hub, datetime.now(UTC) + timedelta(days=400))
        for received, denied in ((timedelta(hours=1), 1), (timedelta(hours=25), 0)):
            async with database.transaction() as conn:
                query = "UPDATE events SET received_at = :received"
                await conn.execute(text(query), {"received": datetime.now(UTC) - received})
            assert (await seen(hub, "mei"))["demo"]["denied"] == denied


async def test_a_door_that_the_site_no_longer_has_is_not_open(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("mei", "manager", "demo")
        for door in ("garage", "cellar"):
            await hub.report("door.opened", DoorMoved(by="free"), door)
        assert (await seen(hub, "mei"))["demo"]["doors_open"] == 1


async def test_what_is_over_is_not_walked_through(database: Database) -> None:
    async with database.transaction() as conn:
        await conn.execute(text("SET LOCAL enable_seqscan = off"))
        values = {"sites": None, "since": datetime.now(UTC), "now": datetime.now(UTC), "closed_from": 40}
        plan = "\n".join((await conn.execute(text(f"EXPLAIN {overview._COUNTS.text}"), values)).scalars())
    assert "ix_tickets_open" in plan
    assert "(rank < " in plan


async def test_of_a_site_that_never_reported_nothing_is_known(database: Database) -> None:
    async with office(database) as hub:
        async with database.session(writes=True) as session:
            await sites.ensure(session, "new", Text("新", "New"), "Asia/Shanghai")
        await hub.account("root", "admin", "*")
        await hub.account("wang", "guard", "demo")
        found = await seen(hub, "root")
        new = found["new"]
        assert (new["alarms"], new["doors_open"], new["denied"], new["tickets"]) == (None, None, None, 0)
        assert set(await seen(hub, "wang")) == {"demo"}
        assert set(await seen(hub, "root", site="demo")) == {"demo"}
