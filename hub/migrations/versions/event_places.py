"""The places of an event that is stored once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "event_places"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table beside the history: where a moved event was first recorded, and where it came again."""
    op.create_table(
        "event_places",
        sa.Column("stream", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("chained", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "seq", "hash", name=op.f("pk_event_places")),
    )
    op.create_index(op.f("ix_event_places_event"), "event_places", ["event"], unique=False)


def downgrade() -> None:
    """Forgets the places: events that came again can no longer be told from missing ones."""
    op.drop_index(op.f("ix_event_places_event"), table_name="event_places")
    op.drop_table("event_places")
