"""What edits changed, beside the history: values that can be erased while the chain stands.

Pictures are found by when they came, and events whose numbers have had their time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "changes"
down_revision = "versions_and_answers"
branch_labels = None
depends_on = None

_PERSONAL = "redacted_by IS NULL AND kind IN ('access.denied', 'access.granted', 'passage.made', 'plate.seen')"


def upgrade() -> None:
    """A table of values before and after, and what the nightly pruning looks for."""
    op.add_column("events", sa.Column("redacted_by", sa.BigInteger(), nullable=True))
    op.create_index("ix_events_personal", "events", ["received_at"], unique=False, postgresql_where=sa.text(_PERSONAL))
    op.create_index(op.f("ix_pictures_received_at"), "pictures", ["received_at"], unique=False)
    op.create_table(
        "changes",
        sa.Column("event", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("record", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_changes")),
    )
    op.create_index(op.f("ix_changes_site"), "changes", ["site", "event"], unique=False)
    op.create_index("ix_changes_subject", "changes", ["site", "subject"], unique=False)
    op.create_index("ix_changes_kept", "changes", ["at"], unique=False, postgresql_where=sa.text("said IS NOT NULL"))


def downgrade() -> None:
    """Forgets what edits changed; their events stand."""
    op.drop_index(op.f("ix_pictures_received_at"), table_name="pictures")
    op.drop_index("ix_events_personal", table_name="events")
    op.drop_column("events", "redacted_by")
    op.drop_index("ix_changes_kept", table_name="changes")
    op.drop_index("ix_changes_subject", table_name="changes")
    op.drop_index(op.f("ix_changes_site"), table_name="changes")
    op.drop_table("changes")
