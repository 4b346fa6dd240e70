"""What happens while a password is checked or hashed, which takes long: what ends a session comes first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest

from hub.accounts import service
from hub.accounts.models import AccountRow
from hub.accounts.schemas import AccountBody
from hub.accounts.store import AccountStore
from hub.database.transactions import Database
from hub.events.stream import HUB
from tests.hub.office import PASSWORD, Office, office
from tests.hub.senders import rows
from tests.hub.test_accounts import NEW
from web.session.store import StoredSession

OTHER = "three pears on a roof"
THIEFS = "four plums in a hat"


def while_it(
    hub: Office, monkeypatch: pytest.MonkeyPatch, what: Literal["fits", "hash"], act: Callable[[], Awaitable[Any]]
) -> None:
    """Have something done once, when the hub has just checked or hashed a password."""
    plain = getattr(hub.passwords, what)

    async def then(*words: Any) -> Any:
        found = await plain(*words)
        monkeypatch.setattr(hub.passwords, what, plain)
        await act()
        return found

    monkeypatch.setattr(hub.passwords, what, then)


async def set_password(hub: Office, account: str, password: str) -> None:
    hashed = await hub.passwords.hash(password)
    async with hub.database.session(writes=True) as session:
        row = await session.get_one(AccountRow, account)
        same = AccountBody.model_validate(row, from_attributes=True)
        await service.change(session, row, same, hashed, HUB)


async def disable(hub: Office, account: str) -> None:
    async with hub.database.session(writes=True) as session:
        row = await session.get_one(AccountRow, account)
        other = AccountBody.model_validate(row, from_attributes=True).model_copy(update={"active": False})
        await service.change(session, row, other, None, HUB)


async def factor(hub: Office, account: str) -> None:
    await rows(
        hub.database,
        "INSERT INTO second_factors (account, salt, pending, last_step, recovery)"
        " VALUES (:account, 'aa', '', 0, '[]') RETURNING account",
        account=account,
    )


async def remove(hub: Office, account: str) -> None:
    async with hub.database.session(writes=True) as session:
        await service.remove(session, await session.get_one(AccountRow, account), HUB)


@pytest.mark.parametrize("change", ["password", "disabled", "removed", "second factor"])
async def test_no_session_opens_by_what_was_true_when_it_was_checked(
    database: Database, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    async with office(database) as hub, hub.client() as thief:
        wang = await hub.account("wang", "guard", "demo")
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "password": lambda: set_password(hub, wang, OTHER),
            "disabled": lambda: disable(hub, wang),
            "removed": lambda: remove(hub, wang),
            "second factor": lambda: factor(hub, wang),
        }
        while_it(hub, monkeypatch, "fits", acts[change])
        answer = await thief.post("/api/session", json={"username": "wang", "password": PASSWORD})
        assert answer.status_code == 401
        assert await rows(database, "SELECT 1 FROM sessions") == []
        assert await hub.events("session.opened") == []


async def test_no_session_opens_by_a_second_factor_that_was_replaced_meanwhile(database: Database) -> None:
    async with office(database) as hub:
        wang = await hub.account("wang", "guard", "demo")
        await factor(hub, wang)
        store = AccountStore(database, b"a key")
        checked = await store.account("wang")
        assert checked is not None
        session = StoredSession("hash", wang, 0, 0, "10.0.0.1", "", 0, False)
        await rows(database, "UPDATE second_factors SET salt = 'bb' RETURNING account")
        assert not await store.open(session, checked)
        assert await rows(database, "SELECT 1 FROM sessions WHERE account = :it", it=wang) == []
        again = await store.account("wang")
        assert again is not None
        assert await store.open(session, again)


async def test_a_thief_does_not_change_the_password_after_its_owner_did(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(database) as hub:
        await hub.account("wang", "guard", "demo")
        async with hub.client("wang") as owner, hub.client("wang") as thief:
            path, old = "/api/accounts/self/password", {"current": PASSWORD}

            async def owners() -> None:
                assert (await owner.post(path, json=old | {"password": OTHER})).status_code == 204

            while_it(hub, monkeypatch, "hash", owners)
            assert (await thief.post(path, json=old | {"password": THIEFS})).status_code == 401
            # Nor with the very session of the owner's, which the change does not end.
            old = {"current": OTHER}

            async def again() -> None:
                assert (await owner.post(path, json=old | {"password": PASSWORD})).status_code == 204

            while_it(hub, monkeypatch, "hash", again)
            twin = await owner.post(path, json=old | {"password": THIEFS})
            assert (twin.status_code, list(twin.json()["error"]["fields"])) == (422, ["current"])
            assert await hub.token("wang")


@pytest.mark.parametrize("end", ["password", "disabled"])
async def test_who_was_signed_out_meanwhile_writes_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    async with office(database) as hub, hub.signed_in("second", "admin", "*"):
        root = await hub.account("root", "admin", "*")
        wang = await hub.account("wang", "guard", "demo")
        before = await rows(database, "SELECT id, password_hash FROM accounts WHERE id <> :root ORDER BY id", root=root)
        theirs = {"name": "Wang", "role": "admin", "sites": ["*"], "password": THIEFS}
        for method, path, body in (("POST", "/api/accounts", NEW), ("PUT", f"/api/accounts/{wang}", theirs)):
            await rows(database, "UPDATE accounts SET active = true RETURNING id")
            await set_password(hub, root, PASSWORD)
            async with hub.client("root") as thief:
                ends = {"password": lambda: set_password(hub, root, OTHER), "disabled": lambda: disable(hub, root)}
                while_it(hub, monkeypatch, "hash", ends[end])
                answer = await thief.request(method, path, json=body)
                assert (answer.status_code, answer.json()["error"]["code"]) == (401, "session_ended")
        after = await rows(database, "SELECT id, password_hash FROM accounts WHERE id <> :root ORDER BY id", root=root)
        assert after == before
