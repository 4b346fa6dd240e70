"""`/api/held-accounts` and `/api/break-glass`: whose copies are here, locking one, the sealed account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from contract.desired import Account, Role
from contract.instants import instant
from contract.texts import Text
from gateway.sealed import Sealed
from gateway.web.served import Gateway
from gateway.web.sessions import HeldSessions
from web.asked import Body
from web.errors import Conflict, Forbidden, NotFound
from web.live import Live
from web.session import PROVEN, Allowed, Sessions
from web.users import SEALED, User

router = APIRouter(prefix="/api", tags=["accounts"])

MAY_LOCK: Mapping[Role, frozenset[Role]] = {
    "guard": frozenset({"guard", "maintenance", "installer"}),
    "manager": frozenset({"guard", "maintenance", "installer", "manager"}),
    "admin": frozenset({"guard", "maintenance", "installer", "manager", "admin"}),
}
"""Role → whose accounts it may lock. The night guard is whom the colleague with the stolen phone can reach."""

Locker = Annotated[User, Depends(Allowed(*MAY_LOCK))]
Keeper = Annotated[User, Depends(Allowed("manager", "admin"))]

_NOT_YOURS = Text("您不能锁定这个角色的账号", "You may not lock accounts of this role")
_NOT_SELF = Text("不能锁定自己的账号", "You cannot lock your own account")
_NOT_SEALED = Text("应急账号不能更换自己的密码", "The break-glass account does not renew itself")


class Locking(Body):
    """Why nobody shall sign in with the account."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


@router.get("/held-accounts")
async def accounts(gateway: Gateway, user: Locker, request: Request) -> dict[str, Any]:
    """The accounts that may sign in here, by user name, until when without the hub, and which are locked."""
    held = sorted(gateway.people.accounts.values(), key=lambda each: each.username)
    return {"items": [_item(each, user, _store(request)) for each in held], "next": None}


@router.post("/held-accounts/{account_id}/lock")
async def lock(account_id: str, body: Locking, gateway: Gateway, user: Locker, request: Request) -> dict[str, Any]:
    """Lock an account at this gateway at once, hub or no hub; its sessions here end. Only the hub lifts it."""
    found = next((each for each in gateway.people.accounts.values() if each.id == account_id), None)
    if found is None:
        raise NotFound
    if found.id == user.id:
        raise Conflict(_NOT_SELF, "own_account")
    if found.role not in MAY_LOCK[user.role]:
        raise Forbidden(_NOT_YOURS)
    await _store(request).lock(found, user.person(), body.reason.strip())
    live: Live = request.app.state.live
    live.end(found.id)
    return _item(found, user, _store(request))


@router.get("/break-glass")
async def break_glass(gateway: Gateway, user: Keeper, request: Request) -> dict[str, Any]:
    """How the sealed account stands: made when, used when, spent or not, and whether it opens now."""
    sealed = _sealed(request)
    await sealed.look()
    seal = sealed.seal
    return {
        "made_at": None if seal is None else instant(seal.made_at),
        "used_at": None if seal is None or seal.used_at is None else instant(seal.used_at),
        "spent": seal is not None and seal.spent,
        "opens": sealed.opens,
    }


@router.post("/break-glass", dependencies=[PROVEN])
async def renew_break_glass(gateway: Gateway, user: Keeper, request: Request) -> dict[str, str]:
    """A new sealed account in place of the old one: its password, shown this once, belongs into an envelope."""
    if user.id == SEALED:
        raise Forbidden(_NOT_SEALED)
    sessions: Sessions = request.app.state.sessions
    return {"username": SEALED, "password": await _sealed(request).renew(sessions.passwords)}


def _item(account: Account, user: User, store: HeldSessions) -> dict[str, Any]:
    lock = store.lock_of(account)
    return {
        "id": account.id,
        "username": account.username,
        "name": account.name,
        "role": account.role,
        "expires_at": account.expires_at,
        "may_lock": account.id != user.id and account.role in MAY_LOCK[user.role],
        "lock": None if lock is None else {"by": lock.by.name, "at": instant(lock.at), "reason": lock.reason},
    }


def _store(request: Request) -> HeldSessions:
    sessions: Sessions = request.app.state.sessions
    store = sessions.store
    assert isinstance(store, HeldSessions)
    return store


def _sealed(request: Request) -> Sealed:
    sealed: Sealed = request.app.state.sealed
    return sealed
