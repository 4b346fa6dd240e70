"""`/api/self/second-factor`: one's own second factor. (Own sessions: `web.session.routes`, as on the gateways.)"""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.accounts import second_factor, service
from hub.accounts.models import AccountRow, SecondFactorRow
from hub.accounts.schemas import FirstCode, OfferShape, RecoveryCodes, SecondFactorShape
from hub.accounts.store import AccountStore
from hub.database.transactions import Reading, Writing
from web.session.sessions import PROVEN, Sessions, SignedInUser
from web.users import User

router = APIRouter(prefix="/api/self/second-factor", tags=["accounts"])


@router.get("")
async def how_it_stands(user: SignedInUser, session: Reading) -> SecondFactorShape:
    """Whether the account has one, since when, and how many recovery codes are left."""
    row = await session.get(SecondFactorRow, user.id)
    if row is None or not row.salt:
        return SecondFactorShape(on=False, since=None, recovery_left=0)
    return SecondFactorShape(on=True, since=row.since, recovery_left=len(row.recovery))


@router.post("", dependencies=[PROVEN])
async def begin(request: Request, user: SignedInUser, session: Writing) -> OfferShape:
    """A new secret for an authenticator app; in force once its first code was sent to `/confirm`."""
    found = await second_factor.offer(session, key_of(request), await _own(session, user))
    return OfferShape(secret=found.secret, address=found.address)


@router.post("/confirm", dependencies=[PROVEN])
async def turn_on(body: FirstCode, request: Request, user: SignedInUser, session: Writing) -> RecoveryCodes:
    """Put it in force; every other session of the account ends."""
    sessions: Sessions = request.app.state.sessions
    row = await _own(session, user)
    now_ms = time.time_ns() // 1_000_000
    codes = await second_factor.turn_on(session, key_of(request), row, body.code, now_ms, by=user.person())
    await service.end_sessions(session, row.id, but=sessions.token_hash(request))
    return RecoveryCodes(codes=codes)


@router.post("/recovery", dependencies=[PROVEN])
async def new_recovery(request: Request, user: SignedInUser, session: Writing) -> RecoveryCodes:
    """New recovery codes; those before are worth nothing any more."""
    row = await _own(session, user)
    return RecoveryCodes(codes=await second_factor.new_recovery(session, key_of(request), row, user.person()))


@router.delete("", status_code=204, dependencies=[PROVEN])
async def take_away(user: SignedInUser, session: Writing) -> None:
    """Go without one."""
    await second_factor.take_away(session, await _own(session, user), user.person())


def key_of(request: Request) -> bytes:
    """The hub's own key."""
    store: AccountStore = request.app.state.sessions.store
    return store.key


async def _own(session: AsyncSession, user: User) -> AccountRow:
    return await session.get_one(AccountRow, user.id)
