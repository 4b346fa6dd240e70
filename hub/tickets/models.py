"""Tables of tickets, their steps, and the gateways' raisings that were folded into them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Identity, Index, String, UniqueConstraint, text
from sqlmodel import Field

from contract.facts.alarms import Severity
from hub.access.spelling import MOST_SAID
from hub.database.transactions import Moment, Table
from rules.tickets.steps import TicketState
from web import shapes

UNSAID = "NOT starts_with(found_by, coalesce(assignee ->> 'name', '') || chr(10))"
"""Tickets that do not say what they are found by now (`hub.tickets.words`): the index of these is mostly empty."""


class TicketRow(Table, table=True):
    """One ticket. `alarm`: the newest episode of its cause, None for one that a person opened.

    `history`: (point, Unix ms, value) around the newest fault; `first_history`: around the first, once it came again.
    `found_by`: its words (`hub.tickets.words`); "" until somebody says them.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("site", "number"),
        Index(None, "site", "raised_at"),
        Index(None, "raised_at"),
        Index("ix_tickets_cause", "site", "asset", "cause", "number"),
        Index("ix_tickets_waiting", "alarm", postgresql_where=text("state <> 'closed'")),
        Index("ix_tickets_open", "site", postgresql_where=text("state <> 'closed'")),
        Index("ix_tickets_number", "number"),
        Index("ix_tickets_assignee", text("(assignee ->> 'id')")),
        Index("ix_tickets_found_by", "found_by", postgresql_using="gin", postgresql_ops={"found_by": "gin_trgm_ops"}),
        Index("ix_tickets_unsaid", "raised_at", postgresql_where=text(UNSAID)),
    )

    id: str = Field(primary_key=True, max_length=64)
    site: str = Field(max_length=64)
    number: int
    alarm: str | None = Field(default=None, max_length=64)
    asset: str = Field(max_length=200)
    cause: str = Field(max_length=200)
    severity: Severity = Field(sa_type=String(8))
    title: shapes.Text = Field(sa_column=Column(JSON, nullable=False))
    response: shapes.Text | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    place: str = Field(default="", max_length=200)
    state: TicketState = Field(sa_type=String(8))
    assignee: shapes.Person | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    raised_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    count: int = 1
    history: list[Any] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
    first_history: list[Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    found_by: str = Field(default="", max_length=MOST_SAID, sa_column_kwargs={"server_default": ""})


class TicketStepRow(Table, table=True):
    """Something that happened to a ticket. `by`: None for the hub itself. `was`, `to`: between whom it passed."""

    __tablename__ = "ticket_steps"
    __table_args__ = (Index(None, "ticket", "id"),)

    id: int = Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))
    ticket: str = Field(foreign_key="tickets.id", max_length=64)
    at: datetime = Field(sa_type=Moment)
    by: shapes.Person | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    step: str = Field(max_length=16)
    text: str = Field(default="", max_length=4000)
    was: shapes.Person | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    to: shapes.Person | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class TicketRaising(Table, table=True):
    """One `ticket.raised` of a gateway, and the ticket that it opened or was folded into."""

    __tablename__ = "ticket_raisings"

    id: str = Field(primary_key=True, max_length=64)
    ticket: str = Field(foreign_key="tickets.id", max_length=64, index=True)
    alarm: str = Field(max_length=64)
    at: datetime = Field(sa_type=Moment)
