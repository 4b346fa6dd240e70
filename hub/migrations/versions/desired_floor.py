"""The oldest revision of the desired state that a delta may build on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "desired_floor"
down_revision = "gateway_reads"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every revision of before may be built on."""
    op.add_column("desired_revisions", sa.Column("floor", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("desired_revisions", "floor", server_default=None)


def downgrade() -> None:
    """Drop it."""
    op.drop_column("desired_revisions", "floor")
