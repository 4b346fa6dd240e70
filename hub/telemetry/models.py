"""Tables of points and readings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, Identity, Integer, SmallInteger, Text, UniqueConstraint
from sqlmodel import Field

from contract.readings import Value
from hub.database.transactions import Moment, Table


class Point(Table, table=True):
    """A point: what the site's layout says of it, and its latest reading. Known from the first of the two."""

    __tablename__ = "points"
    __table_args__ = (UniqueConstraint("site", "id"),)

    key: int = Field(sa_column=Column(Integer, Identity(), primary_key=True))
    site: str = Field(max_length=64)
    id: str = Field(max_length=129)
    name: dict[str, str] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    type: str = Field(default="number", max_length=8)
    unit: str = Field(default="", max_length=32)
    labels: dict[str, dict[str, str]] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False, server_default="{}")
    )
    writable: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    described: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    value: Value = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    quality: int | None = Field(default=None, sa_type=SmallInteger)
    at: datetime | None = Field(default=None, sa_type=Moment)


class ReadingRow(Table, table=True):
    """One reading. A number or a flag (1, 0) stands in `value`, a text in `label`; a bad one has neither."""

    __tablename__ = "readings"
    __table_args__ = ({"postgresql_partition_by": "RANGE (at)"},)

    point: int = Field(sa_type=Integer, primary_key=True)
    at: datetime = Field(sa_type=Moment, primary_key=True)
    value: float | None = None
    label: str | None = Field(default=None, sa_type=Text)
    quality: int = Field(sa_type=SmallInteger)


class HourRow(Table, table=True):
    """The good numbers of one point in one hour."""

    __tablename__ = "readings_hourly"

    point: int = Field(sa_type=Integer, primary_key=True)
    hour: datetime = Field(sa_type=Moment, primary_key=True)
    count: int = Field(sa_type=Integer)
    sum: float
    min: float
    max: float
    first: float
    last: float
    first_at: datetime = Field(sa_type=Moment)
    last_at: datetime = Field(sa_type=Moment)


class DirtyHour(Table, table=True):
    """An hour that got readings since it was last summed."""

    __tablename__ = "readings_dirty"

    hour: datetime = Field(sa_type=Moment, primary_key=True)
    point: int = Field(sa_type=Integer, primary_key=True)
