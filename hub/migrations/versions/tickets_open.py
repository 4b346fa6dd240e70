"""Tickets that are not closed, by site: the overview counts them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "tickets_open"
down_revision = "events_denied"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One partial index."""
    still = sa.text("state <> 'closed'")
    op.create_index("ix_tickets_open", "tickets", ["site"], unique=False, postgresql_where=still)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_tickets_open", table_name="tickets")
