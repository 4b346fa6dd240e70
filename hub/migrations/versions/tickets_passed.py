"""Between whom a ticket passed, the values around its first fault, and alarms by time, as their history is asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tickets_passed"
down_revision = "entries"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns that older rows have nothing for, and two indexes."""
    op.add_column("ticket_steps", sa.Column("was", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("ticket_steps", sa.Column("to", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("tickets", sa.Column("first_history", sa.JSON(none_as_null=True), nullable=True))
    op.create_index(op.f("ix_alarms_raised_at"), "alarms", ["raised_at"], unique=False)
    op.create_index(op.f("ix_alarms_site_raised_at"), "alarms", ["site", "raised_at"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index(op.f("ix_alarms_site_raised_at"), table_name="alarms")
    op.drop_index(op.f("ix_alarms_raised_at"), table_name="alarms")
    op.drop_column("tickets", "first_history")
    op.drop_column("ticket_steps", "to")
    op.drop_column("ticket_steps", "was")
