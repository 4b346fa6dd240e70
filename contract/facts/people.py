"""What signed-in people do at either server: sessions, locks, what they read, what they were refused."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from contract.commands import Person
from contract.limits import (
    Id,
    Words,
)


class SessionOpened(msgspec.Struct, frozen=True, kw_only=True):
    """`session.opened`, `session.closed`: a person signed in or out. `by`: who ended it, if it was no sign-out.

    `device`: what it was opened with, in words.
    """

    username: Id
    role: Id
    address: Id = ""
    device: Id = ""
    by: Person | None = None


class SessionRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in failed."""

    username: Id
    address: Id = ""
    why: Words = ""


class AccountLocked(msgspec.Struct, frozen=True, kw_only=True):
    """`account.locked`, `account.unlocked`: an account may not sign in at this gateway (again). `lock`: its UUID.

    `by` is None where the hub's word lifted it.
    """

    lock: Id
    account: Id
    username: Id
    by: Person | None = None
    reason: Words = ""


class WritesRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in person asked for more than `share` changes of a noun in a minute. At most one event a minute."""

    by: Person
    noun: Id
    share: int
    address: Id = ""


ReadWhat = Literal["pin", "holders", "credentials", "blocks", "pictures", "changes", "export"]
"""Personal data that is looked at: `pin`, that somebody had one shown; `export`, that a file was made."""


class RecordsRead(msgspec.Struct, frozen=True, kw_only=True):
    """`records.read`: a person looked at personal data, `times` within a minute. `records`: how many answers held.

    `ids`: of single ones that were asked for by name, the first of them.
    """

    by: Person
    what: ReadWhat
    times: int
    records: int
    ids: Annotated[list[Id], msgspec.Meta(max_length=50)] = []
    address: Id = ""


class RequestRefused(msgspec.Struct, frozen=True, kw_only=True):
    """`request.refused`: a signed-in person asked for what is not theirs, `times` within a minute.

    `request`: method and route, without what was asked for.
    """

    by: Person
    request: Words
    times: int
    address: Id = ""
