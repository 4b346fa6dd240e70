"""Tables of the company, its sites, their posts, and the state of doors and lanes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from hub.database.transactions import Moment, Table
from hub.database.versions import Edited
from web import shapes


class CompanyRow(Edited, table=True):
    """The company whose hub this is: one row."""

    __tablename__ = "companies"

    id: str = Field(primary_key=True, max_length=64)
    name: shapes.Text = Field(sa_column=Column(JSON, nullable=False))


class SiteRow(Table, table=True):
    """A site (the company's project). `layout` is what its gateway said of it last, None before the first time."""

    __tablename__ = "sites"

    id: str = Field(primary_key=True, max_length=64)
    company: str = Field(foreign_key="companies.id", max_length=64)
    name: shapes.Text = Field(sa_column=Column(JSON, nullable=False))
    timezone: str = Field(max_length=64)
    layout: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    described_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(sa_type=Moment)


class PostRow(Edited, table=True):
    """Where a guard of a site stands: the doors and lanes of `places` are what they answer for."""

    __tablename__ = "posts"

    site: str = Field(primary_key=True, foreign_key="sites.id", ondelete="CASCADE", max_length=64)
    id: str = Field(primary_key=True, max_length=64)
    name: shapes.Text = Field(sa_column=Column(JSON, nullable=False))
    places: list[str] = Field(sa_column=Column(JSON, nullable=False))


class PlaceState(Table, table=True):
    """One aspect of a door or lane as its gateway last said: door lock, contact, mode; lane barrier, loops, plate."""

    __tablename__ = "place_states"

    site: str = Field(primary_key=True, max_length=64)
    place: str = Field(primary_key=True, max_length=64)
    aspect: str = Field(primary_key=True, max_length=16)
    value: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    at: datetime = Field(sa_type=Moment)
