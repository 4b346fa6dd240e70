"""What is kept of accounts that may sign in and of their sessions, and what its keeper must be able to do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from contract.commands import Person
from web.users import User


class StoredAccount(NamedTuple):
    """What is kept of an account that may sign in. `second_factor`: which one it has; empty: the password is enough."""

    user: User
    password_hash: str
    second_factor: str = ""


class StoredSession(NamedTuple):
    """What is kept of a session. Times in Unix milliseconds; the token itself is not kept.

    `device`: what it was opened with, in words. `proven_at`: when its person last gave the password. `weak`: that
    password would not be taken as a new one.
    """

    token_hash: str
    account: str
    opened_at: int
    seen_at: int
    address: str
    device: str = ""
    proven_at: int = 0
    weak: bool = False

    @property
    def id(self) -> str:
        """Its public name: enough of the hash to tell it from others, and of no use to open it."""
        return self.token_hash[:16]


class SessionStore(Protocol):
    """Where a server keeps accounts and sessions, and records who came and went."""

    async def account(self, username: str) -> StoredAccount | None:
        """The account that may sign in now under `username` (lower case), or None."""

    async def takes_code(self, account: str, code: str, at: int) -> bool:
        """Whether `code` is the account's second factor at that moment; it is used up by the asking."""

    async def open(self, session: StoredSession, account: StoredAccount) -> bool:
        """Keep a new session and record `session.opened`; not if the account's password is another one by now than the
        one that was checked. Whether it is kept."""

    async def find(self, token_hash: str) -> tuple[StoredSession, User] | None:
        """The session and its account as it is now; None if either is gone or may no longer sign in."""

    async def of_account(self, account: str) -> Sequence[StoredSession]:
        """The account's sessions."""

    async def seen(self, token_hash: str, at: int) -> None:
        """Note that the session was used."""

    async def proven(self, token_hash: str, at: int) -> None:
        """Note that the session's person gave their password."""

    async def close(self, session: StoredSession, user: User, by: Person | None = None) -> None:
        """Forget the session; record `session.closed`. `by`: who ended it, if its own person did not sign out."""

    async def refused(self, username: str, address: str, why: str) -> None:
        """Record `session.refused`."""

    async def slowed(self, user: User, address: str, noun: str, share: int) -> None:
        """Record `writes.refused`: the account asked for more than its share of changes in a minute."""
