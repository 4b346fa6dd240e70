"""Tables of the desired state."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class DesiredRevision(Table, table=True):
    """The newest revision of one site's desired state. `floor`: no delta builds on an older one."""

    __tablename__ = "desired_revisions"

    site: str = Field(primary_key=True, max_length=64)
    revision: int = Field(sa_type=BigInteger)
    floor: int = Field(default=0, sa_type=BigInteger)


class DesiredItem(Table, table=True):
    """One item as it stands; a removed one stays as a row without value: any older revision can be caught up."""

    __tablename__ = "desired_items"
    __table_args__ = (Index(None, "site", "revision"),)

    site: str = Field(primary_key=True, max_length=64)
    kind: str = Field(primary_key=True, max_length=64)
    id: str = Field(primary_key=True, max_length=128)
    value: object = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    revision: int = Field(sa_type=BigInteger)
    changed_at: datetime = Field(sa_type=Moment)
