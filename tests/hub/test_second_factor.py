"""The second factor at the hub: set up, asked for, used once, replaced by recovery codes, taken away."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.database.transactions import Database
from hub.own_key import KeyFileError, own_key
from tests.hub.office import PASSWORD, Office, office
from tests.hub.senders import rows
from web.errors import Refusal
from web.session.attempts import CODES_FORGOTTEN_S, ONE_SECOND_FACTOR
from web.session.second_factor import STEP_S, code_at, step_at
from web.session.throttle import Throttle

SIGN_IN = {"username": "root", "password": PASSWORD}


class App:
    """An authenticator app on somebody's phone."""

    def __init__(self, hub: Office, secret: str) -> None:
        self._hub = hub
        self._secret = base64.b32decode(secret.replace(" ", ""))

    def code(self) -> str:
        return code_at(self._secret, step_at(round((time.time() + self._hub.ahead_s) * 1000)))

    def next_code(self) -> str:
        """Waits for the display to change."""
        self._hub.ahead_s += STEP_S
        return self.code()


async def set_up(hub: Office, client: httpx.AsyncClient) -> tuple[App, list[str]]:
    offer = (await client.post("/api/self/second-factor")).json()
    app = App(hub, offer["secret"])
    assert offer["address"].startswith("otpauth://totp/Gatehouse%3Aroot?secret=")
    answer = await client.post("/api/self/second-factor/confirm", json={"code": app.code()})
    assert answer.status_code == 200, answer.text
    codes: list[str] = answer.json()["codes"]
    return app, codes


async def sign_in(client: httpx.AsyncClient, **more: str) -> tuple[int, str]:
    answer = await client.post("/api/session", json=SIGN_IN | more)
    body: dict[str, Any] = answer.json()
    return answer.status_code, body.get("error", {}).get("code", "")


