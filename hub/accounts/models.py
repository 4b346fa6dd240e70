"""Tables of accounts and sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field

from hub.db import Moment, Table


class AccountRow(Table, table=True):
    """A person who may sign in. `username` is in lower case. `sites`: ids, or `["*"]`.

    `copies_until`: until when the copies at the gateways are good.
    """

    __tablename__ = "accounts"

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


class SessionRow(Table, table=True):
    """An open session; the token itself is not kept."""

    __tablename__ = "sessions"

    token_hash: str = Field(primary_key=True, max_length=64)
    account: str = Field(foreign_key="accounts.id", ondelete="CASCADE", index=True, max_length=64)
    opened_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)
    address: str = Field(max_length=64)
