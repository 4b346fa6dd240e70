"""Signing in and out, and everything that must not work."""

from __future__ import annotations

import asyncio
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends

from tests.web.servers import House, house
from web.session.lifetimes import LIFETIMES, Lifetime
from web.session.sessions import Able, SessionLimits
from web.users import User

SHORT = SessionLimits(lifetimes=dict.fromkeys(LIFETIMES, Lifetime(100, 250, 10)), seen_every_s=10)
GUARD = {"username": "wang", "password": "correct horse"}


async def ready_house(**options: object) -> House:
    place = house(**options)  # type: ignore[arg-type]
    await place.add("wang", "correct horse")
    return place


async def test_a_token_and_a_cookie_open_the_same_session() -> None:
    place = await ready_house()
    async with place.client() as browser:
        answer = await browser.post("/api/session", json=GUARD)
        assert answer.status_code == 200
        body = answer.json()
        assert body["user"] == {
            "id": "id-wang",
            "username": "wang",
            "name": "Wang",
            "role": "guard",
            "language": "zh",
            "sites": ["a"],
        }
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
        mine = await browser.get("/api/session")
        assert mine.json() == {"token": None, "user": body["user"], "weak_password": False, "can": body["can"]}
    async with place.client(Authorization=f"Bearer {body['token']}") as program:
        assert (await program.get("/api/session")).json()["user"]["id"] == "id-wang"
    # Of the token only a hash is kept.
    assert body["token"] not in str(place.store.sessions)
    assert place.store.records == [("opened", "wang", "192.0.2.7")]


async def test_over_tls_the_cookie_is_secure() -> None:
    place = await ready_house()
    async with place.client() as browser:
        browser.base_url = "https://site.example"
        answer = await browser.post("/api/session", json=GUARD)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-gatehouse=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert "max-age" in answer.headers["strict-transport-security"]
        assert (await browser.get("/api/session")).status_code == 200
        token = cookie.partition("=")[2].partition(";")[0]
        # A cookie without the prefix may be another host's of the domain: over TLS it opens nothing.
        browser.cookies.clear()
        browser.cookies.set("gatehouse", token)
        assert (await browser.get("/api/session")).status_code == 401
        browser.cookies.set("__Host-gatehouse", token)
        out = await browser.delete("/api/session")
        assert out.headers["set-cookie"].startswith("__Host-gatehouse=")


async def test_signing_out_ends_the_session_everywhere() -> None:
    place = await ready_house()
    async with place.client() as browser:
        token = (await browser.post("/api/session", json=GUARD)).json()["token"]
        out = await browser.delete("/api/session")
        assert out.status_code == 204
        assert "Max-Age=0" in out.headers["set-cookie"]
        assert (await browser.get("/api/session")).status_code == 401
    async with place.client(Authorization=f"Bearer {token}") as program:
        ended = await program.get("/api/session")
        assert ended.status_code == 401
        assert ended.json()["error"]["code"] == "session_ended"
        assert (await program.delete("/api/session")).status_code == 401


async def test_sessions_end_by_idling_and_by_age() -> None:
    place = await ready_house(session_limits=SHORT)
    async with place.client() as browser:
        await browser.post("/api/session", json=GUARD)
        for _ in range(2):
            place.clock.sleep(90)
            assert (await browser.get("/api/session")).status_code == 200
        place.clock.sleep(90)
        assert (await browser.get("/api/session")).status_code == 401
        place.clock.sleep(1000)
        await browser.post("/api/session", json=GUARD)
        place.clock.sleep(101)
        assert (await browser.get("/api/session")).status_code == 401
        assert place.store.sessions == {}


async def test_a_session_of_a_moment_that_is_still_to_come_does_not_live_until_then() -> None:
    place = await ready_house(session_limits=SHORT)
    years_s = 70 * 365 * 86_400
    async with place.client() as browser:
        await browser.post("/api/session", json=GUARD)
        place.clock.wall -= 60  # the clock was set back a little: nobody has to sign in again
        for _ in range(3):
            assert (await browser.get("/api/session")).status_code == 200
            place.clock.sleep(90)
        place.clock.wall += years_s
        await browser.post("/api/session", json=GUARD)
        place.clock.wall -= years_s
        assert (await browser.get("/api/session")).status_code == 401
        assert (await browser.post("/api/session", json=GUARD)).status_code == 200
        assert (await browser.get("/api/session")).status_code == 200


async def test_a_removed_account_is_out_at_once() -> None:
    place = await ready_house()
    async with place.client() as browser:
        await browser.post("/api/session", json=GUARD)
        place.store.accounts.clear()
        assert (await browser.get("/api/session")).status_code == 401


