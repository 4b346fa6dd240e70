"""Tables of meter registers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field

from hub.database.transactions import Moment, Table


class Meter(Table, table=True):
    """The last reading of one register of one meter place (`id`: the source of its `meter.read` events)."""

    __tablename__ = "meters"

    site: str = Field(primary_key=True, max_length=64)
    id: str = Field(primary_key=True, max_length=128)
    register_name: str = Field(primary_key=True, max_length=64)
    meter_no: str = Field(max_length=64)
    unit: str = Field(max_length=32)
    value: float
    at: datetime = Field(sa_type=Moment)
    fallen: list[float] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    """A `rules.metering.registers.Fallen`, field by field, while the register is below what it once read."""


class MeterDay(Table, table=True):
    """One register of one meter on one day of the site's calendar.

    `used`: the sum of the steps that ended on that day. `odd`: readings below an earlier one that nothing explains,
    worth 0 until the fall is confirmed.
    """

    __tablename__ = "meter_days"

    site: str = Field(primary_key=True, max_length=64)
    id: str = Field(primary_key=True, max_length=128)
    register_name: str = Field(primary_key=True, max_length=64)
    day: date = Field(primary_key=True)
    meter_no: str = Field(primary_key=True, max_length=64)
    unit: str = Field(max_length=32)
    first: float
    first_at: datetime = Field(sa_type=Moment)
    last: float
    last_at: datetime = Field(sa_type=Moment)
    used: float
    rollovers: int = 0
    odd: int = 0
