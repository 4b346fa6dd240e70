"""Table of the alarms."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, Index, SmallInteger, String
from sqlmodel import Field

from contract.facts.alarms import Severity
from contract.readings import Value
from hub.database.transactions import Moment, Table
from rules.alarms.rule import AlarmState


class AlarmRow(Table, table=True):
    """One episode of one cause. `rank`: its place in lists, by state and then severity, the most urgent lowest."""

    __tablename__ = "alarms"
    __table_args__ = (
        Index(None, "rank", "raised_at"),
        Index(None, "site", "rank", "raised_at"),
        Index(None, "raised_at"),
        Index(None, "site", "raised_at"),
    )

    id: str = Field(primary_key=True, max_length=64)
    site: str = Field(max_length=64)
    gateway: str = Field(max_length=64)
    rule: str = Field(max_length=200)
    source: str = Field(max_length=128)
    asset: str = Field(max_length=200)
    severity: Severity = Field(sa_type=String(8))
    state: AlarmState = Field(sa_type=String(12))
    rank: int = Field(sa_type=SmallInteger)
    message: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    response: dict[str, str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    values: dict[str, Value] = Field(sa_column=Column("values", JSON, nullable=False))
    raised_at: datetime = Field(sa_type=Moment)
    cleared_at: datetime | None = Field(default=None, sa_type=Moment)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Moment)
    acknowledged_by: dict[str, str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    shelved_until: datetime | None = Field(default=None, sa_type=Moment)
    note: str = Field(default="", max_length=500)