async def test_a_wrong_password_ten_times() -> None:
    place = await ready_house()
    async with place.client() as browser:
        answers = [await browser.post("/api/session", json=GUARD | {"password": "wrong"}) for _ in range(10)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 5
        assert answers[0].json()["error"] == {
            "code": "wrong_credentials",
            "message": "用户名或密码错误",
            "fields": {},
        }
        wait = int(answers[-1].headers["Retry-After"])
        assert 0 < wait <= 15
        # Waiting, even the right password is not looked at: otherwise the answer would tell that it is right.
        assert (await browser.post("/api/session", json=GUARD)).status_code == 429
        place.clock.sleep(wait)
        assert (await browser.post("/api/session", json=GUARD)).status_code == 200
    # Somebody else's failures at another address do not lock the guard out.
    assert [record[0] for record in place.store.records].count("refused") == 5


async def test_failures_elsewhere_do_not_lock_a_guard_out() -> None:
    place = await ready_house()
    async with place.client("198.51.100.9") as stranger:
        for _ in range(7):
            await stranger.post("/api/session", json=GUARD | {"password": "wrong"})
    async with place.client() as browser:
        assert (await browser.post("/api/session", json=GUARD)).status_code == 200


async def test_strangers_everywhere_do_not_lock_out_whoever_was_here_before() -> None:
    place = await ready_house()
    async with place.client() as browser:
        await browser.post("/api/session", json=GUARD)
    refused = 0
    for number in range(12):
        async with place.client(f"198.51.100.{number}") as stranger:
            answers = [await stranger.post("/api/session", json=GUARD | {"password": "wrong"}) for _ in range(5)]
            refused += [answer.status_code for answer in answers].count(429)
    assert refused > 0
    async with place.client("203.0.113.1") as elsewhere:
        assert (await elsewhere.post("/api/session", json=GUARD)).status_code == 429
    async with place.client() as browser:
        assert (await browser.post("/api/session", json=GUARD)).status_code == 200
        # Guessing from the known address is as slow as ever.
        answers = [await browser.post("/api/session", json=GUARD | {"password": "wrong"}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


async def test_a_server_that_cannot_check_holds_nothing_against_anybody() -> None:
    place = await ready_house()
    room = place.passwords._room
    place.passwords._room = 0
    async with place.client() as browser:
        busy = [await browser.post("/api/session", json=GUARD) for _ in range(8)]
        assert {answer.headers["Retry-After"] for answer in busy} == {"2"}
        place.passwords._room = room
        assert (await browser.post("/api/session", json=GUARD)).status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "::FFFF:192.0.2.7"])
async def test_an_address_is_the_same_over_either_socket(address: str) -> None:
    place = await ready_house()
    async with place.client(address) as browser:
        await browser.post("/api/session", json=GUARD)
    assert place.store.records == [("opened", "wang", "192.0.2.7")]


async def test_one_address_may_not_try_many_names() -> None:
    place = await ready_house()
    async with place.client() as stranger:
        answers = [
            await stranger.post("/api/session", json={"username": f"user{number}", "password": "x"})
            for number in range(45)
        ]
    assert [answer.status_code for answer in answers].count(429) == 5


async def test_attempts_at_once_are_counted_one_by_one() -> None:
    place = await ready_house()
    async with place.client() as stranger:
        answers = await asyncio.gather(
            *(stranger.post("/api/session", json=GUARD | {"password": "wrong"}) for _ in range(10))
        )
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 5


async def test_an_unknown_name_is_answered_like_a_wrong_password_and_kept_secret() -> None:
    place = await ready_house()
    async with place.client() as browser:
        unknown = await browser.post("/api/session", json={"username": "hunter2-my-password", "password": "x"})
        wrong = await browser.post("/api/session", json=GUARD | {"password": "x"})
    assert unknown.json() == wrong.json()
    # People type their password where their name belongs.
    assert place.store.records == [("refused", "hu…", "unknown"), ("refused", "wang", "password")]


async def test_names_are_told_apart_without_case_and_spaces() -> None:
    place = await ready_house()
    async with place.client() as browser:
        assert (await browser.post("/api/session", json=GUARD | {"username": " Wang "})).status_code == 200


async def test_another_pages_post_is_refused() -> None:
    place = await ready_house()
    async with place.client() as browser:
        await browser.post("/api/session", json=GUARD)
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "http://site.example:8081"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = await browser.delete("/api/session", headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin")
        own = {"Origin": "http://site.example", "Sec-Fetch-Site": "same-origin"}
        assert (await browser.delete("/api/session", headers=own)).status_code == 204


async def test_a_role_guards_a_route() -> None:
    router = APIRouter()

    @router.get("/api/secret")
    async def secret(user: Annotated[User, Depends(Able("people.write"))]) -> dict[str, str]:
        return {"for": user.username}

    place = await ready_house(routers=[router])
    await place.add("zhao", "correct horse", role="manager")
    async with place.client() as browser:
        assert (await browser.get("/api/secret")).status_code == 401
        await browser.post("/api/session", json=GUARD)
        assert (await browser.get("/api/secret")).status_code == 403
        await browser.post("/api/session", json=GUARD | {"username": "zhao"})
        assert (await browser.get("/api/secret")).json() == {"for": "zhao"}


async def test_passwords_that_wait_are_bounded() -> None:
    place = await ready_house()
    place.passwords._room = 3
    hashes = await asyncio.gather(*(place.passwords.hash("x" * 8) for _ in range(6)), return_exceptions=True)
    assert sorted(type(found).__name__ for found in hashes) == ["TooMany"] * 3 + ["str"] * 3


@pytest.mark.parametrize("back_s", [0.0, 3.0], ids=["in one moment", "after the clock was put back"])
async def test_who_signs_in_once_too_often_is_in_and_an_older_session_ends(back_s: float) -> None:
    place = await ready_house()
    most = LIFETIMES["guard"].most_open
    async with place.client() as program:
        tokens = []
        for each in range(most + 1):
            if each == most:
                place.clock.wall -= back_s
            tokens.append((await program.post("/api/session", json=GUARD)).json()["token"])
            program.cookies.clear()
        standing = [
            (await program.get("/api/session", headers={"Authorization": f"Bearer {token}"})).status_code == 200
            for token in tokens
        ]
    assert standing[-1], "whoever has just signed in is in"
    assert sum(standing) == most
