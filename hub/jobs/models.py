"""Table of jobs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class JobRow(Table, table=True):
    """A job that waits, runs or failed. `key`: "" for a standing one.

    `due_at`: when it is wanted, None while nobody wants it. `held_by`, `held_until`: who runs it, and until when that
    is believed without a sign of life; whoever has another `held_by` may not end it. `said`: why it comes again.
    `failures` one after the other, `error` of the last one; `failed_at`: since when it is not tried any more.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("name", "key"),
        Index("ix_jobs_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("ix_jobs_held_until", "held_until", postgresql_where=text("held_until IS NOT NULL")),
        Index("ix_jobs_failed_at", "failed_at", postgresql_where=text("failed_at IS NOT NULL")),
    )

    id: int = Field(sa_column=Column(BigInteger, Identity(always=False), primary_key=True))
    name: str = Field(max_length=64)
    key: str = Field(default="", max_length=128)
    data: object = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    due_at: datetime | None = Field(default=None, sa_type=Moment)
    held_by: str | None = Field(default=None, max_length=64)
    held_until: datetime | None = Field(default=None, sa_type=Moment)
    began_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    took_s: float | None = None
    said: str = Field(default="", max_length=500)
    failures: int = 0
    error: str = Field(default="", max_length=2000)
    failed_at: datetime | None = Field(default=None, sa_type=Moment)
