"""Accounts that the hub sent down, and the sessions opened here: kept in the journal, a restart ends no shift.

Beside them stand two things of the gateway's own: locks, which somebody sets here on an account and the hub's word, or
somebody of a higher role here, lifts; and the sealed account (`gateway.break_glass.account`). A copy has no second
factor: who has one has no copy.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

import msgspec

from contract.commands import Person
from contract.desired import Account
from contract.facts.gateway import BreakGlassRenewed
from contract.facts.people import AccountLocked, SessionOpened, SessionRefused, WritesRefused
from contract.instants import instant, milliseconds
from gateway.break_glass.account import Seal, Sealed
from gateway.clock import Clock
from gateway.engine.desk.record import Facts, Record
from gateway.journal import Recorded
from gateway.web.served import People
from web.session.store import StoredAccount, StoredSession
from web.users import SEALED, User

SESSIONS_LIMIT = 500
"""Sessions of one gateway at the most; the one used longest ago gives way."""


class _Kept(msgspec.Struct, frozen=True):
    """A session as the journal's state holds it. Instants in Unix ms; `password`: which one it was opened with."""

    account: str
    opened_at: int
    seen_at: int
    address: str
    password: str = ""
    device: str = ""
    proven_at: int = 0
    weak: bool = False


class _Made(msgspec.Struct, frozen=True):
    """The sealed account that was recorded last. Unix ms."""

    made_at: int


class Lock(msgspec.Struct, frozen=True):
    """Somebody locked an account here. `at`: Unix ms."""

    lock: str
    by: Person
    at: int
    reason: str


