"""A form that was opened before another's change undoes nothing: through no route that edits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.database.transactions import Database
from tests.hub.office import Office, office
from tests.hub.test_access import holder_of, made
from tests.hub.test_rights import Route, body_of, furnish, held, routes

NO_FORM = {
    ("DELETE", "/api/session"): "ends one's own session",
    ("DELETE", "/api/self/sessions"): "ends sessions: whatever is open, it is to end",
    ("DELETE", "/api/self/sessions/{session}"): "the same, of one",
    ("DELETE", "/api/accounts/{account_id}/sessions"): "the same, of somebody else",
    ("DELETE", "/api/self/second-factor"): "one's own, and asks for the password",
    ("DELETE", "/api/accounts/{account_id}/second-factor"): "takes away whatever stands: no form was opened",
    ("DELETE", "/api/accounts/{account_id}/locks"): "lifts whatever locks stand: no form was opened",
    ("PUT", "/api/accounts/self"): "one's own language: nobody else's change could be undone",
}
"""What may be changed without a version, and why."""


def edits(hub: Office) -> Iterator[Route]:
    for route in routes(hub):
        if route.method in {"PUT", "PATCH", "DELETE"} and (route.method, route.path) not in NO_FORM:
            yield route


async def send(
    client: httpx.AsyncClient, route: Route, foreign: dict[str, str], tag: str | None, body: Any
) -> httpx.Response:
    noun = route.path.split("/")[2]
    path = route.path.format(**foreign, id=foreign.get(noun, ""))
    query = {"site": foreign["site"]} if route.has("query", "site") else {}
    headers = {} if tag is None else {"If-Match": tag}
    return await client.request(route.method, path, params=query, json=body, headers=headers)


async def test_a_lost_card_is_not_made_good_by_a_form_that_was_open(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        card = await made(admin, "credentials", kind="card", value="04A1B2C3D4E5F6", holder=await holder_of(admin))
        path = f"/api/credentials/{card['id']}"
        opened = await admin.get(path)
        body = {name: opened.json()[name] for name in ("kind", "value", "holder", "state", "valid_from", "valid_to")}
        async with hub.signed_in("zhao", "manager") as manager:
            seen = (await manager.get(path)).headers["ETag"]
            lost = await manager.put(path, json=body | {"state": "lost"}, headers={"If-Match": seen})
            assert lost.status_code == 200

        longer = body | {"valid_to": "2030-01-01T00:00:00Z"}
        saved = await admin.put(path, json=longer, headers={"If-Match": opened.headers["ETag"]})
        assert saved.status_code == 412
        error = saved.json()["error"]
        assert (error["code"], error["current"]["state"]) == ("changed", "lost")
        assert (await hub.desired("demo", "credential"))[card["id"]]["state"] == "lost"

        # Whoever has seen what the other did goes on from there.
        again = longer | {"state": error["current"]["state"]}
        saved = await admin.put(path, json=again, headers={"If-Match": f'"{error["current"]["version"]}"'})
        assert (saved.status_code, saved.json()["state"]) == (200, "lost")


async def test_no_route_edits_without_the_version_that_was_seen(database: Database) -> None:
    """Every route that edits, of every server's list: without a version 428, with an old one 412 and nothing done."""
    async with office(database, "north") as hub:
        await hub.account("root", "admin", "*")
        foreign = await furnish(hub, "north")
        walked = 0
        async with hub.client("root", **{"If-Match": ""}) as client:
            # What is removed last is what the others hang on.
            for route in sorted(edits(hub), key=lambda one: (one.method == "DELETE", "holders" in one.path)):
                told = f"{route.method} {route.path}"
                body = body_of(route, "north", foreign)
                if route.path == "/api/company":
                    body = {"zh": "云杉物业", "en": "Spruce"}
                assert route.has("header", "If-Match"), told
                before = await held(hub, "north")
                missing = await send(client, route, foreign, None, body)
                assert (missing.status_code, missing.json()["error"]["code"]) == (428, "version_required"), told
                stale = await send(client, route, foreign, '"1"', body)
                assert (stale.status_code, stale.json()["error"]["code"]) == (412, "changed"), told
                assert await held(hub, "north") == before, told
                version = stale.json()["error"]["current"]["version"]
                done = await send(client, route, foreign, f'W/"7", "{version}"', body)
                assert done.status_code in {200, 204}, told + done.text
                if done.status_code == 200:
                    assert done.headers["ETag"] == f'"{done.json()["version"]}"', told
                walked += 1
        assert walked > 14


async def test_every_record_that_is_edited_tells_its_version(database: Database) -> None:
    async with office(database, "north") as hub:
        await hub.account("root", "admin", "*")
        foreign = await furnish(hub, "north")
        edited = {route.path for route in edits(hub)}
        async with hub.client("root") as client:
            reads = [one for one in routes(hub) if one.method == "GET"]
            tagged = [one for one in reads if one.path in edited]
            for route in tagged:
                answer = await send(client, route, foreign, None, None)
                assert answer.headers["ETag"] == f'"{answer.json()["version"]}"', route.path
            # And their lists say it of each.
            lists = {re.sub(r"/\{[^}]*\}$", "", path) for path in edited} & {one.path for one in reads}
            for path in lists - edited:
                for item in (await client.get(path)).json()["items"]:
                    assert item["version"] > 0, path
            assert len(tagged) > 6 and len(lists) > 6
            (site,) = (await client.get("/api/sites")).json()["items"]
            assert site["posts"][0]["version"] > 0


@pytest.mark.parametrize("tag", ["42", '"x"', '"1" "2"', '"1",', "none"])
async def test_what_is_no_etag_is_named(database: Database, tag: str) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        path = f"/api/holders/{await holder_of(admin)}"
        answer = await admin.delete(path, headers={"If-Match": tag})
        assert answer.status_code == 422
        assert list(answer.json()["error"]["fields"]) == ["If-Match"]


async def test_what_was_removed_and_made_again_is_not_what_was_opened(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        body = {"name": {"zh": "办公", "en": "Office"}, "windows": []}
        first = await made(admin, "schedules", id="office", **body)
        await admin.delete("/api/schedules/office")
        second = await made(admin, "schedules", id="office", **body)
        assert second["version"] > first["version"]
        stale = {"If-Match": f'"{first["version"]}"'}
        assert (await admin.put("/api/schedules/office", json=body, headers=stale)).status_code == 412
        # A post that is not there any more cannot be changed either, only set up.
        post = {"name": body["name"], "places": []}
        answer = await admin.put("/api/sites/demo/posts/east", json=post, headers=stale)
        assert (answer.status_code, answer.json()["error"]["code"]) == (412, "removed")


async def test_a_save_that_changes_nothing_makes_no_version(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        body = {"name": "周明远", "unit": "A-0301"}
        path = f"/api/holders/{await holder_of(admin)}"
        first = await admin.put(path, json=body)
        second = await admin.put(path, json=body, headers={"If-Match": first.headers["ETag"]})
        assert second.headers["ETag"] == first.headers["ETag"]


async def test_of_two_who_save_at_once_one_is_asked_to_compare(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        path = f"/api/holders/{await holder_of(admin)}"
        tag = {"If-Match": (await admin.get(path)).headers["ETag"]}
        answers = await asyncio.gather(
            *(admin.put(path, json={"name": name}, headers=tag) for name in ("周明", "周远"))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 412]
