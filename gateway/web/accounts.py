"""`/api/held-accounts` and `/api/break-glass`: whose copies are here, locking one, the sealed account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from typing_extensions import TypedDict

from contract.desired import Account, Role
from contract.instants import Instant, instant
from contract.texts import Text
from gateway.break_glass.account import Sealed
from gateway.web.served import Gateway, Served
from gateway.web.sessions import HeldSessions, Lock
from web.asked import Body
from web.errors import Conflict, Forbidden, NotFound
from web.live.stream import Live
from web.once import EVERY_TIME, OnceRoute
from web.paging import Page
from web.session.sessions import PROVEN, Able, Sessions
from web.users import SEALED, User

router = APIRouter(prefix="/api", tags=["accounts"], route_class=OnceRoute)

RANKS: Mapping[Role, int] = {"guard": 0, "maintenance": 1, "installer": 1, "manager": 2, "admin": 3}
"""Role → how high it is. Nobody locks out somebody above, and a lock is lifted here only from above who set it."""

Locker = Annotated[User, Depends(Able("accounts.lock"))]
Keeper = Annotated[User, Depends(Able("seal.renew"))]

_NOT_YOURS = Text("您不能锁定这个角色的账号", "You may not lock accounts of this role")
_NOT_LOWER = Text("只能解除比您角色低的人设置的锁定", "You may lift only what somebody of a lower role locked")
_NOT_LOCKED = Text("账号未被锁定", "The account is not locked")
_NOT_SELF = Text("不能锁定自己的账号", "You cannot lock your own account")
_NOT_SEALED = Text("应急账号不能更换自己的密码", "The break-glass account does not renew itself")


class Locking(Body):
    """Why nobody shall sign in with the account."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


class HeldLock(TypedDict):
    """Somebody locked an account here. `by`: their name."""

    by: str
    at: Instant
    reason: str


class HeldAccount(TypedDict):
    """An account that may sign in here without the hub until `expires_at`; what whoever asks may do with it."""

    id: str
    username: str
    name: str
    role: Role
    expires_at: Instant
    may_lock: bool
    may_unlock: bool
    lock: HeldLock | None


class BreakGlass(TypedDict):
    """How the sealed account stands."""

    made_at: Instant | None
    used_at: Instant | None
    spent: bool
    opens: bool


class SealedAccount(TypedDict):
    """The sealed account, told this once."""

    username: str
    password: str


@router.get("/held-accounts")
async def accounts(gateway: Gateway, user: Locker, request: Request) -> Page[HeldAccount]:
    """The accounts that may sign in here, by user name, until when without the hub, and which are locked."""
    held = sorted(gateway.people.accounts.values(), key=lambda each: each.username)
    return Page[HeldAccount].of([_item(each, user, _store(request)) for each in held])


@router.post("/held-accounts/{account_id}/lock", dependencies=[PROVEN])
async def lock(account_id: str, body: Locking, gateway: Gateway, user: Locker, request: Request) -> HeldAccount:
    """Lock an account at this gateway at once, hub or no hub; its sessions here end. Not one of a higher role."""
    found = _account(gateway, account_id)
    if found.id == user.id:
        raise Conflict(_NOT_SELF, "own_account")
    if not _may_lock(user, found):
        raise Forbidden(_NOT_YOURS)
    await _store(request).lock(found, user.person(), body.reason.strip())
    live: Live = request.app.state.live
    live.end(found.id)
    return _item(found, user, _store(request))


@router.post("/held-accounts/{account_id}/unlock", dependencies=[PROVEN])
async def unlock(account_id: str, gateway: Gateway, user: Keeper, request: Request) -> HeldAccount:
    """Lift a lock that somebody of a lower role set at this gateway; the hub lifts any."""
    found, store = _account(gateway, account_id), _store(request)
    lock = store.lock_of(found)
    if lock is None:
        raise Conflict(_NOT_LOCKED, "not_locked")
    if not _may_unlock(user, lock):
        raise Forbidden(_NOT_LOWER)
    await store.unlock(found, user.person())
    return _item(found, user, store)


@router.get("/break-glass")
async def break_glass(gateway: Gateway, user: Keeper, request: Request) -> BreakGlass:
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


@router.post("/break-glass", dependencies=[PROVEN, EVERY_TIME])
async def renew_break_glass(gateway: Gateway, user: Keeper, request: Request) -> SealedAccount:
    """A new sealed account in place of the old one: its password, shown this once, belongs into an envelope."""
    if user.id == SEALED:
        raise Forbidden(_NOT_SEALED)
    sessions: Sessions = request.app.state.sessions
    return {"username": SEALED, "password": await _sealed(request).renew(sessions.passwords, user.person())}


def _account(gateway: Served, account_id: str) -> Account:
    found = next((each for each in gateway.people.accounts.values() if each.id == account_id), None)
    if found is None:
        raise NotFound
    return found


def _may_lock(user: User, account: Account) -> bool:
    return account.id != user.id and RANKS[account.role] <= RANKS[user.role]


def _may_unlock(user: User, lock: Lock) -> bool:
    by = next((rank for role, rank in RANKS.items() if role == lock.by.role), max(RANKS.values()))
    return by < RANKS[user.role]


def _item(account: Account, user: User, store: HeldSessions) -> HeldAccount:
    lock = store.lock_of(account)
    return {
        "id": account.id,
        "username": account.username,
        "name": account.name,
        "role": account.role,
        "expires_at": account.expires_at,
        "may_lock": _may_lock(user, account),
        "may_unlock": lock is not None and user.may("seal.renew") and _may_unlock(user, lock),
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
