"""A meter remembers a fall; what claims to be of the future is of its receipt.

Newest values of the future (points, places, meters) give way to the next word by themselves. What stands in lists and
sums for good is put where it belongs: meters' days, alarms and tickets.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "clock_meters_and_the_future"
down_revision = "desired_floor"
branch_labels = None
depends_on = None

_DAYS = """
WITH ahead AS (
    DELETE FROM meter_days WHERE first_at > now() + interval '1 day' RETURNING *
), dated AS (
    SELECT ahead.*, coalesce(
        (SELECT min(e.received_at) FROM events e
         WHERE e.kind = 'meter.read' AND e.site = ahead.site AND e.source = ahead.id AND e.at = ahead.first_at),
        now()
    ) AS received FROM ahead
)
INSERT INTO meter_days AS held
    (site, id, register_name, day, meter_no, unit, first, first_at, last, last_at, used, rollovers, odd)
SELECT d.site, d.id, d.register_name, (d.received AT TIME ZONE coalesce(s.timezone, 'UTC'))::date, d.meter_no,
    min(d.unit), (array_agg(d.first ORDER BY d.first_at))[1], min(d.received),
    (array_agg(d.last ORDER BY d.first_at DESC))[1], max(d.received), sum(d.used), sum(d.rollovers), sum(d.odd)
FROM dated d LEFT JOIN sites s ON s.id = d.site
GROUP BY d.site, d.id, d.register_name, (d.received AT TIME ZONE coalesce(s.timezone, 'UTC'))::date, d.meter_no
ON CONFLICT (site, id, register_name, day, meter_no) DO UPDATE SET
    last = CASE WHEN excluded.last_at >= held.last_at THEN excluded.last ELSE held.last END,
    last_at = greatest(held.last_at, excluded.last_at), used = held.used + excluded.used,
    rollovers = held.rollovers + excluded.rollovers, odd = held.odd + excluded.odd
"""

_LISTS = (
    ("alarms", "raised_at"),
    ("alarms", "cleared_at"),
    ("alarms", "acknowledged_at"),
    ("tickets", "raised_at"),
)


def upgrade() -> None:
    """Room for a fall, and nothing of the future in lists and sums."""
    op.add_column("meters", sa.Column("fallen", sa.JSON(), nullable=True))
    op.execute(_DAYS)
    for table, moment in _LISTS:
        op.execute(f"UPDATE {table} SET {moment} = now() WHERE {moment} > now() + interval '1 day'")


def downgrade() -> None:
    """Without the memory of falls; what was put in its place stays there."""
    op.drop_column("meters", "fallen")
