"""`/api/accounts`: looking after accounts, and after one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.texts import Text
from hub.accounts import locks, second_factor, service
from hub.accounts.models import AccountRow, SecondFactorRow
from hub.accounts.rights import may_look_after
from hub.accounts.schemas import AccountChange, AccountShape, NewAccount, OwnPassword, OwnSettings, shape_of, user_of
from hub.database.transactions import Database, Writing, WritingLater, database
from web.editing import Edited, Shown
from web.errors import Conflict, Forbidden, Invalid, NotFound
from web.once import EVERY_TIME, OnceRoute
from web.paging import Limit, Page, SealedCursors
from web.session.password_rule import password_fault
from web.session.passwords import Passwords
from web.session.routes import OpenSessions, shown
from web.session.sessions import PROVEN, WRONG_PASSWORD, Able, Sessions, SignedInUser
from web.users import User

router = APIRouter(prefix="/api/accounts", tags=["accounts"], route_class=OnceRoute)

Keeper = Annotated[User, Depends(Able("accounts.write"))]
Db = Annotated[Database, Depends(database)]

_NOT_YOURS = Text("您不能管理这个角色或项目的账号", "You may not look after accounts of this role or these sites")
_NOT_SELF = Text("不能删除或停用自己的账号", "You cannot remove or disable your own account")
_NOT_SELF_FACTOR = Text("请在“我的账号”中关闭自己的两步验证", "Turn off your own second factor under My account")
_OWN = Text("请在“修改密码”中更改自己的密码", "Change your own password under Change password")


@router.get("")
async def accounts(
    user: Keeper, db: Db, cursors: SealedCursors, cursor: str = "", limit: Limit = 100
) -> Page[AccountShape]:
    """The accounts that the user looks after, by user name. `cursor`: the `next` of the page before."""
    found: list[AccountRow] = []
    after: str = cursors.key(cursor, str)[0] if cursor else ""
    async with db.session() as session:
        while len(found) <= limit:
            rows = await service.listed(session, after, 500)
            found += [row for row in rows if may_look_after(user, row.role, row.sites)]
            if len(rows) < 500:
                break
            after = rows[-1].username
        more = cursors.after(found[limit - 1].username) if len(found) > limit else None
        return Page(items=await _shapes(session, found[:limit]), next=more)


@router.post("", status_code=201, dependencies=[PROVEN])
async def open_account(
    body: NewAccount, user: Keeper, *, request: Request, db: Db, later: WritingLater, edition: Shown
) -> AccountShape:
    """Open an account."""
    _refuse_foreign(user, body.role, body.sites)
    await _refuse_weak(db, body.password, body.username, body.name, body.sites)
    password_hash = await _passwords(request).hash(body.password)
    session = await later.begin()
    row = await service.create(session, body, password_hash, user.person())
    edition.tell(row.version)
    return await _shape(session, row)


@router.put("/self")
async def own_settings(body: OwnSettings, user: SignedInUser, session: Writing) -> AccountShape:
    """Change what everybody may change of their own account."""
    row = await session.get_one(AccountRow, user.id)
    await service.set_own(session, row, user.person(), language=body.language)
    return await _shape(session, row)


# Makes nothing: a repeat says that the password is another one by now.
@router.post("/self/password", status_code=204, dependencies=[EVERY_TIME])
async def own_password(body: OwnPassword, user: SignedInUser, request: Request, db: Db, later: WritingLater) -> None:
    """Change one's own password; every other session of the account ends."""
    sessions: Sessions = request.app.state.sessions
    # The proof of the routes that ask for one, here with each change.
    checked = await sessions.prove(request, user, body.current, body.code, field="current")
    await _refuse_weak(db, body.password, user.username, user.name, user.sites)
    password_hash = await sessions.passwords.hash(body.password)
    session = await later.begin()
    row = await session.get_one(AccountRow, user.id)
    if row.password_hash != checked:
        # Another request of the same session was first.
        raise Invalid({"current": WRONG_PASSWORD})
    await service.set_own(session, row, user.person(), password_hash=password_hash)
    await service.end_sessions(session, row.id, but=sessions.token_hash(request))
    await service.note_new_password(session, sessions.token_hash(request))


@router.get("/{account_id}")
async def account(account_id: str, user: Keeper, db: Db, edition: Shown) -> AccountShape:
    """One account."""
    async with db.session() as session:
        row = await _kept(session, account_id, user)
        edition.tell(row.version)
        return await _shape(session, row)


