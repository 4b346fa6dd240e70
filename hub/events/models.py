"""Table of the history."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Identity, Index, LargeBinary, Text, text
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class EventRow(Table, table=True):
    """One event. `data` has type json, which keeps the text as it came: the chain is verified over it.

    `failed`: why a projection could not use it, None when all did. `redacted_by`: the event that says that the numbers
    in it were taken out (`hub.events.redacting`).
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("uq_events_stream_seq", "stream", "seq", unique=True),
        Index(None, "site", "id"),
        Index(None, "kind", "id"),
        Index(None, "source", "id"),
        Index("ix_events_denied", "site", "at", postgresql_where=text("kind = 'access.denied'")),
        Index(
            "ix_events_devices",
            "site",
            "source",
            "id",
            postgresql_where=text("kind IN ('device.lost', 'device.found')"),
        ),
        Index("ix_events_failed", "id", postgresql_where=text("failed IS NOT NULL")),
        Index(
            "ix_events_personal",
            "received_at",
            postgresql_where=text(
                "redacted_by IS NULL AND kind IN ('access.denied', 'access.granted', 'car.arrived', 'car.left',"
                " 'command.done', 'command.failed', 'passage.made', 'plate.seen')"
            ),
        ),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    site: str | None = Field(default=None, max_length=64)
    gateway: str | None = Field(default=None, max_length=64)
    stream: str = Field(max_length=32)
    seq: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    received_at: datetime = Field(sa_type=Moment)
    kind: str = Field(max_length=64)
    source: str = Field(max_length=128)
    clock: str = Field(max_length=8)
    data: object = Field(sa_column=Column(JSON, nullable=False))
    hash: bytes = Field(sa_type=LargeBinary)
    failed: str | None = Field(default=None, sa_type=Text)
    redacted_by: int | None = Field(default=None, sa_type=BigInteger)


class EventPlace(Table, table=True):
    """Another place of an event that has one row: where it was first recorded, or where it came again after a fork.

    `chained`: the stream's head moved over this place, so that its chain runs through it.
    """

    __tablename__ = "event_places"

    stream: str = Field(primary_key=True, max_length=32)
    seq: int = Field(sa_type=BigInteger, primary_key=True)
    hash: bytes = Field(sa_type=LargeBinary, primary_key=True)
    event: int = Field(sa_type=BigInteger, index=True)
    chained: bool
