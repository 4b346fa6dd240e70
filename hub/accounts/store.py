"""Where the hub keeps sessions: `web.session.SessionStore` over PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import select

from contract.kinds import SessionOpened, SessionRefused
from hub import stream
from hub.accounts import service
from hub.accounts.models import AccountRow, SessionRow
from hub.accounts.schemas import user_of
from hub.db import Database, connection
from web.session import StoredAccount, StoredSession
from web.users import ALL_SITES, User


class AccountStore:
    """Accounts and sessions of the hub. What happens to a session is an event of the hub's stream."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def account(self, username: str) -> StoredAccount | None:
        """The account that may sign in under `username`."""
        async with self._database.session() as session:
            row = await service.by_username(session, username)
        return StoredAccount(user_of(row), row.password_hash) if row and row.active else None

    async def open(self, session: StoredSession, user: User) -> None:
        """Keep a new session."""
        row = SessionRow(
            token_hash=session.token_hash,
            account=session.account,
            opened_at=_moment(session.opened_at),
            seen_at=_moment(session.seen_at),
            address=session.address,
        )
        async with self._database.session(writes=True) as store:
            store.add(row)
            data = SessionOpened(username=user.username, role=user.role, address=session.address)
            await stream.record(await connection(store), "session.opened", user.id, data, site=_site_of(user))

    async def find(self, token_hash: str) -> tuple[StoredSession, User] | None:
        """The session and its account as it is now."""
        joined = select(SessionRow, AccountRow).where(
            SessionRow.token_hash == token_hash, SessionRow.account == AccountRow.id, AccountRow.active
        )
        async with self._database.session() as session:
            found = (await session.exec(joined)).first()
        if found is None:
            return None
        row, account = found
        opened, seen = _ms(row.opened_at), _ms(row.seen_at)
        return StoredSession(row.token_hash, row.account, opened, seen, row.address), user_of(account)

    async def seen(self, token_hash: str, at: int) -> None:
        """Note that the session was used."""
        async with self._database.session() as session:
            await service.note_use(session, token_hash, _moment(at))

    async def close(self, session: StoredSession, user: User) -> None:
        """Forget the session."""
        async with self._database.session(writes=True) as store:
            row = await store.get(SessionRow, session.token_hash)
            if row is None:
                return
            await store.delete(row)
            data = SessionOpened(username=user.username, role=user.role, address=session.address)
            await stream.record(await connection(store), "session.closed", user.id, data, site=_site_of(user))

    async def refused(self, username: str, address: str, why: str) -> None:
        """Record a sign-in that failed."""
        data = SessionRefused(username=username, address=address, why=why)
        async with self._database.transaction(writes=True) as conn:
            await stream.record(conn, "session.refused", username, data)


def _site_of(user: User) -> str | None:
    return user.sites[0] if len(user.sites) == 1 and user.sites[0] != ALL_SITES else None


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