async def test_with_a_second_factor_the_password_alone_opens_nothing(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin, hub.client() as thief:
        app, _ = await set_up(hub, admin)
        assert await sign_in(thief) == (401, "code_needed")
        assert await sign_in(thief, code="000000") == (401, "wrong_code")
        # The code that set it up was used by that; so is the next one by signing in.
        assert await sign_in(thief, code=app.code()) == (401, "wrong_code")
        code = app.next_code()
        assert await sign_in(thief, password="wrong", code=code) == (401, "wrong_credentials")
        async with hub.client() as owner:
            assert (await sign_in(owner, code=f"{code[:3]} {code[3:]}"))[0] == 200
        assert await sign_in(thief, code=code) == (401, "wrong_code")
        refused = [data["why"] for _, _, data in await hub.events("session.refused")]
        assert refused == ["code", "code", "password", "code"]


async def test_codes_cannot_be_tried_out(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin, hub.client() as thief:
        await set_up(hub, admin)
        # Asking without a code in between, which is no failure, forgives none.
        tries = []
        for number in range(8):
            await sign_in(thief)
            tries.append((await sign_in(thief, code=f"{number:06}"))[0])
        assert tries == [401] * 5 + [429] * 3


async def test_codes_cannot_be_tried_out_from_many_addresses(database: Database) -> None:
    """Whoever has the password and a thousand addresses gets no further, and keeps nobody out without it."""
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        app, _ = await set_up(hub, admin)
        hub.ahead_s += STEP_S

        async def tried(number: int, code: str, password: str = PASSWORD) -> str:
            try:
                await hub.sessions.sign_in("root", password, f"198.51.{number}.7", code=code)
            except Refusal as refusal:
                return refusal.code
            return "in"

        for number in range(20):
            assert await tried(number, "000000", "a guess of mine") == "wrong_credentials"
        # Codes beside a wrong password are not counted: the owner comes in, and everything is forgotten.
        assert await tried(100, app.code()) == "in"
        assert [await tried(200 + number, f"{number:06}") for number in range(7)] == ["wrong_code"] * 5 + [
            "too_many"
        ] * 2
        waits = []
        throttle = Throttle(ONE_SECOND_FACTOR, forget_s=CODES_FORGOTTEN_S)
        now = 0.0
        for _ in range(40):
            now += throttle.wait_s("root", now)
            throttle.begin("root", now)
            waits.append(now)
        assert waits[4] == 0 and waits[-1] > 20 * 86_400


async def test_a_recovery_code_stands_in_for_the_app_once(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin, hub.client() as owner:
        _, codes = await set_up(hub, admin)
        assert len(set(codes)) == 10
        assert (await sign_in(owner, code=codes[0].upper()))[0] == 200
        assert await sign_in(owner, code=codes[0]) == (401, "wrong_code")
        assert (await admin.get("/api/self/second-factor")).json()["recovery_left"] == 9
        new = (await admin.post("/api/self/second-factor/recovery")).json()["codes"]
        assert await sign_in(owner, code=codes[1]) == (401, "wrong_code")
        assert (await sign_in(owner, code=new[1]))[0] == 200


async def test_the_database_gives_nobodys_codes_away(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        offer = (await admin.post("/api/self/second-factor")).json()
        app = App(hub, offer["secret"])
        answer = await admin.post("/api/self/second-factor/confirm", json={"code": app.code()})
        kept = str(await rows(database, "SELECT s::text FROM second_factors s"))
        secret = base64.b32decode(offer["secret"].replace(" ", ""))
        assert len(secret) == 20
        for text in (secret.hex(), offer["secret"].replace(" ", ""), *answer.json()["codes"]):
            assert text not in kept
        # With another key the same rows say something else.
        hub.sessions.store.key = bytes(32)  # type: ignore[attr-defined]
        async with hub.client() as owner:
            assert await sign_in(owner, code=app.next_code()) == (401, "wrong_code")


async def test_setting_up_ends_other_sessions_and_takes_the_copies_back(database: Database) -> None:
    async with office(database) as hub:
        wang = await hub.account("root", "guard", "demo")
        async with hub.client("root") as here, hub.client("root") as there:
            assert wang in await hub.desired("demo", "account")
            await set_up(hub, here)
            assert (await here.get("/api/session")).status_code == 200
            assert (await there.get("/api/session")).status_code == 401
            # A gateway could not ask for the code.
            assert wang not in await hub.desired("demo", "account")
            assert (await here.delete("/api/self/second-factor")).status_code == 204
            assert wang in await hub.desired("demo", "account")
        changes = [data["fields"] for _, _, data in await hub.events("account.changed")][1:]
        assert changes == [["second_factor"], ["second_factor"]]


async def test_proving_oneself_asks_for_the_code_too(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin:
        app, _ = await set_up(hub, admin)
        hub.ahead_s += 600
        assert (await admin.delete("/api/self/second-factor")).json()["error"]["code"] == "prove"
        for body, field in (({}, "code"), ({"code": "000000"}, "code"), ({"password": "x", "code": "1"}, "password")):
            answer = await admin.post("/api/self/confirm", json={"password": PASSWORD} | body)
            assert (answer.status_code, list(answer.json()["error"]["fields"])) == (422, [field])
        change = {"current": PASSWORD, "password": "three pears on a roof"}
        bare = await admin.post("/api/accounts/self/password", json=change)
        assert list(bare.json()["error"]["fields"]) == ["code"]
        proof = {"password": PASSWORD, "code": app.next_code()}
        assert (await admin.post("/api/self/confirm", json=proof)).status_code == 204
        assert (await admin.delete("/api/self/second-factor")).status_code == 204


async def test_somebody_who_lost_everything_is_helped_by_an_admin(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as owner:
        root = (await owner.get("/api/session")).json()["user"]["id"]
        await set_up(hub, owner)
        own = await owner.delete(f"/api/accounts/{root}/second-factor")
        assert own.json()["error"]["code"] == "own_account"
        async with hub.signed_in("zhao", "manager", "demo") as manager:
            assert (await manager.delete(f"/api/accounts/{root}/second-factor")).status_code == 404
        async with hub.signed_in("second", "admin", "*") as admin:
            listed = {item["username"]: item for item in (await admin.get("/api/accounts")).json()["items"]}
            assert (listed["root"]["second_factor"], listed["second"]["second_factor"]) == (True, False)
            assert (await admin.delete(f"/api/accounts/{root}/second-factor")).status_code == 204
            assert (await admin.delete(f"/api/accounts/{root}/second-factor")).status_code == 409
        assert (await owner.get("/api/session")).status_code == 401
        async with hub.client() as again:
            assert (await sign_in(again))[0] == 200
        data = (await hub.events("account.changed"))[-1][2]
        assert (data["fields"], data["by"]["name"]) == (["second_factor"], "Second")


async def test_a_new_secret_takes_the_old_ones_place_only_when_it_works(database: Database) -> None:
    async with office(database) as hub, hub.signed_in("root", "admin", "*") as admin, hub.client() as owner:
        none = await admin.post("/api/self/second-factor/confirm", json={"code": "123456"})
        assert (none.status_code, none.json()["error"]["code"]) == (409, "not_begun")
        old, _ = await set_up(hub, admin)
        new = App(hub, (await admin.post("/api/self/second-factor")).json()["secret"])
        assert (await admin.post("/api/self/second-factor/confirm", json={"code": "000000"})).status_code == 422
        assert (await sign_in(owner, code=old.next_code()))[0] == 200
        assert (await admin.post("/api/self/second-factor/confirm", json={"code": new.code()})).status_code == 200
        assert await sign_in(owner, code=old.next_code()) == (401, "wrong_code")
        assert (await sign_in(owner, code=new.next_code()))[0] == 200


def test_the_hubs_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "state" / "hub.key"
    key = own_key(file)
    assert len(key) == 32
    assert own_key(file) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["hub.key"]
    file.write_text("nonsense")
    with pytest.raises(KeyFileError, match=r"expected|non-hex"):
        own_key(file)