class HeldSessions:
    """A `web.session.sessions.SessionStore`: the hub's accounts, the sessions of this gateway, locks, sealed account.

    `locked` is called with whether any account that is held here is locked.
    """

    def __init__(
        self,
        people: People,
        record: Record,
        clock: Clock,
        sealed: Sealed,
        *,
        site: str,
        gateway: str,
        locked: Callable[[bool], None],
    ) -> None:
        self._people = people
        self._record = record
        self._clock = clock
        self._sealed = sealed
        self._site = site
        self._gateway = gateway
        self._locked = locked
        self._sessions: OrderedDict[str, StoredSession] = OrderedDict()
        self._opened_with: dict[str, str] = {}
        self._locks: dict[str, Lock] = {}
        self._recording: set[asyncio.Task[None]] = set()
        self._ended: set[str] = set()
        """Accounts that were locked since the start: what the disk brings late of their sessions has ended."""
        self._lock_late(record.load_state("account-lock", Lock, self._lock_late))
        self._remember(record.load_state("session", _Kept, self._remember))
        people.watch_put(self._say_locks)
        sealed.on_renewed = self._seal_renewed
        self._seal_late(record.load_state("seal", _Made, self._seal_late))

    async def account(self, username: str) -> StoredAccount | None:
        """The account that may sign in now under `username` (lower case), or None."""
        if username == SEALED:
            seal = await self._sealed.current()
            return None if seal is None else StoredAccount(self._sealed_user(), seal.password_hash)
        account = self._people.accounts.get(username)
        if account is None or not self._valid(account):
            return None
        return StoredAccount(self._user(account), account.password_hash)

    async def takes_code(self, account: str, code: str, at: int) -> bool:
        """Nobody here has a second factor."""
        return False

    async def open(self, session: StoredSession, account: StoredAccount) -> bool:
        """Keep a new session and record `session.opened`, unless the account has another password by now."""
        user = account.user
        held = self._held(user.id)
        if held is None or held[0].password_hash != account.password_hash:
            return False
        facts = Facts()
        facts.say("session.opened", self._gateway, _opened(session, user))
        while len(self._sessions) >= SESSIONS_LIMIT:
            oldest, _ = self._sessions.popitem(last=False)
            self._opened_with.pop(oldest, None)
            facts.keep("session", oldest, None)
        self._opened_with[session.token_hash] = _password(held[0])
        self._keep(session, facts)
        await self._record.append(facts)
        if user.id == SEALED:
            await self._sealed.used()
        return True

    async def find(self, token_hash: str) -> tuple[StoredSession, User] | None:
        """The session and its account as it is now; None if either is gone, may no longer sign in, or has another
        password since."""
        session = self._sessions.get(token_hash)
        if session is None:
            return None
        held = self._held(session.account)
        if held is None or self._opened_with.get(token_hash) != _password(held[0]):
            return None
        return session, held[1]

    async def of_account(self, account: str) -> Sequence[StoredSession]:
        """The account's sessions."""
        return [session for session in self._sessions.values() if session.account == account]

    async def seen(self, token_hash: str, at: int) -> None:
        """Note that the session was used."""
        await self._change(token_hash, lambda session: session._replace(seen_at=at))

    async def proven(self, token_hash: str, at: int) -> None:
        """Note that the session's person gave their password."""
        await self._change(token_hash, lambda session: session._replace(proven_at=at))

    async def close(self, session: StoredSession, user: User, by: Person | None = None) -> None:
        """Forget the session; record `session.closed`."""
        if self._sessions.pop(session.token_hash, None) is None:
            return
        self._opened_with.pop(session.token_hash, None)
        facts = Facts()
        facts.say("session.closed", self._gateway, _opened(session, user, by))
        facts.keep("session", session.token_hash, None)
        await self._record.append(facts)

    async def refused(self, username: str, address: str, why: str) -> None:
        """Record `session.refused`."""
        facts = Facts()
        facts.say("session.refused", self._gateway, SessionRefused(username=username, address=address, why=why))
        await self._record.append(facts)

    async def slowed(self, user: User, address: str, noun: str, share: int) -> None:
        """Record `writes.refused`."""
        facts = Facts()
        data = WritesRefused(by=user.person(), noun=noun, share=share, address=address)
        facts.say("writes.refused", self._gateway, data)
        await self._record.append(facts)

    # --- Locks

    async def lock(self, account: Account, by: Person, reason: str) -> None:
        """Nobody signs in here as `account` any more, and what was opened with it ends for good."""
        if self.lock_of(account) is not None:
            return
        lock = Lock(str(uuid4()), by, self._clock.wall_ms(), reason)
        self._locks[account.id] = lock
        self._ended.add(account.id)
        facts = Facts()
        facts.say("account.locked", self._gateway, _locked(lock, account, by))
        facts.keep("account-lock", account.id, lock)
        for session in await self.of_account(account.id):
            self._forget(session.token_hash, facts)
            facts.say("session.closed", self._gateway, _opened(session, self._user(account), by))
        recording = self._record.append(facts)
        self._say_locks()
        await recording

    async def unlock(self, account: Account, by: Person) -> None:
        """The lock that holds is lifted here; nothing if there is none."""
        lock = self.lock_of(account)
        if lock is not None:
            await self._lift(lock, account, by)

    def lock_of(self, account: Account) -> Lock | None:
        """The lock that holds, if there is one."""
        lock = self._locks.get(account.id)
        if lock is None or lock.lock not in account.lifted:
            return lock
        self._lift(lock, account, None)
        return None

    # --- Inside

    def _lift(self, lock: Lock, account: Account, by: Person | None) -> asyncio.Future[list[Recorded]]:
        del self._locks[account.id]
        facts = Facts()
        facts.say("account.unlocked", self._gateway, _locked(lock, account, by))
        facts.keep("account-lock", account.id, None)
        recording = self._record.append(facts)
        self._say_locks()
        return recording

    def _say_locks(self) -> None:
        self._locked(any(self.lock_of(account) is not None for account in list(self._people.accounts.values())))

    async def _seal_renewed(self, seal: Seal, by: Person | None) -> None:
        facts = Facts()
        facts.say("break_glass.renewed", self._gateway, BreakGlassRenewed(made_at=instant(seal.made_at), by=by))
        facts.keep("seal", "made", _Made(seal.made_at))
        await self._record.append(facts)

    def _seal_late(self, found: Mapping[str, _Made]) -> None:
        """One that was made while the gateway stood still is recorded too."""
        seal = self._sealed.seal
        if seal is None or not self._record.state_known or found.get("made") == _Made(seal.made_at):
            return
        task = asyncio.get_running_loop().create_task(self._seal_renewed(seal, None))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    def _forget(self, token_hash: str, facts: Facts) -> None:
        del self._sessions[token_hash]
        self._opened_with.pop(token_hash, None)
        facts.keep("session", token_hash, None)

    def _remember(self, found: Mapping[str, _Kept]) -> None:
        """What is found late was used before all that was opened since. What a lock has ended stays ended."""
        since, self._sessions = self._sessions, OrderedDict()
        facts = Facts()
        for token_hash, kept in found.items():
            if kept.account in self._ended:
                facts.keep("session", token_hash, None)
                continue
            self._sessions[token_hash] = StoredSession(
                token_hash,
                kept.account,
                kept.opened_at,
                kept.seen_at,
                kept.address,
                kept.device,
                kept.proven_at,
                kept.weak,
            )
            self._opened_with[token_hash] = kept.password
        self._sessions |= since
        self._end_locked(facts)

    def _lock_late(self, found: Mapping[str, Lock]) -> None:
        """A lock that the disk brings late holds from then on, but for one that was set since."""
        self._locks = {**found, **self._locks}
        self._end_locked(Facts())
        self._say_locks()

    def _end_locked(self, facts: Facts) -> None:
        for token_hash, session in list(self._sessions.items()):
            if session.account in self._locks:
                self._forget(token_hash, facts)
        if facts:
            self._record.append(facts)

    async def _change(self, token_hash: str, changed: Callable[[StoredSession], StoredSession]) -> None:
        session = self._sessions.get(token_hash)
        if session is None:
            return
        facts = Facts()
        self._keep(changed(session), facts)
        await self._record.append(facts)

    def _keep(self, session: StoredSession, facts: Facts) -> None:
        self._sessions[session.token_hash] = session
        self._sessions.move_to_end(session.token_hash)
        kept = _Kept(
            session.account,
            session.opened_at,
            session.seen_at,
            session.address,
            self._opened_with.get(session.token_hash, ""),
            session.device,
            session.proven_at,
            session.weak,
        )
        facts.keep("session", session.token_hash, kept)

    def _held(self, account_id: str) -> tuple[Account | Seal, User] | None:
        """What may be signed in with now under that id, and as whom."""
        if account_id == SEALED:
            seal = self._sealed.seal
            return (seal, self._sealed_user()) if seal is not None and self._sealed.opens else None
        account = next((each for each in self._people.accounts.values() if each.id == account_id), None)
        return None if account is None or not self._valid(account) else (account, self._user(account))

    def _valid(self, account: Account) -> bool:
        return self._clock.wall_ms() < milliseconds(account.expires_at) and self.lock_of(account) is None

    def _user(self, account: Account) -> User:
        return User(
            id=account.id,
            username=account.username,
            name=account.name,
            role=account.role,
            language=account.language,
            sites=(self._site,),
        )

    def _sealed_user(self) -> User:
        return User(id=SEALED, username=SEALED, name="应急账号", role="admin", sites=(self._site,))


def _password(held: Account | Seal) -> str:
    """Tells one password of an account from the next: enough of the hash of what is kept of it."""
    return hashlib.sha256(held.password_hash.encode()).hexdigest()[:16]


def _opened(session: StoredSession, user: User, by: Person | None = None) -> SessionOpened:
    return SessionOpened(username=user.username, role=user.role, address=session.address, device=session.device, by=by)


def _locked(lock: Lock, account: Account, by: Person | None) -> AccountLocked:
    return AccountLocked(lock=lock.lock, account=account.id, username=account.username, by=by, reason=lock.reason)
