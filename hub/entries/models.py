"""Table of the entries."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, SmallInteger, text
from sqlmodel import Field

from hub.database.transactions import Moment, Table

USUAL = "granted"
"""The outcome of nearly all: others have an index of their own, by which a page of them is found at once."""


class EntryRow(Table, table=True):
    """One entry: the event of a decision, of a read that is not of now, or of an opening by hand.

    `plate`: normal form; `plate_key`: by what it is found (`rules.access.values.plate_key`). `number`: of a card. Both
    go when their time is over, as in the event. `holder`: an id, never a name: people can be erased.
    """

    __tablename__ = "entries"
    __table_args__ = (
        Index("ix_entries_site_at", "site", "at", "event"),
        Index("ix_entries_source_at", "site", "source", "at", "event"),
        Index("ix_entries_traveller_at", "site", "traveller", "at", "event"),
        Index("ix_entries_rare", "site", "outcome", "at", "event", postgresql_where=text(f"outcome <> '{USUAL}'")),
        Index("ix_entries_holder_at", "site", "holder", "at", "event", postgresql_where=text("holder IS NOT NULL")),
        Index(
            "ix_entries_plate_part",
            "plate_key",
            postgresql_using="gin",
            postgresql_ops={"plate_key": "gin_trgm_ops"},
            postgresql_where=text("plate_key IS NOT NULL"),
        ),
        Index(
            "ix_entries_plate",
            "plate_key",
            postgresql_ops={"plate_key": "text_pattern_ops"},
            postgresql_where=text("plate_key IS NOT NULL"),
        ),
        Index("ix_entries_number", "number", postgresql_where=text("number IS NOT NULL")),
    )

    event: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    site: str = Field(max_length=64)
    at: datetime = Field(sa_type=Moment)
    source: str = Field(max_length=128)
    outcome: str = Field(max_length=16)
    traveller: str = Field(max_length=8)
    direction: str | None = Field(default=None, max_length=4)
    credential: str | None = Field(default=None, max_length=8)
    plate: str | None = Field(default=None, max_length=256)
    plate_key: str | None = Field(default=None, max_length=256)
    number: str | None = Field(default=None, max_length=256)
    holder: str | None = Field(default=None, max_length=256)
    code: str = Field(default="", max_length=256)
    passed_at: datetime | None = Field(default=None, sa_type=Moment)
    picture: str | None = Field(default=None, max_length=256)
    account: str | None = Field(default=None, max_length=256)


class EntryFill(Table, table=True):
    """Which events are in it: of those of before it, all but the ids of `upto` and below.

    `mark`: above it a hub of before may have recorded some that are in no entry.
    """

    __tablename__ = "entries_fill"

    one: int = Field(default=1, sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    upto: int = Field(sa_column=Column(BigInteger, nullable=False))
    mark: int = Field(sa_column=Column(BigInteger, nullable=False))
