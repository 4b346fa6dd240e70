"""The overview's numbers are what their words say, whatever any screen has loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from contract.facts.entry import Access, DoorMoved, Presented
from contract.texts import Reason, Text
from hub.database.transactions import Database
from hub.sites import overview
from hub.sites import service as sites
from hub.sites.schemas import NumberKey
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
        there = now.astimezone(ZoneInfo("Asia/Shanghai"))
        midnight = there.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        for at in (midnight - timedelta(seconds=1), midnight, midnight + (now - midnight) / 2):
            await refused_at(hub, at)
        found = (await seen(hub, "mei"))["demo"]
        # What recovered is no longer open though nobody has acknowledged it; its ticket still is.
        assert found["alarms"] == nothing | {"critical": 1}
        assert (found["tickets"], found["doors_open"], found["denied"]) == (2, 1, 2)
        assert datetime.fromisoformat(found["denied_since"]) == midnight
        await hub.clear(stays, rule="a@lift-1")
        assert (await seen(hub, "mei"))["demo"]["alarms"] == nothing


async def test_who_was_refused_in_the_future_counts_by_the_receipt(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("mei", "manager", "demo")
        await refused_at(hub, datetime.now(UTC) + timedelta(days=400))
        for received, denied in ((timedelta(), 1), (timedelta(hours=25), 0)):
            async with database.transaction() as conn:
                query = "UPDATE events SET received_at = :received"
                await conn.execute(text(query), {"received": datetime.now(UTC) - received})
            assert (await seen(hub, "mei"))["demo"]["denied"] == denied


async def test_refusals_lead_to_exactly_the_rows_that_were_counted(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("mei", "manager", "demo")
        for code, granted in (("blocked_plate", False), ("visitor_ask", False), ("no_grant", False), ("granted", True)):
            decided = Access(
                credential=Presented(kind="plate", value="沪A12345"),
                holder=None, rule="r", revision=1, reason=Reason(code, "因", "why"),
            )  # fmt: skip
            await hub.report("access.granted" if granted else "access.denied", decided, "gate-in")
        async with hub.client("mei") as client:
            numbers = (await client.get("/api/overview/numbers")).json()["items"]
            [number] = [each for each in numbers if each["key"] == "denied"]
            listed = (await client.get(f"/api/entries?{number['rows'].partition('?')[2]}")).json()["items"]
        assert [item["outcome"] for item in listed] == ["refused", "waiting", "blocked"]


async def test_a_door_that_the_site_no_longer_has_is_not_open(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("mei", "manager", "demo")
        for door in ("garage", "cellar"):
            await hub.report("door.opened", DoorMoved(by="free"), door)
        assert (await seen(hub, "mei"))["demo"]["doors_open"] == 1


async def test_what_is_over_is_not_walked_through(database: Database) -> None:
    async with database.transaction() as conn:
        await conn.execute(text("SET LOCAL enable_seqscan = off"))
        values = {
            "sites": ["demo"],
            "since": [datetime.now(UTC)],
            "now": datetime.now(UTC),
            "closed_from": 40,
            "lasting": ["active"],
        }
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
        assert (new["reported"], new["gateways_offline"], new["as_of"]) == (False, None, None)
        assert set(await seen(hub, "wang")) == {"demo"}
        assert set(await seen(hub, "root", site="demo")) == {"demo"}


@pytest.mark.parametrize(
    ("zone", "began"),
    [
        ("Asia/Shanghai", "2026-03-28T16:00"),
        ("Europe/Berlin", "2026-03-28T23:00"),
        ("Mars/Olympus", "2026-03-29T00:00"),
    ],
)
def test_a_day_begins_by_the_clock_of_the_site(zone: str, began: str) -> None:
    # In Berlin the clock went forward at 01:00 UTC of that day.
    now = datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    assert f"{overview.day_began(zone, now):%Y-%m-%dT%H:%M}" == began


async def test_a_lost_gateway_says_how_old_the_numbers_are(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("mei", "manager", "demo")
        assert (await seen(hub, "mei"))["demo"]["as_of"] is None
        lost = datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
        async with database.transaction() as conn:
            query = "UPDATE gateways SET online = false, seen_at = :lost WHERE site = 'demo'"
            await conn.execute(text(query), {"lost": lost})
        found = (await seen(hub, "mei"))["demo"]
        assert (found["gateways_offline"], datetime.fromisoformat(found["as_of"])) == (1, lost)


async def test_every_number_is_explained_in_both_languages_and_leads_somewhere(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("mei", "manager", "demo")
        async with hub.client("mei") as client:
            numbers = (await client.get("/api/overview/numbers")).json()["items"]
    assert {number["key"] for number in numbers} == set(get_args(NumberKey))
    for number in numbers:
        assert number["name"].keys() == number["definition"].keys() == {"zh", "en"}
        assert number["rows"].startswith("/")
