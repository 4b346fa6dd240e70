"""The words that tickets are found by, and along what lists of them are asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.access.spelling import said_in

revision = "tickets_found"
down_revision = "tickets_passed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column, filled for the tickets that stand, and three indexes."""
    # The default stays: a hub of before that is still there goes on to open tickets.
    op.add_column("tickets", sa.Column("found_by", sa.String(length=4_000), server_default="", nullable=False))
    _spell()
    op.create_index("ix_tickets_number", "tickets", ["number"], unique=False)
    op.create_index("ix_tickets_assignee", "tickets", [sa.text("(assignee ->> 'id')")], unique=False)
    op.create_index(
        "ix_tickets_found_by",
        "tickets",
        ["found_by"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"found_by": "gin_trgm_ops"},
    )


def _spell() -> None:
    """The tickets that stand, a thousand at a time."""
    conn = op.get_bind()
    tickets = sa.text(
        "SELECT id, title ->> 'zh' AS zh, title ->> 'en' AS en, place, assignee ->> 'name' AS who FROM tickets"
        " WHERE id > :id ORDER BY id LIMIT 1000"
    )
    put = sa.text("UPDATE tickets SET found_by = :found_by WHERE id = :id")
    last = ""
    while some := conn.execute(tickets, {"id": last}).all():
        conn.execute(
            put,
            [{"id": row.id, "found_by": said_in(row.zh or "", row.en or "", row.place, row.who or "")} for row in some],
        )
        last = some[-1].id


def downgrade() -> None:
    """Drop them: the tickets say all of it."""
    for index in ("ix_tickets_found_by", "ix_tickets_assignee", "ix_tickets_number"):
        op.drop_index(index, table_name="tickets")
    op.drop_column("tickets", "found_by")
