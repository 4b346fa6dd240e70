"""Which version of the envelope each gateway reads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "gateway_reads"
down_revision = "event_places"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Which version of the envelope each gateway reads."""
    # Gateways from before this step say nothing of it: they read version 1.
    op.add_column("gateways", sa.Column("reads", sa.SmallInteger(), server_default="1", nullable=False))
    op.alter_column("gateways", "reads", server_default=None)


def downgrade() -> None:
    """Undo it."""
    op.drop_column("gateways", "reads")
