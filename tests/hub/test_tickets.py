"""Tickets: one cause is one ticket, people move it by the table, the device itself closes it."""

from __future__ import annotations

from typing import Any

import pytest

from contract.facts.alarms import TicketRaised
from contract.texts import Text
from hub.database.transactions import Database
from tests.hub.office import Office, office
from tests.hub.senders import rows
from tests.web.servers import running, streaming


async def the_ticket(hub: Office, **query: str) -> dict[str, Any]:
    """The only ticket, as a list shows it."""
    async with hub.client("song") as client:
        (ticket,) = (await client.get("/api/tickets", params=query)).json()["items"]
    found: dict[str, Any] = ticket
    return found


async def test_a_fault_from_the_alarm_to_the_closed_ticket(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        alarm = await hub.raise_alarm(ticket=True)
        ticket = await the_ticket(hub, site="demo")
        assert (ticket["state"], ticket["number"], ticket["alarm"], ticket["asset"]) == ("raised", 1, alarm, "pump-1")
        assert (ticket["title"], ticket["place"]) == ({"zh": "水泵干转", "en": "Pump runs dry"}, "泵房")
        path = f"/api/tickets/{ticket['id']}"
        detail = (await client.get(path)).json()
        assert detail["history"] == [["pump-1.flow", 1_790_000_000_000, 0.0]]

        taken = await client.post(f"{path}/take")
        assert (taken.json()["state"], taken.json()["assignee"]["name"]) == ("taken", "Song")
        await client.post(f"{path}/comment", json={"text": "吸水管漏气"})
        done = await client.post(f"{path}/finish", json={"text": "已更换密封"})
        # The pump is still at fault: the work is done, the ticket is not closed.
        assert done.json()["state"] == "done"
        await hub.clear(alarm)
        closed = (await client.get(path)).json()
        assert (closed["state"], closed["closed_at"] is None) == ("closed", False)
        assert [(step["step"], step["by"] and step["by"]["name"], step["text"]) for step in closed["steps"]] == [
            ("opened", None, ""),
            ("taken", "Song", ""),
            ("commented", "Song", "吸水管漏气"),
            ("finished", "Song", "已更换密封"),
            ("closed", None, ""),
        ]
        kinds = ("opened", "taken", "commented", "finished", "closed")
        recorded = await hub.events(*(f"ticket.{kind}" for kind in kinds))
        assert [(kind, data["state"]) for kind, _, data in recorded] == [
            ("ticket.opened", "raised"),
            ("ticket.taken", "taken"),
            ("ticket.commented", "taken"),
            ("ticket.finished", "done"),
            ("ticket.closed", "closed"),
        ]
        assert {site for _, site, _ in recorded} == {"demo"}


async def test_finished_after_the_device_recovered_closes_at_once(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        alarm = await hub.raise_alarm(ticket=True)
        path = f"/api/tickets/{(await the_ticket(hub))['id']}"
        await client.post(f"{path}/take")
        await hub.clear(alarm)
        assert (await client.get(path)).json()["state"] == "taken"
        assert (await client.post(f"{path}/finish")).json()["state"] == "closed"


async def test_finished_work_says_what_was_found_and_done(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        await hub.raise_alarm(ticket=True)
        path = f"/api/tickets/{(await the_ticket(hub))['id']}"
        await client.post(f"{path}/take", json={"note": "马上到"})
        done = await client.post(f"{path}/finish", json={"found": "热继电器动作 ", "done": "复位", "text": ""})
        assert [step["text"] for step in done.json()["steps"]] == ["", "马上到", "热继电器动作\n复位"]


async def test_a_list_shows_the_end_of_the_history(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        long = TicketRaised(
            ticket="t-1",
            alarm="a-1",
            cause="c",
            asset="lift-1",
            severity="minor",
            title=Text("困人", "Trapped"),
            history=[("lift-1.floor", at, at) for at in range(600)],
        )
        await hub.report("ticket.raised", long, "lift-1")
        assert (await the_ticket(hub))["history"] == [["lift-1.floor", at, at] for at in range(560, 600)]
        assert len((await client.get("/api/tickets/t-1")).json()["history"]) == 600


async def test_repeats_of_one_cause_are_one_ticket(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance"):
        for severity in ("minor", "major", "warning"):
            await hub.clear(await hub.raise_alarm(ticket=True, severity=severity))
        ticket = await the_ticket(hub)
        assert (ticket["count"], ticket["severity"], ticket["state"]) == (3, "major", "raised")
        assert [step["step"] for step in ticket["steps"]] == ["opened", "folded", "folded"]
        await hub.raise_alarm(ticket=True, asset="pump-2", rule="dry-run@pump-2")
        assert await rows(hub.database, "SELECT number FROM tickets ORDER BY number") == [(1,), (2,)]


async def test_a_repeated_raising_counts_once(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        raised = TicketRaised(
            ticket="t-1", alarm="a-1", cause="c", asset="lift-1", severity="minor", title=Text("困人", "Trapped")
        )
        await hub.report("ticket.raised", raised, "lift-1")
        await hub.report("ticket.raised", raised, "lift-1")
        assert (await the_ticket(hub))["count"] == 1
        # What was folded in is found under its own id, too.
        folded = TicketRaised(
            ticket="t-2", alarm="a-2", cause="c", asset="lift-1", severity="minor", title=Text("困人", "Trapped")
        )
        await hub.report("ticket.raised", folded, "lift-1")
        assert (await client.get("/api/tickets/t-2")).json()["id"] == "t-1"


async def test_a_fault_that_returns_reopens_what_was_done(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        await hub.raise_alarm(ticket=True)
        path = f"/api/tickets/{(await the_ticket(hub))['id']}"
        await client.post(f"{path}/take")
        await client.post(f"{path}/finish")
        await hub.raise_alarm(ticket=True)
        again = (await client.get(path)).json()
        assert (again["state"], again["count"], again["assignee"]["name"]) == ("taken", 2, "Song")
        assert [step["step"] for step in again["steps"]][-1] == "reopened"


@pytest.mark.parametrize(
    ("steps", "step", "status"),
    [
        ((), "finish", 409),
        ((), "reopen", 409),
        ((), "comment", 422),
        ((), "close", 422),
        ((), "fold", 422),
        ((), "burn", 422),
        (("take", "finish"), "take", 409),
        (("take", "finish"), "finish", 409),
    ],
)
async def test_steps_that_may_not_follow(database: Database, steps: tuple[str, ...], step: str, status: int) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        await hub.raise_alarm(ticket=True)
        path = f"/api/tickets/{(await the_ticket(hub))['id']}"
        for taken in steps:
            assert (await client.post(f"{path}/{taken}")).status_code == 200
        before = (await client.get(path)).json()
        answer = await client.post(f"{path}/{step}")
        assert answer.status_code == status
        assert answer.json()["error"]["message"]
        assert (await client.get(path)).json() == before


@pytest.mark.parametrize(
    ("role", "step", "status"),
    [("guard", "take", 403), ("guard", "comment", 200), ("installer", "take", 200), ("manager", "take", 200)],
)
async def test_who_may_take_which_step(database: Database, role: str, step: str, status: int) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance"), hub.signed_in("he", role) as client:
        await hub.raise_alarm(ticket=True)
        path = f"/api/tickets/{(await the_ticket(hub))['id']}"
        assert (await client.post(f"{path}/{step}", json={"text": "seen"})).status_code == status


async def test_a_manager_hands_work_to_somebody(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("zhao", "manager") as manager:
        song = await hub.account("song", "maintenance", "demo")
        guard = await hub.account("wang", "guard", "demo")
        stranger = await hub.account("bai", "maintenance", "north")
        await hub.raise_alarm(ticket=True)
        path = f"/api/tickets/{(await the_ticket(hub))['id']}/take"
        for nobody in (guard, stranger, "nobody"):
            answer = await manager.post(path, json={"assignee": nobody})
            assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, ["assignee"])
        assert (await manager.post(path, json={"assignee": song})).json()["assignee"]["name"] == "Song"
        async with hub.client("song") as client:
            assert (await client.post(path, json={"assignee": stranger})).status_code == 403


async def test_a_person_reports_a_fault(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as guard:
        body = {"site": "demo", "title": "路灯不亮", "asset": "", "place": "东门", "text": "三盏"}
        opened = await guard.post("/api/tickets", json=body)
        assert opened.status_code == 201
        ticket = opened.json()
        assert (ticket["number"], ticket["alarm"], ticket["cause"]) == (1, None, "manual")
        assert ticket["title"] == {"zh": "路灯不亮", "en": "路灯不亮"}
        assert ticket["steps"][0]["text"] == "三盏"
        async with hub.signed_in("song", "maintenance") as client:
            path = f"/api/tickets/{ticket['id']}"
            await client.post(f"{path}/take")
            # Nothing measures a street lamp: whoever asked for the work says whether it is done.
            assert (await client.post(f"{path}/finish")).json()["state"] == "done"
            assert (await client.post(f"{path}/accept")).status_code == 409
            assert (await guard.post(f"{path}/reopen", json={"text": "还有一盏不亮"})).json()["state"] == "taken"
            await client.post(f"{path}/finish")
        closed = (await guard.post(f"{path}/accept", json={"text": "都亮了"})).json()
        assert (closed["state"], closed["steps"][-1]["step"]) == ("closed", "accepted")
        assert closed["closed_at"] is not None
        assert [kind for kind, *_ in await hub.events("ticket.accepted", "ticket.closed")] == ["ticket.accepted"]
        # Two people who report the same are two tickets: nobody can tell whether they mean the same.
        assert (await guard.post("/api/tickets", json=body)).json()["number"] == 2


async def test_a_closed_ticket_stays_closed_since_then_whatever_is_said_of_it(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as client:
        alarm = await hub.raise_alarm(ticket=True)
        path = f"/api/tickets/{(await the_ticket(hub))['id']}"
        await client.post(f"{path}/take")
        await hub.clear(alarm)
        closed = (await client.post(f"{path}/finish")).json()
        assert (closed["state"], closed["closed_at"] is None) == ("closed", False)
        commented = (await client.post(f"{path}/comment", json={"text": "备件已登记"})).json()
        assert commented["closed_at"] == closed["closed_at"]
        reopened = (await client.post(f"{path}/reopen", json={"text": "又坏了"})).json()
        assert (reopened["state"], reopened["closed_at"]) == ("taken", None)


async def test_nobody_accepts_his_own_work(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("bai", "maintenance") as bai,
        hub.signed_in("mei", "manager") as mei,
        hub.signed_in("root", "admin", "*") as root,
    ):
        body = {"site": "demo", "title": "路灯不亮"}
        path = f"/api/tickets/{(await song.post('/api/tickets', json=body)).json()['id']}"
        for step in ("take", "finish"):
            await song.post(f"{path}/{step}")
        # He asked for it and did it; a colleague has no say in it; a manager has.
        for who, code in ((song, "ticket_own"), (bai, "ticket_accept")):
            assert (await who.post(f"{path}/accept")).json()["error"]["code"] == code
        assert (await mei.post(f"{path}/accept")).json()["state"] == "closed"

        path = f"/api/tickets/{(await mei.post('/api/tickets', json=body)).json()['id']}"
        for step in ("take", "finish"):
            await mei.post(f"{path}/{step}")
        assert (await mei.post(f"{path}/accept")).json()["error"]["code"] == "ticket_own"
        # Who had it once has done it too, whoever finished it.
        await mei.post(f"{path}/reopen")
        await song.post(f"{path}/take_over", json={"holder": (await mei.get(path)).json()["assignee"]["id"]})
        await song.post(f"{path}/finish")
        assert (await mei.post(f"{path}/accept")).json()["error"]["code"] == "ticket_own"
        assert (await root.post(f"{path}/accept")).json()["state"] == "closed"


async def test_what_a_device_vouches_for_needs_no_acceptance(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("mei", "manager") as mei,
    ):
        await hub.raise_alarm(ticket=True)
        (ticket,) = (await song.get("/api/tickets")).json()["items"]
        for step in ("take", "finish"):
            await song.post(f"/api/tickets/{ticket['id']}/{step}")
        assert "accept" not in (await mei.get(f"/api/tickets/{ticket['id']}")).json()["can"]
        answer = await mei.post(f"/api/tickets/{ticket['id']}/accept")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ticket_alarm_active")


@pytest.mark.parametrize(
    ("change", "status"),
    [({"title": ""}, 422), ({"severity": "huge"}, 422), ({"site": "north"}, 404), ({"site": "nowhere"}, 404)],
)
async def test_what_a_reported_fault_must_be(database: Database, change: dict[str, Any], status: int) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("wang", "guard") as guard:
        answer = await guard.post("/api/tickets", json={"site": "demo", "title": "x"} | change)
        assert answer.status_code == status


async def test_tickets_are_listed_newest_first_and_in_pages(database: Database) -> None:
    async with (
        office(database, "demo", "north") as hub,
        hub.signed_in("song", "maintenance", "demo", "north") as client,
    ):
        for site, asset in (("demo", "pump-1"), ("north", "pump-1"), ("demo", "pump-2")):
            await hub.raise_alarm(site=site, asset=asset, rule=f"dry@{asset}", ticket=True)

        async def seen(**query: Any) -> list[tuple[str, int]]:
            page = (await client.get("/api/tickets", params=query)).json()
            return [(item["site"], item["number"]) for item in page["items"]]

        # Numbers are each site's own.
        assert sorted(await seen()) == [("demo", 1), ("demo", 2), ("north", 1)]
        assert await seen(site="demo") == [("demo", 2), ("demo", 1)]
        assert await seen(site="demo", state="taken") == []
        assert len(await seen(state="raised,taken")) == 3
        assert (await client.get("/api/tickets", params={"state": "lost"})).status_code == 422
        first = (await client.get("/api/tickets", params={"limit": 2})).json()
        second = (await client.get("/api/tickets", params={"limit": 2, "cursor": first["next"]})).json()
        ids = {item["id"] for item in (*first["items"], *second["items"])}
        assert (len(ids), second["next"]) == (3, None)


async def test_everybody_is_told_the_steps_that_are_theirs(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("mei", "manager") as mei,
        hub.signed_in("wang", "guard") as wang,
    ):
        ticket = (await wang.post("/api/tickets", json={"site": "demo", "title": "路灯不亮"})).json()
        path = f"/api/tickets/{ticket['id']}"

        async def told() -> list[list[str]]:
            found = [(await who.get(path)).json()["can"] for who in (song, mei, wang)]
            listed = [(await who.get("/api/tickets")).json()["items"][0]["can"] for who in (song, mei, wang)]
            assert found == listed
            return found

        assert await told() == [["take", "comment"], ["take", "comment"], ["comment"]]
        await mei.post(f"{path}/take")
        assert (await mei.post(f"{path}/finish")).json()["can"] == ["comment", "reopen"]
        # Who asked for it accepts it; who did it never does.
        assert await told() == [["comment", "reopen"], ["comment", "reopen"], ["comment", "accept", "reopen"]]
        assert (await wang.post(f"{path}/accept")).json()["can"] == ["comment", "reopen"]


async def test_the_live_stream_tells_each_person_their_own_steps(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("wang", "guard") as wang,
        hub.signed_in("bai", "guard"),
    ):
        ticket = (await wang.post("/api/tickets", json={"site": "demo", "title": "路灯不亮"})).json()
        async with running(hub.app) as url:

            async def of_snapshot(who: str) -> list[str]:
                async with streaming(url, await hub.token(who)) as stream:
                    [shown] = (await stream.named("snapshot")).data["tickets"]
                    assert "hands" not in shown
                    return list(shown["can"])

            async with (
                streaming(url, await hub.token("wang")) as asked,
                streaming(url, await hub.token("bai")) as other,
            ):
                for stream in (asked, other):
                    await stream.named("snapshot")
                await song.post(f"/api/tickets/{ticket['id']}/take")
                for stream in (asked, other):
                    assert (await stream.named("state")).data["can"] == ["comment"]
                await song.post(f"/api/tickets/{ticket['id']}/finish")
                assert (await asked.named("state")).data["can"] == ["comment", "accept", "reopen"]
                assert (await other.named("state")).data["can"] == ["comment"]
            assert await of_snapshot("wang") == ["comment", "accept", "reopen"]
            assert await of_snapshot("bai") == ["comment"]
            assert await of_snapshot("song") == ["comment", "reopen"]
