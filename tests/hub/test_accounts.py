"""Accounts: who may look after whom, what their copies at the gateways are, and what every change leaves behind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from alembic import command

from contract.commands import Person
from contract.desired import Account, Role
from contract.facts.people import AccountLocked, SessionOpened
from contract.instants import instant
from hub import migrations
from hub.accounts.copies import COPY_LIVES, DORMANT
from hub.accounts.renewal import LONGEST_WAIT, renew
from hub.accounts.rights import may_look_after
from hub.database.event import to_datetime
from hub.database.transactions import Database
from hub.desired import service as desired
from tests.hub.office import PASSWORD, office
from tests.hub.senders import rows
from web.users import User

NEW: dict[str, Any] = {
    "username": "Liu",
    "password": "a long password",
    "name": "刘洋",
    "role": "guard",
    "sites": ["demo"],
}


async def test_signing_in_and_out_is_recorded(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        async with hub.client() as client:
            wrong = await client.post("/api/session", json={"username": "wang", "password": "wrong"})
            assert wrong.status_code == 401
            right = await client.post("/api/session", json={"username": "Wang", "password": PASSWORD})
            assert right.json()["user"]["sites"] == ["demo"]
            assert (await client.delete("/api/session")).status_code == 204
            assert (await client.get("/api/session")).status_code == 401
        recorded = await hub.events("session.refused", "session.opened", "session.closed")
        assert [(kind, site, data["username"]) for kind, site, data in recorded] == [
            ("session.refused", None, "wang"),
            ("session.opened", "demo", "wang"),
            ("session.closed", "demo", "wang"),
        ]
        assert all(PASSWORD not in str(data) for _, _, data in recorded)


async def test_an_account_is_opened_changed_and_removed(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        made = await admin.post("/api/accounts", json=NEW)
        assert made.status_code == 201
        account = made.json()
        assert account["username"] == "liu"
        assert "password" not in made.text
        copy = (await hub.desired("demo", "account"))[account["id"]]
        assert copy["password_hash"].startswith("$argon2id$")
        left = datetime.fromisoformat(copy["expires_at"]) - datetime.now(UTC)
        assert timedelta(hours=71) < left <= COPY_LIVES["guard"]

        body = {"name": "刘洋", "role": "maintenance", "sites": ["demo"], "language": "en"}
        changed = await admin.put(f"/api/accounts/{account['id']}", json=body)
        assert (changed.json()["role"], changed.json()["language"]) == ("maintenance", "en")
        assert (await hub.desired("demo", "account"))[account["id"]]["role"] == "maintenance"

        assert (await admin.delete(f"/api/accounts/{account['id']}")).status_code == 204
        assert account["id"] not in await hub.desired("demo", "account")
        recorded = [event for event in await hub.events("account.changed") if event[2]["id"] == account["id"]]
        assert [data["change"] for _, _, data in recorded] == ["created", "updated", "removed"]
        assert recorded[1][2]["fields"] == ["role", "language"]
        assert "刘洋" not in str(recorded)


async def test_moving_to_another_site_takes_the_copy_along(database: Database) -> None:
    async with office(database, "demo", "north") as hub, hub.signed_in("root", "admin", "*") as admin:
        account = (await admin.post("/api/accounts", json=NEW)).json()
        body = {"name": "刘洋", "role": "guard", "sites": ["north"]}
        await admin.put(f"/api/accounts/{account['id']}", json=body)
        assert account["id"] not in await hub.desired("demo", "account")
        assert account["id"] in await hub.desired("north", "account")
        await admin.put(f"/api/accounts/{account['id']}", json=body | {"active": False})
        assert account["id"] not in await hub.desired("north", "account")


async def test_a_gateway_holds_nobody_but_who_works_at_its_site(database: Database) -> None:
    async with office(database) as hub:
        for username, role in (("root", "admin"), ("region", "manager"), ("flying", "guard")):
            await hub.account(username, role, "*")
        await hub.account("boss", "admin", "demo")
        guard = await hub.account("wang", "guard", "demo")
        manager = await hub.account("zhao", "manager", "demo")
        await hub.site("north")
        assert await hub.desired("north", "account") == {}
        assert set(await hub.desired("demo", "account")) == {guard, manager}


@pytest.mark.parametrize("role", get_args(Role))
async def test_a_copy_lives_as_long_as_its_role_says(database: Database, role: Role) -> None:
    async with office(database) as hub:
        account = await hub.account("wang", role, "demo")
        copies = await hub.desired("demo", "account")
        if role not in COPY_LIVES:
            assert copies == {}
            return
        left = datetime.fromisoformat(copies[account]["expires_at"]) - datetime.now(UTC)
        assert timedelta(0) < COPY_LIVES[role] - left < timedelta(minutes=5)
        assert left <= timedelta(hours=72)


async def test_whoever_does_not_sign_in_for_long_has_no_copies_until_they_do(database: Database) -> None:
    async with office(database) as hub:
        wang, li = await hub.account("wang", "guard", "demo"), await hub.account("li", "guard", "demo")
        then = to_datetime(instant(hub.now_ms))
        long_ago = "UPDATE accounts SET changed_at = :at, copies_until = :at RETURNING id"
        await rows(database, long_ago, at=then - DORMANT - timedelta(days=1))
        await renew(database, then, timedelta(days=7))
        assert await hub.desired("demo", "account") == {}
        # A sign-in at the gateway counts as one here does; what another site's gateway says of this account does not.
        await hub.site("north")
        seen = SessionOpened(username="wang", role="guard")
        await hub.report("session.opened", msgspec.structs.replace(seen, username="li"), "north-gw", site="north")
        await hub.report("session.opened", seen, "demo-gw")
        assert set(await hub.desired("demo", "account")) == {wang}
        await hub.token("li")
        assert set(await hub.desired("demo", "account")) == {wang, li}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "x"}, "username"),
        ({"username": "with space"}, "username"),
        ({"password": "short"}, "password"),
        ({"role": "king"}, "role"),
        ({"sites": ["nowhere"]}, "sites"),
        ({"sites": []}, "sites"),
        ({"sites": ["No Id"]}, "sites"),
        ({"name": ""}, "name"),
        ({"extra": 1}, "extra"),
        ({"username": "same-as-password", "password": "Same-As-Password"}, "password"),
        ({"password": "            "}, "password"),
        ({"password": "Property 2026"}, "password"),
        ({"username": "break-glass"}, "username"),
    ],
)
async def test_what_an_account_must_be(database: Database, change: dict[str, Any], field: str) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        answer = await admin.post("/api/accounts", json=NEW | change)
        assert answer.status_code == 422
        assert list(answer.json()["error"]["fields"]) == [field]


async def test_a_name_is_taken_once(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        assert (await admin.post("/api/accounts", json=NEW)).status_code == 201
        again = await admin.post("/api/accounts", json=NEW | {"username": " LIU "})
        assert (again.status_code, list(again.json()["error"]["fields"])) == (409, ["username"])


async def test_a_manager_looks_after_the_people_of_their_sites(database: Database) -> None:
    async with office(database, "demo", "north") as hub:
        elsewhere = await hub.account("elsewhere", "guard", "north")
        both = await hub.account("both", "guard", "demo", "north")
        boss = await hub.account("boss", "admin", "*")
        mine = await hub.account("mine", "guard", "demo")
        async with hub.signed_in("zhao", "manager", "demo") as manager:
            listed = (await manager.get("/api/accounts")).json()
            assert [item["username"] for item in listed["items"]] == ["mine"]
            assert (await manager.get(f"/api/accounts/{mine}")).status_code == 200
            for foreign in (elsewhere, both, boss):
                assert (await manager.get(f"/api/accounts/{foreign}")).status_code == 404
                assert (await manager.delete(f"/api/accounts/{foreign}")).status_code == 404
                body = {"name": "x", "role": "guard", "sites": ["demo"]}
                assert (await manager.put(f"/api/accounts/{foreign}", json=body)).status_code == 404
            # Nobody makes somebody more powerful than oneself, or for a site that is not one's own.
            for change in ({"role": "admin"}, {"role": "manager"}, {"sites": ["north"]}, {"sites": ["*"]}):
                assert (await manager.post("/api/accounts", json=NEW | change)).status_code == 403
                body = {"name": "x", "role": "guard", "sites": ["demo"]} | change
                assert (await manager.put(f"/api/accounts/{mine}", json=body)).status_code == 403
            assert (await manager.post("/api/accounts", json=NEW)).status_code == 201


@pytest.mark.parametrize("role", ["guard", "maintenance", "installer"])
async def test_others_look_after_nobody(database: Database, role: str) -> None:
    async with office(database) as hub, hub.signed_in("wang", role, "*") as client:
        assert (await client.get("/api/accounts")).status_code == 403
        assert (await client.post("/api/accounts", json=NEW)).status_code == 403


async def test_lists_come_in_pages(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        for name in ("c", "a", "b", "d"):
            await hub.account(f"user-{name}", "guard", "demo")
        first = (await admin.get("/api/accounts", params={"limit": 3})).json()
        second = (await admin.get("/api/accounts", params={"limit": 3, "cursor": first["next"]})).json()
        names = [item["username"] for item in (*first["items"], *second["items"])]
        assert names == ["root", "user-a", "user-b", "user-c", "user-d"]
        assert second["next"] is None


async def test_the_last_administrator_stays(database: Database) -> None:
    async with office(database) as hub:
        root = await hub.account("root", "admin", "*")
        async with hub.client("root") as admin:
            demoted = {"name": "Root", "role": "guard", "sites": ["*"]}
            answer = await admin.put(f"/api/accounts/{root}", json=demoted)
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "last_admin")
            assert (await admin.delete(f"/api/accounts/{root}")).json()["error"]["code"] == "own_account"
            second = await hub.account("second", "admin", "*")
            assert (await admin.put(f"/api/accounts/{root}", json=demoted)).status_code == 200
            # Now the other is the last one.
            async with hub.client("second") as other:
                answer = await other.put(f"/api/accounts/{second}", json=demoted)
                assert answer.json()["error"]["code"] == "last_admin"


async def test_ones_own_password(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        async with hub.client("wang") as here, hub.client("wang") as there:
            guess = {"current": "x", "password": "another password"}
            wrong = await here.post("/api/accounts/self/password", json=guess)
            assert (wrong.status_code, list(wrong.json()["error"]["fields"])) == (422, ["current"])
            body = {"current": PASSWORD, "password": "another password"}
            assert (await here.post("/api/accounts/self/password", json=body)).status_code == 204
            assert (await here.get("/api/session")).status_code == 200
            # Whoever else was signed in with the old password is out.
            assert (await there.get("/api/session")).status_code == 401
            assert (await here.put("/api/accounts/self", json={"language": "en"})).json()["language"] == "en"
        async with hub.client() as client:
            old = await client.post("/api/session", json={"username": "wang", "password": PASSWORD})
            new = await client.post("/api/session", json={"username": "wang", "password": "another password"})
            assert (old.status_code, new.status_code) == (401, 200)


async def test_guessing_the_own_password_is_throttled(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("wang", "guard") as client:
        body = {"current": "x", "password": "another password"}
        answers = [(await client.post("/api/accounts/self/password", json=body)).status_code for _ in range(7)]
        assert answers == [422] * 5 + [429] * 2


async def test_a_reset_password_or_a_disabled_account_ends_its_sessions(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        account = await hub.account("wang", "guard", "demo")
        body: dict[str, Any] = {"name": "Wang", "role": "guard", "sites": ["demo"]}
        async with hub.client("wang") as guard:
            assert (await admin.put(f"/api/accounts/{account}", json=body)).status_code == 200
            assert (await guard.get("/api/session")).status_code == 200
            await admin.put(f"/api/accounts/{account}", json=body | {"password": "a new password"})
            assert (await guard.get("/api/session")).status_code == 401
        await admin.put(f"/api/accounts/{account}", json=body | {"password": PASSWORD})
        async with hub.client("wang") as guard:
            await admin.put(f"/api/accounts/{account}", json=body | {"active": False})
            assert (await guard.get("/api/session")).status_code == 401
            again = await guard.post("/api/session", json={"username": "wang", "password": PASSWORD})
            assert again.status_code == 401


async def test_copies_are_renewed_before_they_run_out(database: Database) -> None:
    async with office(database) as hub:
        account = await hub.account("wang", "guard", "demo")
        now = datetime.now(UTC)
        first = (await hub.desired("demo", "account"))[account]["expires_at"]
        assert await renew(database, now, timedelta(days=7)) == LONGEST_WAIT.total_seconds()
        assert (await hub.desired("demo", "account"))[account]["expires_at"] == first
        later = now + COPY_LIVES["guard"] / 2 + timedelta(minutes=1)
        await renew(database, later, timedelta(days=7))
        renewed = (await hub.desired("demo", "account"))[account]["expires_at"]
        assert datetime.fromisoformat(renewed) > later + timedelta(hours=71)
        # Renewing is no person's change: it leaves no trace in the history.
        assert len(await hub.events("account.changed")) == 1
        # Whoever is waited for is renewed long before the end: an outage that begins now leaves a copy hours to live.
        short = await hub.account("li", "maintenance", "demo")
        at = now
        for _ in range(40):
            at += timedelta(seconds=await renew(database, at, timedelta(days=7)))
            left = datetime.fromisoformat((await hub.desired("demo", "account"))[short]["expires_at"]) - at
            assert left >= LONGEST_WAIT


async def test_a_lock_set_at_a_gateway_is_seen_at_the_hub_and_lifted_by_it(database: Database) -> None:
    async with office(database, "demo", "north") as hub:
        wang = await hub.account("wang", "guard", "demo")
        li = Person(id="x", name="Li", role="guard")
        locked = AccountLocked(lock="l-1", account=wang, username="wang", by=li, reason="手机被盗")
        # Of another site's people a gateway has nothing to say.
        elsewhere = msgspec.structs.replace(locked, lock="l-2")
        await hub.report("account.locked", elsewhere, "north-gw", site="north")
        await hub.report("account.locked", locked, "demo-gw")
        async with hub.signed_in("zhao", "manager", "demo") as manager:
            [lock] = (await manager.get(f"/api/accounts/{wang}")).json()["locks"]
            assert (lock["site"], lock["by"], lock["reason"]) == ("demo", "Li", "手机被盗")
            assert (await hub.desired("demo", "account"))[wang]["lifted"] == []
            assert (await manager.delete(f"/api/accounts/{wang}/locks")).status_code == 204
            assert (await manager.delete(f"/api/accounts/{wang}/locks")).json()["error"]["code"] == "not_locked"
            assert (await manager.get(f"/api/accounts/{wang}")).json()["locks"] == []
        assert (await hub.desired("demo", "account"))[wang]["lifted"] == ["l-1"]
        # One that was lifted at its gateway holds no more here either; no other site's gateway can say so.
        again = msgspec.structs.replace(locked, lock="l-3")
        await hub.report("account.locked", again, "demo-gw")
        await hub.report("account.unlocked", again, "north-gw", site="north")
        async with hub.signed_in("zhou", "manager", "demo") as manager:
            assert len((await manager.get(f"/api/accounts/{wang}")).json()["locks"]) == 1
            await hub.report("account.unlocked", again, "demo-gw")
            assert (await manager.get(f"/api/accounts/{wang}")).json()["locks"] == []


async def test_the_copies_of_an_older_hub_are_taken_back_with_the_first_renewal(database: Database) -> None:
    async with office(database) as hub:
        root, wang = await hub.account("root", "admin", "*"), await hub.account("wang", "guard", "demo")
        await hub.token("wang")
        old = (await hub.desired("demo", "account"))[wang] | {"id": root, "expires_at": "2099-01-01T00:00:00.000Z"}
        async with database.transaction() as conn:
            await desired.changed(conn, "demo", [("account", root, msgspec.convert(old, Account))])
            await conn.run_sync(lambda sync: command.downgrade(migrations.config(sync), "tickets_open"))
        await migrations.upgrade(database)
        [(seen,)] = await rows(database, "SELECT signed_in_at IS NOT NULL FROM accounts WHERE username = 'wang'")
        [(proven,)] = await rows(database, "SELECT extract(epoch FROM proven_at) FROM sessions")
        assert (seen, proven) == (True, 0)
        assert set(await hub.desired("demo", "account")) == {root, wang}
        await renew(database, datetime.now(UTC), timedelta(days=7))
        assert set(await hub.desired("demo", "account")) == {wang}


async def test_forgotten_sessions_are_dropped(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        await hub.token("wang")
        await renew(database, datetime.now(UTC) + timedelta(days=8), timedelta(days=7))
        assert await rows(database, "SELECT count(*) FROM sessions") == [(0,)]


async def test_more_requests_than_connections(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("zhao", "manager") as client:
        paths = ["/api/alarms", "/api/holders", "/api/sites", "/api/events", "/api/points", "/api/accounts"] * 6
        new = {"site": "demo", "name": "周明远"}
        answers = await asyncio.gather(
            *(client.get(path) for path in paths), *(client.post("/api/holders", json=new) for _ in range(12))
        )
        assert {answer.status_code for answer in answers} == {200, 201}


def person(role: str, *sites: str) -> User:
    return User.model_validate({"id": "x", "username": "x", "name": "x", "role": role, "sites": sites})


@pytest.mark.parametrize(
    ("who", "role", "sites", "may"),
    [
        (person("admin", "*"), "admin", ["*"], True),
        (person("admin", "a"), "guard", ["a"], True),
        (person("admin", "a"), "guard", ["*"], False),
        (person("admin", "a"), "guard", ["a", "b"], False),
        (person("manager", "a", "b"), "guard", ["b"], True),
        (person("manager", "a"), "manager", ["a"], False),
        (person("manager", "*"), "installer", ["*"], True),
        (person("guard", "*"), "guard", ["a"], False),
    ],
)
def test_who_may_look_after_whom(who: User, role: str, sites: list[str], may: bool) -> None:
    assert may_look_after(who, role, sites) is may
