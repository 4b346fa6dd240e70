"""Every table of the first hub."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every table of the first hub."""
    op.create_table(
        "commands",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=129), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("by", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
    )
    op.create_index(op.f("ix_commands_gateway_issued_at"), "commands", ["gateway", "issued_at"], unique=False)
    op.create_index(
        "ix_commands_open",
        "commands",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('asked', 'sent')"),
    )
    op.create_index(op.f("ix_commands_site"), "commands", ["site"], unique=False)
    op.create_index(
        "uq_commands_key", "commands", ["account", "key"], unique=True, postgresql_where=sa.text("key IS NOT NULL")
    )
    op.create_table(
        "desired_items",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site", "kind", "id", name=op.f("pk_desired_items")),
    )
    op.create_index(op.f("ix_desired_items_site_revision"), "desired_items", ["site", "revision"], unique=False)
    op.create_table(
        "desired_revisions",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_desired_revisions")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("gateway", sa.String(length=64), nullable=True),
        sa.Column("stream", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("clock", sa.String(length=8), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("failed", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_failed", "events", ["id"], unique=False, postgresql_where=sa.text("failed IS NOT NULL"))
    op.create_index(op.f("ix_events_kind_id"), "events", ["kind", "id"], unique=False)
    op.create_index(op.f("ix_events_site_id"), "events", ["site", "id"], unique=False)
    op.create_index(op.f("ix_events_source_id"), "events", ["source", "id"], unique=False)
    op.create_index("uq_events_stream_seq", "events", ["stream", "seq"], unique=True)
    op.create_table(
        "gateways",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("born_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stream", sa.String(length=32), nullable=True),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("backlog", sa.BigInteger(), nullable=False),
        sa.Column("readings_backlog", sa.BigInteger(), nullable=False),
        sa.Column("clock", sa.String(length=8), nullable=False),
        sa.Column("clock_error_ms", sa.BigInteger(), nullable=True),
        sa.Column("software", sa.String(length=64), nullable=False),
        sa.Column("desired", sa.BigInteger(), nullable=False),
        sa.Column("site_file", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateways")),
    )
    op.create_index(op.f("ix_gateways_site"), "gateways", ["site"], unique=False)
    op.create_table(
        "meter_days",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("register_name", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter_no", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("first", sa.Float(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.Float(), nullable=False),
        sa.Column("rollovers", sa.Integer(), nullable=False),
        sa.Column("odd", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site", "id", "register_name", "day", "meter_no", name=op.f("pk_meter_days")),
    )
    op.create_table(
        "meters",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("register_name", sa.String(length=64), nullable=False),
        sa.Column("meter_no", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site", "id", "register_name", name=op.f("pk_meters")),
    )
    op.create_table(
        "pictures",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_pictures")),
    )
    op.create_index(op.f("ix_pictures_id"), "pictures", ["id"], unique=False)
    op.create_table(
        "points",
        sa.Column("key", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=129), nullable=False),
        sa.Column("name", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("labels", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("writable", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("described", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("quality", sa.SmallInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_points")),
        sa.UniqueConstraint("site", "id", name=op.f("uq_points_site_id")),
    )
    op.create_table(
        "reading_stores",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_stores")),
    )
    op.create_index(op.f("ix_reading_stores_gateway"), "reading_stores", ["gateway"], unique=False)
    op.create_table(
        "readings",
        sa.Column("point", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("quality", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("point", "at", name=op.f("pk_readings")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_table(
        "readings_dirty",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("point", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "point", name=op.f("pk_readings_dirty")),
    )
    op.create_table(
        "readings_hourly",
        sa.Column("point", sa.Integer(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("sum", sa.Float(), nullable=False),
        sa.Column("min", sa.Float(), nullable=False),
        sa.Column("max", sa.Float(), nullable=False),
        sa.Column("first", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("point", "hour", name=op.f("pk_readings_hourly")),
    )
    op.create_table(
        "readings_refused",
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "why", name=op.f("pk_readings_refused")),
    )
    op.create_table(
        "streams",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=True),
        sa.Column("site", sa.String(length=64), nullable=True),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forked_to", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_streams")),
    )
    op.create_index(op.f("ix_streams_gateway"), "streams", ["gateway"], unique=False)
    op.create_index(
        "uq_streams_own",
        "streams",
        [sa.literal_column("(gateway IS NULL)")],
        unique=True,
        postgresql_where=sa.text("gateway IS NULL"),
    )
    op.execute("CREATE TABLE readings_other PARTITION OF readings DEFAULT")


def downgrade() -> None:
    """Undo it."""
    op.drop_index("uq_streams_own", table_name="streams", postgresql_where=sa.text("gateway IS NULL"))
    op.drop_index(op.f("ix_streams_gateway"), table_name="streams")
    op.drop_table("streams")
    op.drop_table("readings_refused")
    op.drop_table("readings_hourly")
    op.drop_table("readings_dirty")
    op.drop_table("readings")
    op.drop_index(op.f("ix_reading_stores_gateway"), table_name="reading_stores")
    op.drop_table("reading_stores")
    op.drop_table("points")
    op.drop_index(op.f("ix_pictures_id"), table_name="pictures")
    op.drop_table("pictures")
    op.drop_table("meters")
    op.drop_table("meter_days")
    op.drop_index(op.f("ix_gateways_site"), table_name="gateways")
    op.drop_table("gateways")
    op.drop_index("uq_events_stream_seq", table_name="events")
    op.drop_index(op.f("ix_events_source_id"), table_name="events")
    op.drop_index(op.f("ix_events_site_id"), table_name="events")
    op.drop_index(op.f("ix_events_kind_id"), table_name="events")
    op.drop_index("ix_events_failed", table_name="events", postgresql_where=sa.text("failed IS NOT NULL"))
    op.drop_table("events")
    op.drop_table("desired_revisions")
    op.drop_index(op.f("ix_desired_items_site_revision"), table_name="desired_items")
    op.drop_table("desired_items")
    op.drop_index("uq_commands_key", table_name="commands", postgresql_where=sa.text("key IS NOT NULL"))
    op.drop_index(op.f("ix_commands_site"), table_name="commands")
    op.drop_index("ix_commands_open", table_name="commands", postgresql_where=sa.text("state IN ('asked', 'sent')"))
    op.drop_index(op.f("ix_commands_gateway_issued_at"), table_name="commands")
    op.drop_table("commands")
