"""The words that tickets are found by, and along what lists of them are asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tickets_found"
down_revision = "tickets_passed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One column and four indexes, empty yet: the table is locked meanwhile, and filled by `hub.tickets.filling`."""
    # The default stays: a hub of before that is still there goes on to open tickets.
    op.add_column("tickets", sa.Column("found_by", sa.String(length=4_000), server_default="", nullable=False))
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
    unsaid = sa.text("NOT starts_with(found_by, coalesce(assignee ->> 'name', '') || chr(10))")
    op.create_index("ix_tickets_unsaid", "tickets", ["raised_at"], unique=False, postgresql_where=unsaid)


def downgrade() -> None:
    """Drop them: the tickets say all of it."""
    for index in ("ix_tickets_unsaid", "ix_tickets_found_by", "ix_tickets_assignee", "ix_tickets_number"):
        op.drop_index(index, table_name="tickets")
    op.drop_column("tickets", "found_by")
