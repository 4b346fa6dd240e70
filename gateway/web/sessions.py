"""Accounts that the hub sent down, and the sessions opened here: kept in the journal, a restart ends no shift."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping

import msgspec

from contract.desired import Account
from contract.instants import milliseconds
from contract.kinds import SessionOpened, SessionRefused
from gateway.clock import Clock
from gateway.engine.record import Facts, Record
from gateway.web.served import People
from web.session import StoredAccount, StoredSession
from web.users import User

SESSIONS_LIMIT = 500
"""Sessions of one gateway at the most; the one used longest ago gives way."""


class _Kept(msgspec.Struct, frozen=True):
    """A session as the journal's state holds it. Instants in Unix ms; `password`: which one it was opened with."""

    account: str
    opened_at: int
    seen_at: int
    address: str
    password: str = ""


class HeldSessions:
    """As `web.session.SessionStore`: the hub's accounts, this gateway's own sessions."""

    def __init__(self, people: People, record: Record, clock: Clock, *, site: str, gateway: str) -> None:
        self._people = people
        self._record = record
        self._clock = clock
        self._site = site
        self._gateway = gateway
        self._sessions: OrderedDict[str, StoredSession] = OrderedDict()
        self._opened_with: dict[str, str] = {}
        self._remember(record.load_state("session", _Kept, self._remember))

    async def account(self, username: str) -> StoredAccount | None:
        """The account that may sign in now under `username` (lower case), or None."""
        account = self._people.accounts.get(username)
        if account is None or not self._valid(account):
            return None
        return StoredAccount(self._user(account), account.password_hash)

    async def open(self, session: StoredSession, user: User) -> None:
        """Keep a new session; record `session.opened`."""
        facts = Facts()
        facts.say("session.opened", self._gateway, _opened(user, session.address))
        while len(self._sessions) >= SESSIONS_LIMIT:
            oldest, _ = self._sessions.popitem(last=False)
            self._opened_with.pop(oldest, None)
            facts.keep("session", oldest, None)
        account = self._by_id(user.id)
        self._opened_with[session.token_hash] = "" if account is None else _password(account)
        self._keep(session, facts)
        await self._record.append(facts)

    async def find(self, token_hash: str) -> tuple[StoredSession, User] | None:
        """The session and its account as it is now; None if either is gone, may no longer sign in, or has another
        password since."""
        session = self._sessions.get(token_hash)
        if session is None:
            return None
        account = self._by_id(session.account)
        if account is None or not self._valid(account) or self._opened_with.get(token_hash) != _password(account):
            return None
        return session, self._user(account)

    async def seen(self, token_hash: str, at: int) -> None:
        """Note that the session was used."""
        session = self._sessions.get(token_hash)
        if session is None:
            return
        facts = Facts()
        self._keep(session._replace(seen_at=at), facts)
        await self._record.append(facts)

    async def close(self, session: StoredSession, user: User) -> None:
        """Forget the session; record `session.closed`."""
        if self._sessions.pop(session.token_hash, None) is None:
            return
        self._opened_with.pop(session.token_hash, None)
        facts = Facts()
        facts.say("session.closed", self._gateway, _opened(user, session.address))
        facts.keep("session", session.token_hash, None)
        await self._record.append(facts)

    async def refused(self, username: str, address: str, why: str) -> None:
        """Record `session.refused`."""
        facts = Facts()
        facts.say("session.refused", self._gateway, SessionRefused(username=username, address=address, why=why))
        await self._record.append(facts)

    def _remember(self, found: Mapping[str, _Kept]) -> None:
        """What is found late was used before all that was opened since."""
        since, self._sessions = self._sessions, OrderedDict()
        for token_hash, kept in found.items():
            self._sessions[token_hash] = StoredSession(
                token_hash, kept.account, kept.opened_at, kept.seen_at, kept.address
            )
            self._opened_with[token_hash] = kept.password
        self._sessions |= since

    def _keep(self, session: StoredSession, facts: Facts) -> None:
        self._sessions[session.token_hash] = session
        self._sessions.move_to_end(session.token_hash)
        opened_with = self._opened_with.get(session.token_hash, "")
        kept = _Kept(session.account, session.opened_at, session.seen_at, session.address, opened_with)
        facts.keep("session", session.token_hash, kept)

    def _by_id(self, account: str) -> Account | None:
        return next((each for each in self._people.accounts.values() if each.id == account), None)

    def _valid(self, account: Account) -> bool:
        return self._clock.wall_ms() < milliseconds(account.expires_at)

    def _user(self, account: Account) -> User:
        return User(
            id=account.id,
            username=account.username,
            name=account.name,
            role=account.role,
            language=account.language,
            sites=(self._site,),
        )


def _password(account: Account) -> str:
    """Tells one password of an account from the next: enough of the hash of what is kept of it."""
    return hashlib.sha256(account.password_hash.encode()).hexdigest()[:16]


def _opened(user: User, address: str) -> SessionOpened:
    return SessionOpened(username=user.username, role=user.role, address=address)
