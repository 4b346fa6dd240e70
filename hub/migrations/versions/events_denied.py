"""Who was not let in, by site and time: the overview counts them.

All steps are one transaction, so the index is built while nothing can be written to the history: seconds for some
millions of events. Gateways keep what they record meanwhile.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "events_denied"
down_revision = "clock_meters_and_the_future"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One partial index."""
    denied = sa.text("kind = 'access.denied'")
    op.create_index("ix_events_denied", "events", ["site", "at"], unique=False, postgresql_where=denied)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_events_denied", table_name="events")
