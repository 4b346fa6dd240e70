"""The hub's live stream over a real server and database: what is committed is shown, once, to those whose it is."""

from __future__ import annotations

import asyncio
from typing import Any

from contract.facts.entry import DoorMoved
from contract.rights import EVERYBODY_SEES, KIND_SIGHTS
from hub.database.transactions import Database
from hub.domains import STANDING
from hub.live import HubLiveSource
from tests.hub.office import Office, office
from tests.web.servers import Stream, running, streaming
from web.live.screens import View

EVERYTHING = View(None, EVERYBODY_SEES)


async def open_door(hub: Office, site: str = "demo") -> None:
    await hub.report("door.opened", DoorMoved(by="decision"), "lobby-a", site=site)


async def ids(stream: Stream, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        found += [item["id"] for item in (await stream.named("events")).data]
    return found


async def test_a_guards_screen_from_the_snapshot_on(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        alarm = await hub.raise_alarm(ticket=True)
        token = await hub.token("wang")
        async with running(hub.app) as url, streaming(url, token, site="demo") as stream:
            first = await stream.named("snapshot")
            snapshot = first.data
            assert set(snapshot) == {"as_of", "doors", "lanes", "alarms", "tickets", "gateways", "events"}
            assert [door["id"] for door in snapshot["doors"]] == ["lobby-a", "garage"]
            assert [lane["id"] for lane in snapshot["lanes"]] == ["gate-in"]
            assert [one["id"] for one in snapshot["alarms"]] == [alarm]
            assert [one["state"] for one in snapshot["tickets"]] == ["raised"]
            assert [one["id"] for one in snapshot["gateways"]] == ["demo-gw"]
            newest = (await client.get("/api/events", params={"site": "demo"})).json()["items"]
            # The same items as REST gives, newest first, but for what is about oneself.
            assert snapshot["events"] == [item for item in newest if KIND_SIGHTS[item["kind"]] != "accounts"]
            assert first.id == newest[0]["id"]

            await open_door(hub)
            shown = await stream.named("events")
            (listed,) = (await client.get("/api/events", params={"site": "demo", "after": first.id})).json()["items"]
            assert shown.data == [listed]
            assert shown.id == listed["id"]
            state = await stream.named("state")
            assert (state.data["kind"], state.data["id"], state.data["contact"]) == ("door", "lobby-a", "open")
            doors = (await client.get("/api/doors", params={"site": "demo"})).json()["items"]
            assert {"kind": "door", **doors[0]} == state.data

            await hub.clear(alarm)
            state = await stream.named("state")
            assert (state.data["kind"], state.data["state"]) == ("alarm", "cleared")


async def test_what_people_do_is_shown_too(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        await hub.raise_alarm(ticket=True)
        async with running(hub.app) as url, streaming(url, await hub.token("song")) as stream:
            (ticket,) = (await stream.named("snapshot")).data["tickets"]
            await client.post(f"/api/tickets/{ticket['id']}/take")
            assert [event["kind"] for event in (await stream.named("events")).data] == ["ticket.taken"]
            state = (await stream.named("state")).data
            assert (state["kind"], state["state"], state["assignee"]["name"]) == ("ticket", "taken", "Song")


async def test_a_resume_misses_nothing_and_doubles_nothing(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        token = await hub.token("wang")
        async with running(hub.app) as url:
            async with streaming(url, token) as stream:
                last = (await stream.named("snapshot")).id
                await open_door(hub)
                seen = await ids(stream, 1)
            for _ in range(5):
                await open_door(hub)
            busy = asyncio.create_task(keep_opening(hub, 20))
            async with streaming(url, token, last_id=seen[-1]) as stream:
                seen += await ids(stream, 25)
            await busy
        async with hub.client("wang") as client:
            query: dict[str, Any] = {"after": last, "limit": 100, "kind": "door.opened"}
            listed = [item["id"] for item in (await client.get("/api/events", params=query)).json()["items"]]
        # Sign-ins of the guard stand between the door's events.
        assert [event for event in seen if event in listed] == listed
        assert len(seen) == len(set(seen))


async def keep_opening(hub: Office, times: int) -> None:
    for _ in range(times):
        await open_door(hub)


async def test_another_sites_events_are_not_shown(database: Database) -> None:
    async with office(database, "demo", "north") as hub:
        await hub.account("wang", "guard", "demo")
        token = await hub.token("wang")
        async with running(hub.app) as url, streaming(url, token) as stream:
            snapshot = await stream.named("snapshot")
            assert "north" not in str(snapshot.data)
            await open_door(hub, "north")
            await open_door(hub)
            shown = await stream.named("events")
            assert {event["site"] for event in shown.data} == {"demo"}
            missed = await HubLiveSource(database, STANDING).missed(View(frozenset({"demo"}), EVERYBODY_SEES), 0, 1000)
            assert missed is not None
            assert {event.site for event in missed} == {"demo"}


async def test_whoever_loses_a_right_loses_the_screen(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("root", "admin", "*") as admin:
        account = await hub.account("wang", "guard", "demo", "north")
        body = {"name": "Wang", "role": "guard", "sites": ["demo"]}
        async with running(hub.app) as url, streaming(url, await hub.token("wang")) as stream:
            await stream.named("snapshot")
            await admin.put(f"/api/accounts/{account}", json=body)
            while (frame := await stream.next()) is not None:
                assert frame.name in {"events", "state"}


async def test_an_id_from_another_time_is_reset(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        async with running(hub.app) as url, streaming(url, await hub.token("wang"), last_id=10_000_000) as stream:
            first, second = await stream.next(), await stream.next()
            assert first is not None
            assert second is not None
            assert (first.name, second.name) == ("reset", "snapshot")


async def test_a_snapshot_is_of_one_moment(database: Database) -> None:
    async with office(database) as hub:
        source = HubLiveSource(database, STANDING)
        before = await source.snapshot(EVERYTHING)
        await open_door(hub)
        after = await source.snapshot(EVERYTHING)
        assert after.last_id > before.last_id
        assert await source.missed(EVERYTHING, after.last_id, 10) == []
        assert await source.missed(EVERYTHING, 0, 1) is None
