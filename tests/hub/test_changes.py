"""Nothing that people edit changes without an event that says from what to what; and who is erased is gone from it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from contract.rights import HIDDEN
from hub.changes import service
from hub.changes.service import Change
from hub.database.transactions import Database
from hub.events.verifying import verify
from tests.hub.office import PASSWORD, Office, office
from tests.hub.senders import rows
from tests.hub.test_access import holder_of, made
from tests.hub.test_editing import edits, send
from tests.hub.test_once import posts
from tests.hub.test_rights import body_of, furnish

OTHERWISE: dict[str, dict[str, Any]] = {
    "credentials": {"state": "lost"},
    "grants": {"places": ["garage"]},
    "schedules": {"name": {"zh": "夜", "en": "Night"}},
    "blocks": {"reason": {"zh": "丢失", "en": "Lost"}},
    "sites": {"places": ["garage"]},
    "company": {"zh": "云杉物业", "en": "Spruce"},
}
"""What makes a body another one than what stands."""


async def changes(hub: Office, **asked: str) -> list[dict[str, Any]]:
    async with hub.client("root") as client:
        return await changes_seen(client, **asked)


async def changes_seen(client: httpx.AsyncClient, **asked: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/changes", params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def values(item: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {one["field"]: (one["before"], one["after"]) for one in item["fields"]}


async def test_every_route_that_edits_records_what_it_changed(database: Database) -> None:
    async with office(database, "north") as hub:
        await hub.account("root", "admin", "*")
        foreign = await furnish(hub, "north")
        walked = 0
        async with hub.client("root") as client:
            for route in sorted(edits(hub), key=lambda one: (one.method == "DELETE", "holders" in one.path)):
                noun = route.path.split("/")[2]
                body = None if route.method == "DELETE" else (body_of(route, "north", foreign) or {})
                (newest, *_) = await changes_seen(client)
                answer = await send(
                    client, route, foreign, "*", None if body is None else body | OTHERWISE.get(noun, {})
                )
                assert answer.status_code in {200, 204}, f"{route.method} {route.path} {answer.text}"
                told = [item for item in await changes_seen(client) if item["event"] > newest["event"]]
                assert told, f"{route.method} {route.path} changed something without a word"
                for item in told:
                    assert item["change"] == ("removed" if body is None else "updated")
                    assert item["by"]["name"] == "Root"
                    if item["erased"]:
                        assert noun == "holders"
                        continue
                    pairs = values(item).values()
                    assert pairs and all(
                        (after is None) if body is None else before != after for before, after in pairs
                    )
                walked += 1
        assert walked > 14


async def test_every_post_is_in_the_history(database: Database) -> None:
    async with office(database, "north") as hub:
        await hub.account("root", "admin", "*")
        foreign = await furnish(hub, "north")
        async with hub.client("root") as client:
            for route in posts(hub):
                if route.path.startswith("/api/alarms/"):
                    continue  # asked of their gateway: tests/hub/test_commands.py, tests/hub/test_alarms_many.py
                (before,) = await rows(database, "SELECT max(id) FROM events")
                path = route.path.format(**foreign, id="")
                answer = await client.post(path, json=body_of(route, "north", foreign))
                assert answer.is_success, answer.text
                assert (await rows(database, "SELECT max(id) FROM events"))[0] > before, route.path


async def test_old_and_new_of_every_field_and_no_secret(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as client:
        holder = await holder_of(client)
        await client.put(f"/api/holders/{holder}", json={"name": "周明远", "unit": "B-0101"})
        (item, first, *_) = await changes(hub, kind="holder", record=holder)
        assert (item["change"], values(item)) == ("updated", {"unit": ("A-0301", "B-0101")})
        assert values(first)["name"] == (None, "周明远")

        pin = await made(client, "credentials", kind="pin", value="835512", holder=holder)
        await client.put(
            f"/api/credentials/{pin['id']}", json={"kind": "pin", "value": "994411", "holder": holder, "state": "lost"}
        )
        account = await hub.account("chen", "guard", "demo")
        body = {"name": "Chen", "role": "maintenance", "sites": ["demo"], "password": "another horse battery"}
        assert (await client.put(f"/api/accounts/{account}", json=body)).status_code == 200
        (item, *_) = await changes(hub, kind="account", record=account)
        assert values(item) == {"role": ("guard", "maintenance"), "password": (HIDDEN, HIDDEN)}
        (item, *_) = await changes(hub, record=pin["id"])
        assert values(item) == {"value": (HIDDEN, HIDDEN), "state": ("active", "lost")}
        kept = str(await rows(database, "SELECT said FROM changes"))
        for secret in ("835512", "994411", PASSWORD, "another horse battery", "argon2"):
            assert secret not in kept


async def test_who_is_erased_is_gone_and_the_history_verifies(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        await hub.account("root", "admin", "*")
        holder, other = await holder_of(client), await holder_of(client, name="李敏")
        card = await made(client, "credentials", kind="plate", value="沪A12345", holder=holder)
        await client.put(f"/api/holders/{holder}", json={"name": "周明", "unit": "13800138000"})
        await client.delete(f"/api/credentials/{card['id']}")
        await client.delete(f"/api/holders/{holder}")
        kept = str(await rows(database, "SELECT * FROM changes"))
        everything = kept + str(await rows(database, "SELECT data::text FROM events"))
        for trace in ("周明", "13800138000", "沪A12345"):
            assert trace not in everything
        assert "李敏" in kept
        told = await changes(hub, subject=holder)
        assert [item["change"] for item in told] == ["removed", "removed", "updated", "created", "created"]
        assert all(item["erased"] for item in told)
        assert {one["field"] for one in told[2]["fields"]} == {"name", "unit"}
        assert (await changes(hub, subject=other))[0]["erased"] is False
        assert (await verify(database)).disagreements == []


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE changes SET said = replace(said, '周明远', '周明近') WHERE kind = 'holder'",
        "UPDATE changes SET salt = 'x' WHERE kind = 'holder'",
        "UPDATE changes SET event = event - 1 WHERE kind = 'holder'",
    ],
)
async def test_values_that_were_altered_are_found(database: Database, forgery: str) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        await holder_of(client)
        assert (await verify(database)).disagreements == []
        async with database.transaction() as conn:
            await conn.execute(text(forgery))
        assert [one.event is not None for one in (await verify(database)).disagreements] == [True]


async def test_who_may_read_what_was_changed(database: Database) -> None:
    async with office(database, "demo", "north") as hub:
        await hub.account("root", "admin", "*")
        async with hub.client("root") as root:
            await root.post("/api/holders", json={"site": "north", "name": "北"})
            await root.post("/api/holders", json={"site": "demo", "name": "南"})
            await root.put("/api/company", json={"zh": "云杉物业", "en": "Spruce"})
        async with hub.signed_in("zhao", "manager", "demo") as manager:
            told = (await manager.get("/api/changes")).json()["items"]
            assert {item["site"] for item in told} == {"demo"}
            assert {item["kind"] for item in told} == {"holder", "site"}
            assert (await manager.get("/api/changes", params={"site": "north"})).status_code == 403
            assert (await manager.get("/api/changes", params={"kind": "account"})).json()["items"] == []
        for role in ("guard", "maintenance", "installer"):
            async with hub.signed_in(role, role, "demo") as other:
                assert (await other.get("/api/changes")).status_code == 403
        assert {item["kind"] for item in await changes(hub)} == {"holder", "site", "account", "company"}
        assert (await changes(hub, kind="company"))[0]["fields"][0]["after"] == {"zh": "云杉物业", "en": "Spruce"}


async def test_they_come_in_pages(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as client:
        for name in "甲乙丙":
            await holder_of(client, name=name)
        found: list[Any] = []
        before: int | None = None
        while True:
            asked: dict[str, str | int] = {"kind": "holder", "limit": 1}
            if before is not None:
                asked["before"] = before
            page = (await client.get("/api/changes", params=asked)).json()
            found += page["items"]
            if (before := page["next"]) is None:
                break
        assert [values(item)["name"][1] for item in found] == ["丙", "乙", "甲"]


def test_a_long_value_is_cut() -> None:
    said = Change(kind="schedule", id="x", change="created", after={"days": ["2026-01-01"] * 400, "name": "夜"}).said()
    assert len(said.encode()) < 2 * service.LONGEST
    assert "…" in said and "夜" in said
