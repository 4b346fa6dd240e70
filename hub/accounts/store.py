"""Where the hub keeps sessions: `web.session.sessions.SessionStore` over PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlmodel import select

from contract.commands import Person
from contract.facts.people import SessionOpened, SessionRefused, WritesRefused
from hub.accounts import second_factor, service
from hub.accounts.models import AccountRow, SecondFactorRow, SessionRow
from hub.accounts.schemas import user_of
from hub.database.transactions import Database, connection
from hub.events import stream
from web.moments import moment_of
from web.session.store import StoredAccount, StoredSession
from web.users import ALL_SITES, User


class AccountStore:
    """Accounts and sessions of the hub. What happens to a session is an event of the hub's stream.

    `key`: the hub's own, from which second factors follow.
    """

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self.key = key

    async def account(self, username: str) -> StoredAccount | None:
        """The account that may sign in under `username`."""
        async with self._database.session() as session:
            row = await service.by_username(session, username)
            factor = None if row is None else await session.get(SecondFactorRow, row.id)
        if row is None or not row.active:
            return None
        return StoredAccount(user_of(row), row.password_hash, "" if factor is None else factor.salt)

    async def takes_code(self, account: str, code: str, at: int) -> bool:
        """Whether `code` is the account's second factor now; it is used up."""
        async with self._database.session(writes=True) as session:
            row = await session.get(AccountRow, account)
            return row is not None and await second_factor.take(session, self.key, row, code, at)

    async def open(self, session: StoredSession, account: StoredAccount) -> bool:
        """Keep a new session, unless its account is another one by now than was checked; whether it is kept."""
        user = account.user
        row = SessionRow(
            token_hash=session.token_hash,
            account=session.account,
            opened_at=moment_of(session.opened_at),
            seen_at=moment_of(session.seen_at),
            address=session.address,
            device=session.device,
            proven_at=moment_of(session.proven_at),
            weak=session.weak,
        )
        async with self._database.session(writes=True) as store:
            # Checking a password takes long. Whoever changed it meanwhile ended every session that there was.
            now = await store.get(AccountRow, session.account)
            if now is None or not now.active or now.password_hash != account.password_hash:
                return False
            factor = await store.get(SecondFactorRow, session.account)
            if ("" if factor is None else factor.salt) != account.second_factor:
                return False
            store.add(row)
            opened = moment_of(session.opened_at)
            await service.signed_in(store, now, opened, opened)
            data = _of(session, user)
            await stream.record(await connection(store), "session.opened", user.id, data, site=_site_of(user))
        return True

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
        return _stored(row), user_of(account)

    async def of_account(self, account: str) -> Sequence[StoredSession]:
        """The account's sessions."""
        async with self._database.session() as session:
            rows = (await session.exec(select(SessionRow).where(SessionRow.account == account))).all()
        return [_stored(row) for row in rows]

    async def seen(self, token_hash: str, at: int) -> None:
        """Note that the session was used."""
        async with self._database.session() as session:
            await service.note_use(session, token_hash, moment_of(at))

    async def proven(self, token_hash: str, at: int) -> None:
        """Note that the session's person gave their password."""
        async with self._database.session() as session:
            await service.note_proof(session, token_hash, moment_of(at))

    async def close(self, session: StoredSession, user: User, by: Person | None = None) -> None:
        """Forget the session."""
        async with self._database.session(writes=True) as store:
            row = await store.get(SessionRow, session.token_hash)
            if row is None:
                return
            await store.delete(row)
            data = _of(session, user, by)
            await stream.record(await connection(store), "session.closed", user.id, data, site=_site_of(user))

    async def refused(self, username: str, address: str, why: str) -> None:
        """Record a sign-in that failed."""
        data = SessionRefused(username=username, address=address, why=why)
        async with self._database.transaction(writes=True) as conn:
            await stream.record(conn, "session.refused", username, data)

    async def slowed(self, user: User, address: str, noun: str, share: int) -> None:
        """Record that an account asked for too much."""
        data = WritesRefused(by=user.person(), noun=noun, share=share, address=address)
        async with self._database.transaction(writes=True) as conn:
            await stream.record(conn, "writes.refused", user.id, data, site=_site_of(user))


def _of(session: StoredSession, user: User, by: Person | None = None) -> SessionOpened:
    return SessionOpened(username=user.username, role=user.role, address=session.address, device=session.device, by=by)


def _stored(row: SessionRow) -> StoredSession:
    return StoredSession(
        token_hash=row.token_hash,
        account=row.account,
        opened_at=_ms(row.opened_at),
        seen_at=_ms(row.seen_at),
        address=row.address,
        device=row.device,
        proven_at=_ms(row.proven_at),
        weak=row.weak,
    )


def _site_of(user: User) -> str | None:
    return user.sites[0] if len(user.sites) == 1 and user.sites[0] != ALL_SITES else None


def _ms(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1000)
