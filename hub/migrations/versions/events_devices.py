"""Which devices fell silent and came back, by site and device: the last word of each is one step away.

All steps are one transaction, so the index is built while nothing can be written to the history: seconds for some
millions of events. Gateways keep what they record meanwhile.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "events_devices"
down_revision = "tickets_found"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One partial index."""
    words = sa.text("kind IN ('device.lost', 'device.found')")
    op.create_index("ix_events_devices", "events", ["site", "source", "id"], unique=False, postgresql_where=words)


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_events_devices", table_name="events")
