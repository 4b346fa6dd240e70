"""Commands know their reason as a code, and the entry that they answer; more events hold numbers of people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "reason_codes"
down_revision = "jobs"
branch_labels = None
depends_on = None

_OF_BEFORE = "redacted_by IS NULL AND kind IN ('access.denied', 'access.granted', 'passage.made', 'plate.seen')"
_PERSONAL = (
    "redacted_by IS NULL AND kind IN ('access.denied', 'access.granted', 'car.arrived', 'car.left', 'command.done',"
    " 'command.failed', 'passage.made', 'plate.seen')"
)


def upgrade() -> None:
    """Two columns, and the index of events whose numbers are redacted anew."""
    op.add_column("commands", sa.Column("reason_code", sa.String(length=64), nullable=True))
    op.add_column("commands", sa.Column("subject", sa.JSON(none_as_null=True), nullable=True))
    op.drop_index("ix_events_personal", table_name="events")
    op.create_index("ix_events_personal", "events", ["received_at"], unique=False, postgresql_where=sa.text(_PERSONAL))


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_events_personal", table_name="events")
    op.create_index("ix_events_personal", "events", ["received_at"], unique=False, postgresql_where=sa.text(_OF_BEFORE))
    op.drop_column("commands", "subject")
    op.drop_column("commands", "reason_code")