@router.put("/{account_id}", dependencies=[PROVEN])
async def change_account(
    account_id: str,
    body: AccountChange,
    user: Keeper,
    *,
    request: Request,
    db: Db,
    later: WritingLater,
    edited: Edited,
) -> AccountShape:
    """Change an account; a new password ends its sessions."""
    before = await account(account_id, user, db, edited)
    _refuse_foreign(user, body.role, body.sites)
    if body.password:
        if account_id == user.id:
            # Here nobody is asked for the second factor with the change itself, nor is this session kept.
            raise Invalid({"password": _OWN})
        await _refuse_weak(db, body.password, before.username, body.name, body.sites)
    password_hash = await _passwords(request).hash(body.password) if body.password else None
    session = await later.begin()
    # Between the look and the lock somebody else may have moved the account out of this user's sites.
    row = await _kept(session, account_id, user)
    edited.expect(row.version, await _shape(session, row))
    if row.id == user.id and not body.active:
        raise Conflict(_NOT_SELF, "own_account")
    await service.change(session, row, body, password_hash, user.person())
    edited.tell(row.version)
    return await _shape(session, row)


@router.get("/{account_id}/sessions")
async def sessions_of(account_id: str, user: Keeper, request: Request, db: Db) -> OpenSessions:
    """The account's open sessions at the hub."""
    sessions: Sessions = request.app.state.sessions
    async with db.session() as session:
        whose = user_of(await _kept(session, account_id, user))
    this = sessions.token_hash(request)
    return OpenSessions(items=[shown(each, this) for each in await sessions.open_ones(whose)])


# A repeat ends what is open by then.
@router.delete("/{account_id}/sessions", status_code=204, dependencies=[PROVEN, EVERY_TIME])
async def end_sessions(account_id: str, user: Keeper, request: Request, db: Db) -> None:
    """End all of the account's sessions at the hub (of one's own: all but this one)."""
    sessions: Sessions = request.app.state.sessions
    async with db.session() as session:
        whose = user_of(await _kept(session, account_id, user))
    await sessions.end(whose, user.person(), but=sessions.token_hash(request))


@router.delete("/{account_id}/second-factor", status_code=204, dependencies=[PROVEN])
async def reset_second_factor(account_id: str, user: Keeper, session: Writing) -> None:
    """Take away the second factor of somebody who lost phone and recovery codes; their sessions end."""
    row = await _kept(session, account_id, user)
    if row.id == user.id:
        raise Conflict(_NOT_SELF_FACTOR, "own_account")
    await second_factor.take_away(session, row, user.person())
    await service.end_sessions(session, row.id)


@router.delete("/{account_id}/locks", status_code=204, dependencies=[PROVEN])
async def lift_locks(account_id: str, user: Keeper, session: Writing) -> None:
    """Let the account sign in at gateways again where somebody locked it."""
    await locks.lift(session, await _kept(session, account_id, user), user.person())


@router.delete("/{account_id}", status_code=204, dependencies=[PROVEN])
async def remove_account(account_id: str, user: Keeper, session: Writing, edited: Edited) -> None:
    """Remove an account; its sessions end."""
    row = await _kept(session, account_id, user)
    edited.expect(row.version, await _shape(session, row))
    if row.id == user.id:
        raise Conflict(_NOT_SELF, "own_account")
    await service.remove(session, row, user.person())


async def _kept(session: AsyncSession, account_id: str, user: User) -> AccountRow:
    """The account, if the user looks after it; `NotFound`."""
    row = await session.get(AccountRow, account_id)
    if row is None or not may_look_after(user, row.role, row.sites):
        raise NotFound
    return row


async def _shape(session: AsyncSession, row: AccountRow) -> AccountShape:
    return (await _shapes(session, [row]))[0]


async def _shapes(session: AsyncSession, rows: Sequence[AccountRow]) -> list[AccountShape]:
    """The accounts with their second factors and locks."""
    ids = [row.id for row in rows]
    factors = select(SecondFactorRow.account).where(col(SecondFactorRow.account).in_(ids), SecondFactorRow.salt != "")
    second = set((await session.exec(factors)).all())
    locked = await locks.standing(session, ids)
    return [
        shape_of(row, second_factor=row.id in second, locks=[lock for lock in locked if lock.account == row.id])
        for row in rows
    ]


def _passwords(request: Request) -> Passwords:
    sessions: Sessions = request.app.state.sessions
    return sessions.passwords


def _refuse_foreign(user: User, role: str, sites: list[str]) -> None:
    if not may_look_after(user, role, sites):
        raise Forbidden(_NOT_YOURS)


async def _refuse_weak(db: Database, password: str, username: str, name: str, sites: Sequence[str]) -> None:
    async with db.session() as session:
        about = await service.known_words(session, username, name, sites)
    fault = password_fault(password, about)
    if fault is not None:
        raise Invalid({"password": fault})
