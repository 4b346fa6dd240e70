"""Whose a ticket is: two who take it at once, taking over, finishing what somebody else has."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from hub.database.transactions import Database
from tests.hub.office import Office, office
from tests.hub.senders import rows
from tests.web.servers import running, streaming


async def path_of(hub: Office, client: httpx.AsyncClient) -> str:
    """A ticket that nobody has."""
    await hub.raise_alarm(ticket=True)
    (ticket,) = (await client.get("/api/tickets")).json()["items"]
    return f"/api/tickets/{ticket['id']}"


def holder(ticket: dict[str, Any]) -> str:
    return str(ticket["assignee"]["id"])


async def test_of_two_who_take_it_at_once_one_has_it_and_the_other_hears_who(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("bai", "maintenance") as bai,
    ):
        path = await path_of(hub, song)
        async with running(hub.app) as url:
            tokens = [await hub.token(who) for who in ("song", "bai")]
            async with httpx.AsyncClient(base_url=url) as wire:
                answers = await asyncio.gather(
                    *(wire.post(f"{path}/take", headers={"Authorization": f"Bearer {token}"}) for token in tokens)
                )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        error = lost.json()["error"]
        assert (error["code"], holder(error["current"])) == ("ticket_taken", holder(won.json()))
        assert won.json()["assignee"]["name"] in error["message"]
        assert error["current"]["steps"][-1]["step"] == "taken"
        assert holder((await bai.get(path)).json()) == holder(won.json())
        assert len(await hub.events("ticket.taken")) == 1


async def test_taking_over_names_both_and_only_from_whom_it_was_seen_with(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("bai", "maintenance") as bai,
        hub.signed_in("mei", "manager") as mei,
    ):
        path = await path_of(hub, song)
        assert (await bai.post(f"{path}/take_over", json={"holder": "x"})).status_code == 409, "nobody has it"
        taken = (await song.post(f"{path}/take")).json()
        assert taken["can"] == ["take", "comment", "finish"]
        assert (await bai.get(path)).json()["can"] == ["take_over", "comment", "finish"]
        for body in ({}, {"holder": "somebody"}):
            refused = await bai.post(f"{path}/take_over", json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ticket_taken")
        over = (await bai.post(f"{path}/take_over", json={"holder": holder(taken)})).json()
        assert (over["state"], over["assignee"]["name"]) == ("taken", "Bai")
        step = over["steps"][-1]
        assert [step["step"], *(step[who]["name"] for who in ("by", "was", "to"))] == [
            "taken_over",
            "Bai",
            "Song",
            "Bai",
        ]
        # Meanwhile it is another's: the manager, who saw it with Song, is told so.
        assert (await mei.post(f"{path}/take_over", json={"holder": holder(taken)})).status_code == 409
        back = {"holder": holder(over), "assignee": holder(taken)}
        given = (await mei.post(f"{path}/take_over", json=back)).json()
        step = given["steps"][-1]
        assert [step[who]["name"] for who in ("by", "was", "to")] == ["Mei", "Bai", "Song"]
        recorded = [(data["was"]["name"], data["to"]["name"]) for _, _, data in await hub.events("ticket.taken_over")]
        assert recorded == [("Song", "Bai"), ("Bai", "Song")]


async def test_finishing_what_somebody_else_has_asks_first(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("bai", "maintenance") as bai,
    ):
        path = await path_of(hub, song)
        taken = (await song.post(f"{path}/take")).json()
        refused = await bai.post(f"{path}/finish", json={"found": "热继电器动作", "done": "复位"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "ticket_finish_others")
        said = {"found": "热继电器动作", "done": "复位", "holder": holder(taken)}
        done = (await bai.post(f"{path}/finish", json=said)).json()
        assert (done["state"], done["assignee"]["name"], done["steps"][-1]["by"]["name"]) == ("done", "Song", "Bai")


async def test_what_nobody_has_is_worked_on_as_ever(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        path = await path_of(hub, song)
        for step in ("take", "take", "finish"):
            assert (await song.post(f"{path}/{step}")).status_code == 200


async def test_who_had_it_sees_at_once_that_it_is_another_s(database: Database) -> None:
    async with (
        office(database) as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("bai", "maintenance") as bai,
        running(hub.app) as url,
        streaming(url, await hub.token("song"), site="demo") as stream,
    ):
        path = await path_of(hub, song)
        taken = (await song.post(f"{path}/take")).json()
        await bai.post(f"{path}/take_over", json={"holder": holder(taken)})
        async with asyncio.timeout(5):
            while (state := (await stream.named("state")).data).get("kind") != "ticket" or not (
                state["assignee"] and state["assignee"]["name"] == "Bai"
            ):
                pass
        assert state["can"] == ["take_over", "comment", "finish"]
        assert state["steps"][-1]["was"]["name"] == "Song"


@pytest.mark.parametrize("again", [False, True])
async def test_a_ticket_says_whether_its_device_is_well(database: Database, *, again: bool) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        alarm = await hub.raise_alarm(ticket=True)
        assert [item["recovered_at"] for item in (await song.get("/api/tickets")).json()["items"]] == [None]
        hub.told.clear()
        await hub.clear(alarm)
        told = [state for state in hub.told if state["kind"] == "ticket"]
        assert [state["recovered_at"] is not None for state in told] == [True]
        if again:
            await hub.raise_alarm(alarm=alarm)
            assert [state["recovered_at"] for state in hub.told if state["kind"] == "ticket"][-1] is None


async def test_a_repeat_keeps_the_values_around_the_first_fault(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("song", "maintenance") as song:
        path = await path_of(hub, song)
        first = (await song.get(path)).json()
        assert (len(first["history"]), first["first_history"]) == (1, None)
        for _ in range(2):
            await hub.raise_alarm(ticket=True)
        again = (await song.get(path)).json()
        assert (again["count"], again["first_history"]) == (3, first["history"])
        assert (await song.get("/api/tickets")).json()["items"][0]["first_history"] is None


async def test_several_are_taken_at_once_and_nobody_is_passed_over(database: Database) -> None:
    async with (
        office(database, "demo", "north") as hub,
        hub.signed_in("song", "maintenance") as song,
        hub.signed_in("bai", "maintenance") as bai,
        hub.signed_in("wang", "guard") as wang,
    ):
        for asset in ("pump-1", "pump-2", "pump-3"):
            await hub.raise_alarm(ticket=True, asset=asset, rule=f"dry@{asset}")
        foreign = await hub.raise_alarm(ticket=True, site="north")
        ids = sorted(item["id"] for item in (await song.get("/api/tickets")).json()["items"])
        await bai.post(f"/api/tickets/{ids[0]}/take")
        answer = await song.post("/api/tickets/steps", json={"ids": [*ids, "none"], "step": "take"})
        told = [
            (item["ticket"] and item["ticket"]["state"], (item["refused"] or {}).get("code"))
            for item in answer.json()["items"]
        ]
        assert told == [(None, "ticket_taken"), ("taken", None), ("taken", None), (None, "not_found")]
        said = {"ids": ids, "step": "finish", "found": "停电", "done": "恢复供电"}
        done = (await song.post("/api/tickets/steps", json=said)).json()["items"]
        assert [(item["refused"] or {}).get("code") for item in done] == ["ticket_finish_others", None, None]
        assert (await bai.get(f"/api/tickets/{ids[0]}")).json()["assignee"]["name"] == "Bai"
        seen = await wang.post("/api/tickets/steps", json={"ids": ids, "step": "comment", "text": "已通知"})
        assert [item["ticket"]["steps"][-1]["text"] for item in seen.json()["items"]] == ["已通知"] * 3
        north = await rows(hub.database, "SELECT id FROM tickets WHERE site = 'north'")
        assert foreign
        assert (
            await wang.post("/api/tickets/steps", json={"ids": [north[0][0]], "step": "comment"})
        ).status_code == 404
        wrongs: list[dict[str, Any]] = [{"ids": []}, {"step": "accept"}, {"ids": ["x"] * 101}]
        for wrong in wrongs:
            assert (await song.post("/api/tickets/steps", json={"ids": ids, "step": "take"} | wrong)).status_code == 422
