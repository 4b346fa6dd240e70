"""`/api/accounts`: looking after accounts, and after one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from contract.texts import Text
from hub.accounts import service
from hub.accounts.models import AccountRow
from hub.accounts.rights import may_look_after
from hub.accounts.schemas import AccountChange, AccountShape, NewAccount, OwnPassword, OwnSettings, shape_of
from hub.db import Database, database
from web.errors import Conflict, Forbidden, Invalid, NotFound
from web.paging import Limit, Page
from web.passwords import Passwords
from web.session import Allowed, Sessions, SignedInUser
from web.users import User

router = APIRouter(prefix="/api/accounts", tags=["accounts"])

Keeper = Annotated[User, Depends(Allowed("manager", "admin"))]
Db = Annotated[Database, Depends(database)]

_NOT_YOURS = Text("您不能管理这个角色或项目点的账号", "You may not look after accounts of this role or these sites")
_NOT_SELF = Text("不能删除或停用自己的账号", "You cannot remove or disable your own account")
_WRONG = Text("当前密码错误", "The current password is wrong")
_SAME = Text("密码不能与用户名相同", "The password must differ from the user name")


@router.get("")
async def accounts(user: Keeper, db: Db, cursor: str = "", limit: Limit = 100) -> Page[AccountShape]:
    """The accounts that the user looks after, by user name. `cursor`: the `next` of the page before."""
    shown: list[AccountRow] = []
    async with db.session() as session:
        while len(shown) <= limit:
            rows = await service.listed(session, cursor, 500)
            shown += [row for row in rows if may_look_after(user, row.role, row.sites)]
            if len(rows) < 500:
                break
            cursor = rows[-1].username
    more = shown[limit - 1].username if len(shown) > limit else None
    return Page(items=[shape_of(row) for row in shown[:limit]], next=more)


@router.post("", status_code=201)
async def open_account(body: NewAccount, user: Keeper, request: Request, db: Db) -> AccountShape:
    """Open an account."""
    _refuse_foreign(user, body.role, body.sites)
    _refuse_weak(body.password, body.username)
    password_hash = await _passwords(request).hash(body.password)
    async with db.session(writes=True) as session:
        return shape_of(await service.create(session, body, password_hash, user.person()))


@router.put("/self")
async def own_settings(body: OwnSettings, user: SignedInUser, db: Db) -> AccountShape:
    """Change what everybody may change of their own account."""
    async with db.session(writes=True) as session:
        row = await session.get_one(AccountRow, user.id)
        await service.set_own(session, row, user.person(), language=body.language)
        return shape_of(row)


@router.post("/self/password", status_code=204)
async def own_password(body: OwnPassword, user: SignedInUser, request: Request, db: Db) -> None:
    """Change one's own password; every other session of the account ends."""
    sessions: Sessions = request.app.state.sessions
    async with db.session() as session:
        known = (await session.get_one(AccountRow, user.id)).password_hash
    await sessions.check_again(request, user, body.current, known, _WRONG)
    _refuse_weak(body.password, user.username)
    password_hash = await sessions.passwords.hash(body.password)
    async with db.session(writes=True) as session:
        row = await session.get_one(AccountRow, user.id)
        await service.set_own(session, row, user.person(), password_hash=password_hash)
        await service.end_sessions(session, row.id, but=sessions.token_hash(request))


@router.get("/{account_id}")
async def account(account_id: str, user: Keeper, db: Db) -> AccountShape:
    """One account."""
    async with db.session() as session:
        row = await session.get(AccountRow, account_id)
    if row is None or not may_look_after(user, row.role, row.sites):
        raise NotFound
    return shape_of(row)


@router.put("/{account_id}")
async def change_account(account_id: str, body: AccountChange, user: Keeper, request: Request, db: Db) -> AccountShape:
    """Change an account; a new password ends its sessions."""
    await account(account_id, user, db)
    _refuse_foreign(user, body.role, body.sites)
    password_hash = await _passwords(request).hash(body.password) if body.password else None
    async with db.session(writes=True) as session:
        row = await session.get(AccountRow, account_id)
        # Between the look and the lock somebody else may have moved the account out of this user's sites.
        if row is None or not may_look_after(user, row.role, row.sites):
            raise NotFound
        if row.id == user.id and not body.active:
            raise Conflict(_NOT_SELF, "own_account")
        if body.password:
            _refuse_weak(body.password, row.username)
        await service.change(session, row, body, password_hash, user.person())
        return shape_of(row)


@router.delete("/{account_id}", status_code=204)
async def remove_account(account_id: str, user: Keeper, db: Db) -> None:
    """Remove an account; its sessions end."""
    async with db.session(writes=True) as session:
        row = await session.get(AccountRow, account_id)
        if row is None or not may_look_after(user, row.role, row.sites):
            raise NotFound
        if row.id == user.id:
            raise Conflict(_NOT_SELF, "own_account")
        await service.remove(session, row, user.person())


def _passwords(request: Request) -> Passwords:
    sessions: Sessions = request.app.state.sessions
    return sessions.passwords


def _refuse_foreign(user: User, role: str, sites: list[str]) -> None:
    if not may_look_after(user, role, sites):
        raise Forbidden(_NOT_YOURS)


def _refuse_weak(password: str, username: str) -> None:
    if password.lower() == username:
        raise Invalid({"password": _SAME})
