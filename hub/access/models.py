"""Tables of who may pass. Ids are unique within a site; what the hub makes is unique everywhere."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from hub.database.transactions import Moment
from hub.database.versions import Edited


class HolderRow(Edited, table=True):
    """A person or firm that credentials belong to. The only table that knows their name.

    `spelled`, `room_order`, `found_by`: by what name and unit are sorted and found (`hub.access.spelling`).
    """

    __tablename__ = "holders"
    __table_args__ = (
        Index(None, "site", "name", "id"),
        Index(None, "id"),
        Index("ix_holders_spelled", "site", "spelled", "id"),
        Index("ix_holders_room_order", "site", "room_order", "id"),
        Index("ix_holders_found_by", "found_by", postgresql_using="gin", postgresql_ops={"found_by": "gin_trgm_ops"}),
    )

    site: str = Field(primary_key=True, foreign_key="sites.id", max_length=64)
    id: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=100)
    kind: str = Field(max_length=16)
    unit: str = Field(default="", max_length=100)
    spelled: str = Field(default="", max_length=500, sa_column_kwargs={"server_default": ""})
    room_order: str = Field(default="", max_length=1001, sa_column_kwargs={"server_default": ""})
    found_by: str = Field(default="", max_length=2000, sa_column_kwargs={"server_default": ""})
    valid_from: datetime | None = Field(default=None, sa_type=Moment)
    valid_to: datetime | None = Field(default=None, sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)


class CredentialRow(Edited, table=True):
    """What is presented. One value has one credential in force at a time."""

    __tablename__ = "credentials"
    __table_args__ = (
        ForeignKeyConstraint(["site", "holder"], ["holders.site", "holders.id"], ondelete="CASCADE"),
        Index(
            "uq_credentials_in_force", "site", "kind", "value", unique=True, postgresql_where=text("state = 'active'")
        ),
        Index(None, "site", "holder"),
        Index(None, "site", "value", "id"),
        Index(
            "ix_credentials_plate_part",
            "value",
            postgresql_using="gin",
            postgresql_ops={"value": "gin_trgm_ops"},
            postgresql_where=text("kind = 'plate'"),
        ),
        Index(None, "id"),
    )

    site: str = Field(primary_key=True, max_length=64)
    id: str = Field(primary_key=True, max_length=64)
    kind: str = Field(max_length=8)
    value: str = Field(max_length=200)
    holder: str = Field(max_length=64)
    state: str = Field(default="active", max_length=8)
    valid_from: datetime | None = Field(default=None, sa_type=Moment)
    valid_to: datetime | None = Field(default=None, sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)


class ScheduleRow(Edited, table=True):
    """When something holds. `windows`, `days`: as in `contract.desired.Schedule`."""

    __tablename__ = "schedules"
    __table_args__ = (Index(None, "id"),)

    site: str = Field(primary_key=True, foreign_key="sites.id", max_length=64)
    id: str = Field(primary_key=True, max_length=64)
    name: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    windows: list[object] = Field(sa_column=Column(JSON, nullable=False))
    days: list[object] = Field(sa_column=Column(JSON, nullable=False))
    changed_at: datetime = Field(sa_type=Moment)


class GrantRow(Edited, table=True):
    """A holder may pass `places` while `schedule` holds."""

    __tablename__ = "grants"
    __table_args__ = (
        ForeignKeyConstraint(["site", "holder"], ["holders.site", "holders.id"], ondelete="CASCADE"),
        Index(None, "site", "holder"),
        Index(None, "id"),
    )

    site: str = Field(primary_key=True, max_length=64)
    id: str = Field(primary_key=True, max_length=64)
    holder: str = Field(max_length=64)
    places: list[str] = Field(sa_column=Column(JSON, nullable=False))
    schedule: str = Field(default="always", max_length=64)
    valid_from: datetime | None = Field(default=None, sa_type=Moment)
    valid_to: datetime | None = Field(default=None, sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)


class BlockRow(Edited, table=True):
    """A value that is refused everywhere."""

    __tablename__ = "blocks"
    __table_args__ = (Index("uq_blocks_value", "site", "kind", "value", unique=True), Index(None, "id"))

    site: str = Field(primary_key=True, foreign_key="sites.id", max_length=64)
    id: str = Field(primary_key=True, max_length=64)
    kind: str = Field(max_length=8)
    value: str = Field(max_length=200)
    reason: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    changed_at: datetime = Field(sa_type=Moment)
