"""Locks that somebody set on an account at a gateway: shown at the hub, and lifted by its word."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from contract.commands import Person
from contract.facts.people import AccountLocked, SessionOpened
from contract.texts import Text
from hub.accounts import service
from hub.accounts.models import AccountLockRow, AccountRow
from hub.database.event import Projection, StoredEvent
from hub.database.orm import session_on
from web.errors import Conflict

_NOT_LOCKED = Text("账号未被锁定", "The account is not locked")


async def standing(session: AsyncSession, accounts: Collection[str]) -> Sequence[AccountLockRow]:
    """The locks of these accounts that hold, oldest first."""
    query = select(AccountLockRow).where(
        col(AccountLockRow.account).in_(accounts), col(AccountLockRow.lifted_at).is_(None)
    )
    return (await session.exec(query.order_by(col(AccountLockRow.at)))).all()


async def lift(session: AsyncSession, account: AccountRow, by: Person) -> None:
    """Let the account sign in at the gateways again; `Conflict` if no lock holds."""
    rows = await standing(session, [account.id])
    if not rows:
        raise Conflict(_NOT_LOCKED, "not_locked")
    for row in rows:
        row.lifted_at = datetime.now(UTC)
    account.lifted = [*account.lifted, *(row.lock for row in rows)][-service.MOST_LIFTED :]
    await service.changed(session, account, ["lifted"], by)


async def on_locked(conn: AsyncConnection, event: StoredEvent) -> None:
    """A gateway locked an account of its site."""
    data = event.typed()
    assert isinstance(data, AccountLocked)
    async with session_on(conn) as session:
        account = await session.get(AccountRow, data.account)
        known = await session.get(AccountLockRow, data.lock)
        if account is None or event.site not in account.sites or known is not None or data.by is None:
            return
        # More than that can be lifted of none: whoever says more is not a gateway at which somebody locks accounts.
        if len(await standing(session, [account.id])) >= service.MOST_LIFTED:
            return
        session.add(
            AccountLockRow(
                lock=data.lock,
                account=account.id,
                site=event.site,
                by=msgspec.to_builtins(data.by),
                reason=data.reason[:500],
                at=event.when,
            )
        )


async def on_unlocked(conn: AsyncConnection, event: StoredEvent) -> None:
    """The lock does not hold any more: somebody there lifted it, or the hub's own word has arrived."""
    data = event.typed()
    assert isinstance(data, AccountLocked)
    async with session_on(conn) as session:
        row = await session.get(AccountLockRow, data.lock)
        if row is not None and row.site == event.site and row.lifted_at is None:
            row.lifted_at = event.when


async def on_signed_in(conn: AsyncConnection, event: StoredEvent) -> None:
    """Somebody signed in at a gateway: the account is in use."""
    data = event.typed()
    assert isinstance(data, SessionOpened)
    async with session_on(conn) as session:
        account = await service.by_username(session, data.username)
        if account is not None and event.site in account.sites:
            await service.signed_in(session, account, event.when, event.received)


PROJECTIONS: dict[str, Projection] = {
    "account.locked": on_locked,
    "account.unlocked": on_unlocked,
    "session.opened": on_signed_in,
}
