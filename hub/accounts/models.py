"""Tables of accounts, sessions, second factors and locks."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import JSON, BigInteger, Column
from sqlmodel import Field

from hub.database.transactions import Moment, Table
from hub.database.versions import Edited


class AccountRow(Edited, table=True):
    """A person who may sign in. `username` is in lower case. `sites`: ids, or `["*"]`.

    `copies_until`: until when the copies at the gateways are good. `signed_in_at`: the last time, here or at a gateway.
    `lifted`: locks set at gateways that hold no longer.
    """

    __tablename__ = "accounts"
    QUIET: ClassVar[frozenset[str]] = frozenset({"copies_until", "signed_in_at"})

    id: str = Field(primary_key=True, max_length=64)
    username: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=100)
    role: str = Field(max_length=16)
    language: str = Field(default="zh", max_length=2)
    sites: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    password_hash: str = Field(max_length=255)
    active: bool = True
    created_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    copies_until: datetime = Field(sa_type=Moment)
    signed_in_at: datetime | None = Field(default=None, sa_type=Moment)
    lifted: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class SessionRow(Table, table=True):
    """An open session; the token itself is not kept. Others as in `web.session.sessions.StoredSession`."""

    __tablename__ = "sessions"

    token_hash: str = Field(primary_key=True, max_length=64)
    account: str = Field(foreign_key="accounts.id", ondelete="CASCADE", index=True, max_length=64)
    opened_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    address: str = Field(max_length=64)
    device: str = Field(default="", max_length=40)
    proven_at: datetime = Field(sa_type=Moment)
    weak: bool = False


class SecondFactorRow(Table, table=True):
    """The second factor of an account. The secret is not kept: it follows from the hub's key and `salt`.

    `salt`: "" until the first code was right. `pending`: the salt of one that is being set up. `last_step`: the time
    step of the last code taken. `recovery`: digests of the recovery codes that are left.
    """

    __tablename__ = "second_factors"

    account: str = Field(primary_key=True, foreign_key="accounts.id", ondelete="CASCADE", max_length=64)
    salt: str = Field(default="", max_length=64)
    pending: str = Field(default="", max_length=64)
    since: datetime | None = Field(default=None, sa_type=Moment)
    last_step: int = Field(default=0, sa_type=BigInteger)
    recovery: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class AccountLockRow(Table, table=True):
    """A lock that somebody set at a gateway. `by`: {id, name, role}."""

    __tablename__ = "account_locks"

    lock: str = Field(primary_key=True, max_length=64)
    account: str = Field(foreign_key="accounts.id", ondelete="CASCADE", index=True, max_length=64)
    site: str = Field(max_length=64)
    by: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    reason: str = Field(default="", max_length=500)
    at: datetime = Field(sa_type=Moment)
    lifted_at: datetime | None = Field(default=None, sa_type=Moment)
