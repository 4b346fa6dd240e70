"""A session that somebody else got hold of: what it can be used for, and how it is seen and ended."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from hub.database.transactions import Database
from tests.hub.office import PASSWORD, office
from tests.hub.senders import rows
from tests.hub.test_accounts import NEW
from tests.web.walking import routes
from web.session.lifetimes import LIFETIMES
from web.session.sessions import PROVEN_S, SessionLimits

PROOFS = {
    ("POST", "/api/self/confirm"): "is the proof itself",
    ("POST", "/api/accounts/self/password"): "carries the proof with it",
}
HARMLESS = {
    ("PUT", "/api/accounts/self"): "a language",
    ("DELETE", "/api/self/sessions"): "takes away, gives nothing",
    ("DELETE", "/api/self/sessions/{session}"): "takes away, gives nothing",
}
STALE_S = PROVEN_S + 1


async def test_every_road_to_an_account_asks_for_the_password_again(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        account = await hub.account("wang", "guard", "demo")
        roads = [
            (method.upper(), path)
            for method, path, _ in routes(hub.app)
            if path.startswith(("/api/accounts", "/api/self")) and method != "get"
        ]
        assert set(roads) > PROOFS.keys() | HARMLESS.keys()
        walked = [road for road in roads if road not in PROOFS | HARMLESS]
        assert len(walked) >= 9
        hub.ahead_s = STALE_S
        before = await rows(database, "SELECT md5(string_agg(a::text, '|' ORDER BY id)) FROM accounts a")
        for method, path in walked:
            answer = await admin.request(method, re.sub(r"\{[^}]*\}", account, path), json=NEW)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "prove"), f"{method} {path}"
        assert await rows(database, "SELECT md5(string_agg(a::text, '|' ORDER BY id)) FROM accounts a") == before


async def test_a_stolen_session_does_not_become_the_account(database: Database) -> None:
    async with office(database) as hub:
        root = await hub.account("root", "admin", "*")
        async with hub.client("root") as thief:
            mine = {"name": "Root", "role": "admin", "sites": ["*"], "password": "thief's own words"}
            # Not even in the minutes after its owner signed in: one's own password asks for the old one with it.
            own = await thief.put(f"/api/accounts/{root}", json=mine)
            assert (own.status_code, list(own.json()["error"]["fields"])) == (422, ["password"])
            hub.ahead_s = STALE_S
            for answer in (
                await thief.put(f"/api/accounts/{root}", json=mine),
                await thief.post("/api/accounts", json=NEW | {"role": "admin", "sites": ["*"]}),
                await thief.post("/api/self/second-factor"),
            ):
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "prove")
            guess = await thief.post("/api/self/confirm", json={"password": "a guess of mine"})
            assert (guess.status_code, list(guess.json()["error"]["fields"])) == (422, ["password"])
            # Guessing there is as slow as at the door, and told.
            guesses = [await thief.post("/api/self/confirm", json={"password": "x"}) for _ in range(6)]
            assert [answer.status_code for answer in guesses] == [422] * 4 + [429] * 2
            assert len(await hub.events("session.refused")) == 5
            assert (await thief.get("/api/accounts")).status_code == 200


async def test_the_password_again_opens_the_road_for_a_while(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        hub.ahead_s = STALE_S
        assert (await admin.post("/api/accounts", json=NEW)).json()["error"]["code"] == "prove"
        assert (await admin.post("/api/self/confirm", json={"password": PASSWORD})).status_code == 204
        assert (await admin.post("/api/accounts", json=NEW)).status_code == 201
        async with hub.client("root") as elsewhere:
            hub.ahead_s += STALE_S
            await elsewhere.post("/api/self/confirm", json={"password": PASSWORD})
            # Of this session only: another one of the same person proved nothing.
            assert (await admin.post("/api/accounts", json=NEW | {"username": "li"})).status_code == 403


async def test_ones_sessions_are_seen_and_ended(database: Database) -> None:
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit Safari/604.1 MicroMessenger/8"
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        async with hub.client() as here, hub.client(**{"User-Agent": phone}) as there, hub.client() as third:
            for client in (here, there, third):
                await client.post("/api/session", json={"username": "wang", "password": PASSWORD})
            items = (await here.get("/api/self/sessions")).json()["items"]
            assert len(items) == 3
            [this] = [item for item in items if item["this"]]
            assert (this["device"], this["address"]) == ("python-httpx", "192.0.2.7")
            [far] = [item["id"] for item in items if item["device"] == "WeChat · iPhone"]
            assert (await here.delete(f"/api/self/sessions/{far}")).status_code == 204
            assert (await here.delete(f"/api/self/sessions/{far}")).status_code == 404
            assert (await there.get("/api/session")).status_code == 401
            assert (await here.delete("/api/self/sessions")).status_code == 204
            assert (await third.get("/api/session")).status_code == 401
            assert [item["this"] for item in (await here.get("/api/self/sessions")).json()["items"]] == [True]
        closed = await hub.events("session.closed")
        assert [data["by"]["name"] for _, _, data in closed] == ["Wang", "Wang"]


async def test_nobody_ends_somebody_elses_sessions_but_who_looks_after_them(database: Database) -> None:
    async with office(database, "demo", "north") as hub:
        wang = await hub.account("wang", "guard", "demo")
        async with hub.client("wang") as guard, hub.signed_in("li", "guard", "demo") as colleague:
            [item] = (await guard.get("/api/self/sessions")).json()["items"]
            assert (await colleague.delete(f"/api/self/sessions/{item['id']}")).status_code == 404
            assert (await colleague.get(f"/api/accounts/{wang}/sessions")).status_code == 403
            async with hub.signed_in("zhou", "manager", "north") as elsewhere:
                assert (await elsewhere.delete(f"/api/accounts/{wang}/sessions")).status_code == 404
            assert (await guard.get("/api/session")).status_code == 200
            async with hub.signed_in("zhao", "manager", "demo") as manager:
                [seen] = (await manager.get(f"/api/accounts/{wang}/sessions")).json()["items"]
                assert seen["id"] == item["id"]
                assert (await manager.delete(f"/api/accounts/{wang}/sessions")).status_code == 204
            assert (await guard.get("/api/session")).status_code == 401
        [(_, _, data)] = await hub.events("session.closed")
        assert (data["username"], data["by"]["name"]) == ("wang", "Zhao")


@pytest.mark.parametrize(
    ("role", "idle_s", "stays"), [("admin", 1790, True), ("admin", 1810, False), ("guard", 46_000, True)]
)
async def test_an_admins_screen_is_not_left_open(database: Database, role: str, idle_s: float, stays: bool) -> None:
    async with office(database) as hub, hub.signed_in("someone", role, "demo") as client:
        hub.ahead_s = idle_s
        assert (await client.get("/api/session")).status_code == (200 if stays else 401)


async def test_the_oldest_of_too_many_sessions_ends(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("root", "admin", "*")
        most = LIFETIMES["admin"].most_open
        tokens = []
        for _ in range(most + 2):
            hub.ahead_s += 1
            tokens.append(await hub.token("root"))
        open_ones = []
        async with hub.client() as client:
            for token in tokens:
                answer = await client.get("/api/session", headers={"Authorization": f"Bearer {token}"})
                open_ones.append(answer.status_code)
        assert open_ones == [401] * 2 + [200] * most


async def test_a_password_that_is_too_short_today_still_opens_and_asks_for_another(database: Database) -> None:
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        old = await hub.passwords.hash("12345678")
        await rows(database, "UPDATE accounts SET password_hash = :old RETURNING id", old=old)
        async with hub.client() as client:
            answer = await client.post("/api/session", json={"username": "wang", "password": "12345678"})
            assert (answer.status_code, answer.json()["weak_password"]) == (200, True)
            assert (await client.get("/api/session")).json()["weak_password"] is True
            change = {"current": "12345678", "password": "Password 2026!"}
            assert (await client.post("/api/accounts/self/password", json=change)).status_code == 422
            good = change | {"password": "three pears on a roof"}
            assert (await client.post("/api/accounts/self/password", json=good)).status_code == 204
            assert (await client.get("/api/session")).json()["weak_password"] is False


async def test_a_program_that_writes_without_end_is_slowed_and_told(database: Database) -> None:
    limits = SessionLimits(writes={"tickets": 5, "commands": 3})
    async with office(database, limits=limits) as hub, hub.signed_in("wang", "guard") as guard:
        new: dict[str, Any] = {"site": "demo", "title": "漏水"}
        answers: list[httpx.Response] = [await guard.post("/api/tickets", json=new) for _ in range(8)]
        assert [answer.status_code for answer in answers] == [201] * 5 + [429] * 3
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
        command = {"site": "demo", "target": "lobby-a", "kind": "door.unlock", "reason": "x"}
        unlocks = [(await guard.post("/api/commands", json=command)).status_code for _ in range(5)]
        assert unlocks == [202] * 3 + [429] * 2
        # Reading goes on, and so does everybody else's work.
        assert (await guard.get("/api/tickets")).status_code == 200
        async with hub.signed_in("li", "guard") as colleague:
            assert (await colleague.post("/api/tickets", json=new)).status_code == 201
        told = await hub.events("writes.refused")
        assert [(site, data["by"]["name"], data["noun"], data["share"]) for _, site, data in told] == [
            ("demo", "Wang", "tickets", 5),
            ("demo", "Wang", "commands", 3),
        ]


def test_who_may_do_more_is_asked_sooner() -> None:
    by_power = [LIFETIMES[role] for role in ("guard", "installer", "manager", "admin")]
    assert by_power == sorted(by_power, key=lambda each: (each.idle_s, each.absolute_s), reverse=True)
