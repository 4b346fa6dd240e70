"""One act of a person is done once, however often it is sent: through every route that makes or does something."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
from sqlalchemy import text

from contract.commands import Person
from contract.facts.alarms import AlarmShelved
from contract.instants import instant
from hub.database import once
from hub.database.transactions import Database
from tests.hub.office import Office, office
from tests.hub.senders import NOW_MS, rows
from tests.hub.test_access import HOLDER, holder_of, made
from tests.hub.test_rights import MARK, Route, body_of, furnish, held, routes

NEW: dict[str, Any] = {"site": "demo", "title": "门关不上"}
KEY = {"Idempotency-Key": "act-1"}

NO_KEY = {
    ("POST", "/api/credentials/{id}/pin"): "its answer is a secret, and is kept nowhere",
    ("POST", "/api/session"): "asks for a password, and its answer is a secret",
    ("POST", "/api/self/confirm"): "asks for a password, and makes nothing",
    ("POST", "/api/self/second-factor"): "its answer is a secret; a repeat offers another one",
    ("POST", "/api/self/second-factor/confirm"): "its answer is a secret; a code counts once",
    ("POST", "/api/self/second-factor/recovery"): "its answer is a secret; a repeat makes others, and these count",
    ("POST", "/api/accounts/self/password"): "makes nothing; a repeat says that the password is another one by now",
}
"""Posts that no key makes one, and why."""


def posts(hub: Office) -> Iterator[Route]:
    for route in routes(hub):
        if route.method == "POST" and (route.method, route.path) not in NO_KEY:
            yield route


def otherwise(body: dict[str, Any]) -> dict[str, Any]:
    """As right as the body, and something else."""
    others = {"name": MARK, "title": "y", "text": "y", "note": "y", "reason": "y", "for_s": 700, "places": ["garage"]}
    name = next((name for name in others if isinstance(body.get(name), type(others[name]))), None)
    return body | ({name: others[name]} if name else {"reason": {"zh": "y", "en": "y"}})


async def test_a_double_click_makes_one_ticket(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        answers = await asyncio.gather(*(client.post("/api/tickets", json=NEW, headers=KEY) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert len((await client.get("/api/tickets")).json()["items"]) == 1
        assert len(await hub.events("ticket.opened")) == 1


async def test_every_post_is_done_once_a_key(database: Database) -> None:
    """Twice at once and once more: one answer, one thing done; other words under the same key are refused."""
    async with office(database, "north") as hub:
        await hub.account("root", "admin", "*")
        foreign = await furnish(hub, "north")
        shelved = await hub.raise_alarm(site="north", rule="late@pump-2", alarm="alarm-shelved")
        until = instant(NOW_MS + 3_600_000)
        by = Person(id="x", name=MARK, role="guard")
        await hub.report("alarm.shelved", AlarmShelved(alarm=shelved, by=by, until=until), "x", site="north")
        foreign["alarm"] = await hub.raise_alarm(site="north", rule="late@pump-1", alarm="alarm-fresh")
        walked = 0
        async with hub.client("root") as client:
            for number, route in enumerate(posts(hub)):
                told = f"{route.method} {route.path}"
                assert route.has("header", "Idempotency-Key"), told
                names = foreign | ({"alarm": shelved} if route.path.endswith("/unshelve") else {})
                path = route.path.format(**names, id=foreign.get(route.path.split("/")[2], ""))
                body = body_of(route, "north", foreign) or {}
                key = {"Idempotency-Key": f"key-{number}"}

                async def send(body: Any, path: str = path, key: dict[str, str] = key) -> httpx.Response:
                    return await client.post(path, json=body, headers=key)

                first, twin = await asyncio.gather(send(body), send(body))
                assert first.status_code in {200, 201, 202}, told + first.text
                done = await held(hub, "north")
                # However it is written, it says the same.
                third = await send(dict(reversed(body.items())))
                assert (first.content, first.status_code) == (twin.content, twin.status_code), told
                assert (first.content, first.status_code) == (third.content, third.status_code), told
                assert third.headers["Idempotency-Replayed"] == "true"
                assert third.headers.get("ETag") == first.headers.get("ETag"), told
                other = await send(otherwise(body))
                assert (other.status_code, list(other.json()["error"]["fields"])) == (422, ["Idempotency-Key"]), told
                assert await held(hub, "north") == done, told
                walked += 1
        assert walked > 10


async def test_what_was_refused_may_be_put_right_under_the_same_key(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        wrong = await client.post("/api/tickets", json=NEW | {"asset": "pump-9"}, headers=KEY)
        assert wrong.status_code == 422
        assert (await client.post("/api/tickets", json=NEW, headers=KEY)).status_code == 201


async def test_a_key_is_ones_own_and_of_one_address(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as one, hub.signed_in("li", "guard") as two:
        ids = {(await client.post("/api/tickets", json=NEW, headers=KEY)).json()["id"] for client in (one, two)}
        assert len(ids) == 2
        for ticket in ids:
            assert (await one.post(f"/api/tickets/{ticket}/comment", json={"text": "看过"}, headers=KEY)).is_success


async def test_an_edit_whose_answer_was_lost_is_not_refused_as_anothers(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        path = f"/api/holders/{await holder_of(client)}"
        headers = KEY | {"If-Match": (await client.get(path)).headers["ETag"]}
        answers = [await client.put(path, json={"name": "周明"}, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
        gone = [await client.delete(path, headers={"Idempotency-Key": "act-2"}) for _ in range(2)]
        assert [answer.status_code for answer in gone] == [204, 204]


async def test_answers_are_kept_for_a_day_and_not_of_whom_is_erased(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        holder = (await client.post("/api/holders", json=HOLDER, headers=KEY)).json()["id"]
        await client.post("/api/tickets", json=NEW, headers=KEY)
        assert await rows(database, "SELECT count(*) FROM answers") == [(2,)]
        await client.delete(f"/api/holders/{holder}")
        kept = await rows(database, "SELECT convert_from(body, 'UTF8') FROM answers")
        assert len(kept) == 1 and HOLDER["name"] not in str(kept)

        async with database.transaction() as conn:
            await conn.execute(text("UPDATE answers SET at = at - interval '1 day'"))
            # A day later the key is as good as new; the pruning takes what nobody asked for again.
        assert (await client.post("/api/tickets", json=NEW, headers=KEY)).status_code == 201
        assert len((await client.get("/api/tickets")).json()["items"]) == 2
        async with database.transaction() as conn:
            await conn.execute(text("UPDATE answers SET at = at - interval '1 day'"))
        async with database.transaction() as conn:
            assert [await once.prune(conn, 1000), await once.prune(conn, 1000)] == [1, 0]


async def test_no_trace_of_a_password_is_kept(database: Database) -> None:
    """Not even as a hash: two bodies that differ in the password alone leave the same fingerprint."""
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as client:
        new = {"username": "chen", "name": "Chen", "role": "guard", "sites": ["demo"]}
        found = []
        for password in ("correct horse battery", "another horse battery"):
            answer = await client.post("/api/accounts", json=new | {"password": password}, headers=KEY)
            assert answer.status_code == 201
            found.append(answer.json()["id"])
        assert found[0] == found[1]


async def test_a_command_that_came_twice_is_carried_out_once(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        command = {"site": "demo", "target": "lobby-a", "kind": "door.unlock", "reason": "访客"}
        answers = [await client.post("/api/commands", json=command, headers=KEY) for _ in range(2)]
        assert answers[0].json()["id"] == answers[1].json()["id"]
        assert (await made(client, "tickets", title="x"))["id"]
        assert len(await hub.events("command.asked")) == 1


async def test_a_key_is_promised_where_it_is_kept_and_nowhere_else(database: Database) -> None:
    """One's own account and others': each change is done once a key, or the key is not in what is promised."""
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        wang = await hub.account("wang", "guard", "demo")
        await rows(
            database,
            "INSERT INTO second_factors (account, salt, pending, last_step, recovery)"
            " VALUES (:account, 'aa', '', 0, '[]') RETURNING account",
            account=wang,
        )
        await rows(
            database,
            "INSERT INTO account_locks (lock, account, site, by, reason, at)"
            """ VALUES ('lock-1', :account, 'demo', '{"name": "Li"}', '', now()) RETURNING lock""",
            account=wang,
        )
        promised = {(each.method, each.path) for each in routes(hub) if each.has("header", "Idempotency-Key")}
        for method, path, body in (
            ("PUT", "/api/accounts/self", {"language": "en"}),
            ("DELETE", "/api/accounts/{account_id}/second-factor", None),
            ("DELETE", "/api/accounts/{account_id}/locks", None),
        ):
            assert (method, path) in promised
            there = path.format(account_id=wang)
            first, again = [await admin.request(method, there, json=body, headers=KEY) for _ in range(2)]
            assert (first.status_code, first.content) == (again.status_code, again.content)
            assert first.is_success and again.headers.get("Idempotency-Replayed") == "true", path
        for every_time in (("POST", "/api/accounts/self/password"), ("DELETE", "/api/accounts/{account_id}/sessions")):
            assert every_time not in promised
