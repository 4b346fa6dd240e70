"""Tables of what is known about each sender's streams."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class Stream(Table, table=True):
    """One journal's stream and how far it is held. The hub's own stream has no gateway.

    `forked_to`: the stream that goes on where this one ended; from then on it takes nothing more.
    """

    __tablename__ = "streams"
    __table_args__ = (
        Index("uq_streams_own", text("(gateway IS NULL)"), unique=True, postgresql_where=text("gateway IS NULL")),
    )

    id: str = Field(primary_key=True, max_length=32)
    gateway: str | None = Field(default=None, max_length=64, index=True)
    site: str | None = Field(default=None, max_length=64)
    head_seq: int = Field(sa_type=BigInteger)
    head_hash: bytes = Field(sa_type=LargeBinary)
    started_at: datetime = Field(sa_type=Moment)
    forked_to: str | None = Field(default=None, max_length=32)


class ReadingStore(Table, table=True):
    """One gateway's store of readings: `seq` is the last blob held, `skipped` how many were never had."""

    __tablename__ = "reading_stores"

    id: str = Field(primary_key=True, max_length=32)
    gateway: str = Field(max_length=64, index=True)
    seq: int = Field(sa_type=BigInteger)
    skipped: int = Field(default=0, sa_type=BigInteger)
    started_at: datetime = Field(sa_type=Moment)
