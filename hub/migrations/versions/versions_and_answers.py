"""Whatever people edit has a version; answers to requests with a key are kept for a day, in one place for all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "versions_and_answers"
down_revision = "accounts_proven"
branch_labels = None
depends_on = None

_EDITED = ("holders", "credentials", "grants", "schedules", "blocks", "accounts", "posts", "companies")


def upgrade() -> None:
    """Versions, and the kept answers; commands lose their own keys."""
    for table in _EDITED:
        op.add_column(table, sa.Column("version", sa.BigInteger(), server_default="1", nullable=False))
        op.alter_column(table, "version", server_default=None)
    op.create_table(
        "answers",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
    )
    op.create_index(op.f("ix_answers_at"), "answers", ["at"], unique=False)
    op.drop_index("uq_commands_key", table_name="commands")
    op.drop_column("commands", "key")


def downgrade() -> None:
    """Undo it; what was remembered is forgotten."""
    op.add_column("commands", sa.Column("key", sa.String(length=128), nullable=True))
    op.create_index(
        "uq_commands_key", "commands", ["account", "key"], unique=True, postgresql_where=sa.text("key IS NOT NULL")
    )
    op.drop_index(op.f("ix_answers_at"), table_name="answers")
    op.drop_table("answers")
    for table in _EDITED:
        op.drop_column(table, "version")
