"""Table of commands. A row that is `asked` is also the outbox: it is published until it is answered or expired."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, Index, text
from sqlmodel import Field

from contract.readings import Value
from hub.database.transactions import Moment, Table
from web import shapes


class CommandRow(Table, table=True):
    """One command: asked → sent → done, failed or expired. `result`: {why, at} once there is one.

    `reason_code`: what openings are counted by; `subject`: the entry that it answers.
    """

    __tablename__ = "commands"
    __table_args__ = (
        Index("ix_commands_open", "expires_at", postgresql_where=text("state IN ('asked', 'sent')")),
        Index(None, "gateway", "issued_at"),
    )

    id: str = Field(primary_key=True, max_length=36)
    site: str = Field(max_length=64, index=True)
    gateway: str = Field(max_length=64)
    target: str = Field(max_length=129)
    kind: str = Field(max_length=64)
    args: dict[str, Value] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    reason: str = Field(max_length=500)
    reason_code: str | None = Field(default=None, max_length=64)
    subject: shapes.FirstPlace | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    account: str = Field(max_length=64)
    by: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    state: str = Field(default="asked", max_length=8)
    issued_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    result: dict[str, object] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
