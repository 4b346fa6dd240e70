"""Whoever takes a gateway's box, or a colleague's account, with the line to the hub cut."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from contract.instants import instant, milliseconds
from gateway.break_glass.account import ALONE_MS, FILE, STANDS_S, Seal, write
from hub.accounts.copies import COPY_LIVES, copied
from tests.gateway.engine_site import MORNING
from tests.gateway.test_web_site import PASSWORD, Site, site
from web.rates import WRITES_A_MINUTE
from web.users import SEALED

UNLOCK = {"site": "yard", "target": "lobby", "kind": "door.unlock", "reason": "x"}


async def enter(there: Site, username: str, password: str = PASSWORD) -> httpx.Response:
    there.client.headers.pop("Authorization", None)
    answer = await there.client.post("/api/session", json={"username": username, "password": password})
    if answer.status_code == 200:
        there.client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return answer


async def unlock(there: Site) -> int:
    return (await there.client.post("/api/commands", json=UNLOCK)).status_code


async def test_an_account_that_the_hub_disabled_stops_opening_doors_though_the_line_is_cut(tmp_path: Path) -> None:
    life_s = round(COPY_LIVES["guard"].total_seconds())
    async with site(tmp_path, expires_in_s=life_s) as there:
        # The hub disabled it, and cannot say so. Left to itself the copy ends in days, not in a month.
        assert life_s <= 72 * 3600
        await enter(there, "guard")
        assert await unlock(there) == 202
        there.here.time.pass_by(life_s + 1)
        assert await unlock(there) == 401
        assert (await enter(there, "guard")).status_code == 401


async def test_a_colleague_locks_it_at_once_and_what_was_open_ends_for_good(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await enter(there, "guard-2")
        thief = there.client.headers["Authorization"]
        await enter(there, "guard")
        guard = there.client.headers["Authorization"]
        answer = await there.client.post("/api/held-accounts/a-guard-2/lock", json={"reason": "手机被盗"})
        assert (answer.status_code, answer.json()["lock"]["by"]) == (200, "Guard")
        there.client.headers["Authorization"] = thief
        assert (await there.client.get("/api/session")).status_code == 401
        assert (await there.here.kinds()).count("session.closed") == 1
        assert (await enter(there, "guard-2")).status_code == 401
        assert alarms(there) == ["account.locked"]
        there.client.headers["Authorization"] = guard
        [locked] = [item for item in (await there.get("/api/held-accounts"))["items"] if item["lock"] is not None]
        assert (locked["username"], locked["lock"]["reason"]) == ("guard-2", "手机被盗")
        [(_, _, data)] = await there.here.events("account.locked")
        assert (data["account"], data["by"]["name"]) == ("a-guard-2", "Guard")
    async with site(tmp_path, time=there.here.time) as again:
        # Neither a restart nor a copy that is merely prolonged lifts it.
        copy = again.people.accounts["guard-2"]
        later = instant(milliseconds(copy.expires_at) + 1000)
        again.people.accounts["guard-2"] = msgspec.structs.replace(copy, expires_at=later)
        assert (await enter(again, "guard-2")).status_code == 401
        assert alarms(again) == ["account.locked"]
        lifted = msgspec.structs.replace(copy, lifted=[data["lock"]])
        again.people.put(again.people.accounts | {"guard-2": lifted}, {})
        assert alarms(again) == []
        # What the thief had open stays closed.
        again.client.headers["Authorization"] = thief
        assert (await again.client.get("/api/session")).status_code == 401
        assert (await enter(again, "guard-2")).status_code == 200
        assert (await again.here.kinds()).count("account.unlocked") == 1


async def test_no_session_opens_by_a_password_that_the_hub_replaced_while_it_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site(tmp_path) as there:
        passwords = there.app.state.sessions.passwords
        plain = passwords.fits

        async def then(*words: Any) -> bool:
            found: bool = await plain(*words)
            copy = there.people.accounts["guard"]
            there.people.accounts["guard"] = msgspec.structs.replace(copy, password_hash="another")
            return found

        monkeypatch.setattr(passwords, "fits", then)
        assert (await enter(there, "guard")).status_code == 401
        assert "session.opened" not in await there.here.kinds()


@pytest.mark.parametrize(
    ("who", "whom", "status"),
    [
        ("guard", "a-guard-2", 200),
        ("guard", "a-maintenance", 403),
        ("guard", "a-admin", 403),
        ("admin", "a-maintenance", 200),
        ("guard", "a-guard", 409),
        ("guard", "a-nobody", 404),
        ("maintenance", "a-guard", 403),
        ("admin", "a-guard", 200),
    ],
)
async def test_who_may_lock_whom(tmp_path: Path, who: str, whom: str, status: int) -> None:
    async with site(tmp_path) as there:
        await enter(there, who)
        answer = await there.client.post(f"/api/held-accounts/{whom}/lock", json={"reason": "x"})
        assert answer.status_code == status, answer.text


async def test_a_stolen_session_of_a_guard_cannot_lock_everybody_out(tmp_path: Path) -> None:
    async with site(tmp_path, expires_in_s=86_400) as there:
        many = {f"g{n}": msgspec.structs.replace(there.people.accounts["guard"], id=f"a-g{n}") for n in range(9)}
        there.people.put(there.people.accounts | many, {})
        await enter(there, "guard")
        answers = [await lock(there, f"a-g{n}") for n in range(9)]
        assert answers == [200] * 5 + [429] * 4
        # Who found the screen open does not know the password.
        there.here.time.pass_by(301)
        assert await lock(there, "a-g8") == 403


@pytest.mark.parametrize("who", ["guard", "admin", SEALED])
async def test_a_lock_is_lifted_here_only_by_somebody_above_who_set_it(tmp_path: Path, who: str) -> None:
    async with site(tmp_path) as there:
        password = await sealed(there)
        await enter(there, "guard")
        assert await lock(there, "a-guard-2") == 200
        await enter(there, who, password if who == SEALED else PASSWORD)
        answer = await there.client.post("/api/held-accounts/a-guard-2/unlock")
        assert answer.status_code == (403 if who == "guard" else 200), answer.text
        if who != "guard":
            assert answer.json()["lock"] is None
            assert "account.locked" not in alarms(there)
            assert (await there.here.events("account.unlocked"))[-1][2]["by"]["role"] == "admin"
            assert (await there.client.post("/api/held-accounts/a-guard-2/unlock")).status_code == 409
            assert (await enter(there, "guard-2")).status_code == 200


async def test_nobody_lifts_a_lock_of_their_own_role(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await enter(there, "admin")
        assert await lock(there, "a-guard") == 200
        [item] = [each for each in (await there.get("/api/held-accounts"))["items"] if each["lock"] is not None]
        assert item["may_unlock"] is False
        assert (await there.client.post("/api/held-accounts/a-guard/unlock")).status_code == 403


async def lock(there: Site, account: str) -> int:
    return (await there.client.post(f"/api/held-accounts/{account}/lock", json={"reason": "x"})).status_code


async def sealed(there: Site) -> str:
    """An admin makes the sealed account; its password."""
    await enter(there, "admin")
    answer = await there.client.post("/api/break-glass")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["password"])


def alone_since(there: Site, since: int | None) -> None:
    """The line to the hub is cut, or (None) the hub has answered over it."""
    there.link.alone_since_ms = since
    there.app.state.sealed.hub_turned()


def back_to_stay(there: Site) -> None:
    alone_since(there, None)
    there.here.time.pass_by(STANDS_S)


def alarms(there: Site) -> list[str]:
    found = there.here.engine.alarms.alarms.values()
    return [alarm.cause.rule for alarm in found if alarm.state in {"active", "acknowledged"}]


async def test_the_sealed_account_opens_only_without_the_hub_and_is_an_alarm(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        password = await sealed(there)
        assert len(password) >= 25
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
        assert password not in (tmp_path / FILE).read_text()
        back_to_stay(there)
        assert (await enter(there, SEALED, password)).status_code == 401
        alone_since(there, there.here.time.machine_ms)
        assert (await enter(there, SEALED, password)).status_code == 401
        there.here.time.pass_by(ALONE_MS / 1000)
        assert alarms(there) == []
        assert (await enter(there, SEALED, password)).status_code == 200
        assert alarms(there) == ["account.break_glass"]
        assert await unlock(there) == 202
        # It does not seal itself anew: whoever tore the envelope must not hide that.
        assert (await there.client.post("/api/break-glass")).status_code == 403
        assert (await there.here.events("session.opened"))[-1][2]["username"] == SEALED
        session = there.client.headers["Authorization"]

        # The hub is back: what was opened is closed, and it is spent for the next outage too.
        back_to_stay(there)
        assert await unlock(there) == 401
        alone_since(there, 0)
        there.client.headers["Authorization"] = session
        await there.app.state.sealed.look()
        assert await unlock(there) == 401
        assert (await enter(there, SEALED, password)).status_code == 401
        assert alarms(there) == ["account.break_glass"]

        new = await sealed(there)
        assert alarms(there) == []
        assert (await enter(there, SEALED, password)).status_code == 401
        assert (await enter(there, SEALED, new)).status_code == 200


async def test_a_hub_that_answers_for_a_moment_spends_nothing(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        password = await sealed(there)
        assert (await enter(there, SEALED, password)).status_code == 200
        for _ in range(3):
            alone_since(there, None)
            there.here.time.pass_by(STANDS_S - 1)
            there.app.state.sealed.hub_turned()
            alone_since(there, there.here.time.machine_ms)
            there.here.time.pass_by(1)
            assert await unlock(there) == 202
        # But a line that was gone for a moment opens nothing.
        back_to_stay(there)
        new = await sealed(there)
        alone_since(there, there.here.time.machine_ms)
        there.here.time.pass_by(ALONE_MS / 1000 - 1)
        alone_since(there, None)
        there.here.time.pass_by(2)
        assert (await enter(there, SEALED, new)).status_code == 401


async def test_the_alarm_of_a_used_seal_outlives_a_restart(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        password = await sealed(there)
        assert (await enter(there, SEALED, password)).status_code == 200
    async with site(tmp_path, time=there.here.time) as again:
        assert alarms(again) == ["account.break_glass"]
        await enter(again, "admin")
        state: dict[str, Any] = await again.get("/api/break-glass")
        assert state["used_at"] is not None
        # Renewed from the command line meanwhile.
        command = [sys.executable, "-m", "gateway", "seal", "--data", str(tmp_path)]
        made = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        name, password = made.stdout.split()[:2]
        state = await again.get("/api/break-glass")
        assert (name, state["used_at"], alarms(again)) == (SEALED, None, [])
        assert (await again.here.events("break_glass.renewed"))[-1][2]["by"] is None
        assert (await enter(again, SEALED, password)).status_code == 200


async def test_a_seal_that_is_made_while_the_gateway_stands_still_is_recorded_once(tmp_path: Path) -> None:
    write(tmp_path / FILE, Seal(password_hash="x", made_at=MORNING))
    there: Site | None = None
    for _ in range(2):
        async with site(tmp_path, time=None if there is None else there.here.time) as there:
            await there.here.settle()
            [(_, _, told)] = await there.here.events("break_glass.renewed")
            assert told == {"made_at": instant(MORNING), "by": None}


async def test_a_seal_is_renewed_only_by_who_proves_themselves(tmp_path: Path) -> None:
    async with site(tmp_path, expires_in_s=86_400) as there:
        await enter(there, "guard")
        assert (await there.client.post("/api/break-glass")).status_code == 403
        await enter(there, "admin")
        there.here.time.pass_by(301)
        answer = await there.client.post("/api/break-glass")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "prove")
        assert (await there.client.post("/api/self/confirm", json={"password": PASSWORD})).status_code == 204
        assert (await there.client.post("/api/break-glass")).status_code == 200
        [(_, _, told)] = await there.here.events("break_glass.renewed")
        assert (told["by"]["name"], told["made_at"]) == ("Admin", instant(there.here.time.machine_ms))


async def test_sessions_here_are_listed_and_ended_too(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await enter(there, "guard")
        other = there.client.headers["Authorization"]
        await enter(there, "guard")
        assert [item["this"] for item in (await there.get("/api/self/sessions"))["items"]].count(True) == 1
        assert (await there.client.delete("/api/self/sessions")).status_code == 204
        there.client.headers["Authorization"] = other
        assert (await there.client.get("/api/session")).status_code == 401


async def test_a_guard_without_end_is_slowed_and_a_busy_one_is_not(tmp_path: Path) -> None:
    async with site(tmp_path) as there:
        await enter(there, "guard")
        share = WRITES_A_MINUTE["commands"]
        answers = [await unlock(there) for _ in range(share + 20)]
        assert answers[share:] == [429] * 20
        assert 429 not in answers[:share]
        # One every three seconds, for as long as one likes.
        there.here.time.pass_by(60)
        busy = []
        for _ in range(2 * share):
            there.here.time.pass_by(3)
            await there.here.settle()
            busy.append(await unlock(there))
        assert 429 not in busy
        assert (await there.here.kinds()).count("writes.refused") == 1


def test_no_copy_opens_more_than_its_site() -> None:
    at = datetime.fromtimestamp(MORNING / 1000, UTC)
    assert copied("guard", ["demo"], second_factor=False, alive_at=at, now=at)
    for role, sites, factor in (("guard", ["*"], False), ("admin", ["demo"], False), ("guard", ["demo"], True)):
        assert not copied(role, sites, second_factor=factor, alive_at=at, now=at)
