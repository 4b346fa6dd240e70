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
        "accounts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("copies_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("gateway", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("asset", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("message", sa.JSON(), nullable=False),
        sa.Column("response", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("shelved_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarms")),
    )
    op.create_index(op.f("ix_alarms_rank_raised_at"), "alarms", ["rank", "raised_at"], unique=False)
    op.create_index(op.f("ix_alarms_site_rank_raised_at"), "alarms", ["site", "rank", "raised_at"], unique=False)
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
        "companies",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
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
        "place_states",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("aspect", sa.String(length=16), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("site", "place", "aspect", name=op.f("pk_place_states")),
    )
    op.create_table(
        "points",
        sa.Column("key", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=129), nullable=False),
        sa.Column("name", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("labels", sa.JSON(), server_default="{}", nullable=False),
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
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("alarm", sa.String(length=64), nullable=True),
        sa.Column("asset", sa.String(length=200), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("severity", sa.String(length=8), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("response", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("assignee", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("history", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("site", "number", name=op.f("uq_tickets_site_number")),
    )
    op.create_index("ix_tickets_cause", "tickets", ["site", "asset", "cause", "number"], unique=False)
    op.create_index(op.f("ix_tickets_raised_at"), "tickets", ["raised_at"], unique=False)
    op.create_index(op.f("ix_tickets_site_raised_at"), "tickets", ["site", "raised_at"], unique=False)
    op.create_index(
        "ix_tickets_waiting", "tickets", ["alarm"], unique=False, postgresql_where=sa.text("state <> 'closed'")
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["accounts.id"], name=op.f("fk_sessions_account_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account"), "sessions", ["account"], unique=False)
    op.create_table(
        "sites",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("company", sa.String(length=64), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("layout", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("described_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company"], ["companies.id"], name=op.f("fk_sites_company_companies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
    )
    op.create_table(
        "ticket_raisings",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("ticket", sa.String(length=64), nullable=False),
        sa.Column("alarm", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_ticket_raisings_ticket_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_raisings")),
    )
    op.create_index(op.f("ix_ticket_raisings_ticket"), "ticket_raisings", ["ticket"], unique=False)
    op.create_table(
        "ticket_steps",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ticket", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name=op.f("fk_ticket_steps_ticket_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_steps")),
    )
    op.create_index(op.f("ix_ticket_steps_ticket_id"), "ticket_steps", ["ticket", "id"], unique=False)
    op.create_table(
        "blocks",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_blocks_site_sites")),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_blocks")),
    )
    op.create_index(op.f("ix_blocks_id"), "blocks", ["id"], unique=False)
    op.create_index("uq_blocks_value", "blocks", ["site", "kind", "value"], unique=True)
    op.create_table(
        "holders",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_holders_site_sites")),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_holders")),
    )
    op.create_index(op.f("ix_holders_id"), "holders", ["id"], unique=False)
    op.create_index(op.f("ix_holders_site_name_id"), "holders", ["site", "name", "id"], unique=False)
    op.create_table(
        "posts",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_posts_site_sites"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_posts")),
    )
    op.create_table(
        "schedules",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("windows", sa.JSON(), nullable=False),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["sites.id"], name=op.f("fk_schedules_site_sites")),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_schedules")),
    )
    op.create_index(op.f("ix_schedules_id"), "schedules", ["id"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["site", "holder"],
            ["holders.site", "holders.id"],
            name=op.f("fk_credentials_site_holder_holders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_credentials")),
    )
    op.create_index(op.f("ix_credentials_id"), "credentials", ["id"], unique=False)
    op.create_index(op.f("ix_credentials_site_holder"), "credentials", ["site", "holder"], unique=False)
    op.create_index(op.f("ix_credentials_site_value_id"), "credentials", ["site", "value", "id"], unique=False)
    op.create_index(
        "uq_credentials_in_force",
        "credentials",
        ["site", "kind", "value"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "grants",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("schedule", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["site", "holder"],
            ["holders.site", "holders.id"],
            name=op.f("fk_grants_site_holder_holders"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("site", "id", name=op.f("pk_grants")),
    )
    op.create_index(op.f("ix_grants_id"), "grants", ["id"], unique=False)
    op.create_index(op.f("ix_grants_site_holder"), "grants", ["site", "holder"], unique=False)
    op.execute("CREATE TABLE readings_other PARTITION OF readings DEFAULT")


def downgrade() -> None:
    """Undo it."""
    op.drop_index(op.f("ix_grants_site_holder"), table_name="grants")
    op.drop_index(op.f("ix_grants_id"), table_name="grants")
    op.drop_table("grants")
    op.drop_index("uq_credentials_in_force", table_name="credentials", postgresql_where=sa.text("state = 'active'"))
    op.drop_index(op.f("ix_credentials_site_value_id"), table_name="credentials")
    op.drop_index(op.f("ix_credentials_site_holder"), table_name="credentials")
    op.drop_index(op.f("ix_credentials_id"), table_name="credentials")
    op.drop_table("credentials")
    op.drop_index(op.f("ix_schedules_id"), table_name="schedules")
    op.drop_table("schedules")
    op.drop_table("posts")
    op.drop_index(op.f("ix_holders_site_name_id"), table_name="holders")
    op.drop_index(op.f("ix_holders_id"), table_name="holders")
    op.drop_table("holders")
    op.drop_index("uq_blocks_value", table_name="blocks")
    op.drop_index(op.f("ix_blocks_id"), table_name="blocks")
    op.drop_table("blocks")
    op.drop_index(op.f("ix_ticket_steps_ticket_id"), table_name="ticket_steps")
    op.drop_table("ticket_steps")
    op.drop_index(op.f("ix_ticket_raisings_ticket"), table_name="ticket_raisings")
    op.drop_table("ticket_raisings")
    op.drop_table("sites")
    op.drop_index(op.f("ix_sessions_account"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("ix_tickets_waiting", table_name="tickets", postgresql_where=sa.text("state <> 'closed'"))
    op.drop_index(op.f("ix_tickets_site_raised_at"), table_name="tickets")
    op.drop_index(op.f("ix_tickets_raised_at"), table_name="tickets")
    op.drop_index("ix_tickets_cause", table_name="tickets")
    op.drop_table("tickets")
    op.drop_index("uq_streams_own", table_name="streams", postgresql_where=sa.text("gateway IS NULL"))
    op.drop_index(op.f("ix_streams_gateway"), table_name="streams")
    op.drop_table("streams")
    op.drop_table("readings_hourly")
    op.drop_table("readings_dirty")
    op.drop_table("readings")
    op.drop_index(op.f("ix_reading_stores_gateway"), table_name="reading_stores")
    op.drop_table("reading_stores")
    op.drop_table("points")
    op.drop_table("place_states")
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
    op.drop_table("companies")
    op.drop_index("uq_commands_key", table_name="commands", postgresql_where=sa.text("key IS NOT NULL"))
    op.drop_index(op.f("ix_commands_site"), table_name="commands")
    op.drop_index("ix_commands_open", table_name="commands", postgresql_where=sa.text("state IN ('asked', 'sent')"))
    op.drop_index(op.f("ix_commands_gateway_issued_at"), table_name="commands")
    op.drop_table("commands")
    op.drop_index(op.f("ix_alarms_site_rank_raised_at"), table_name="alarms")
    op.drop_index(op.f("ix_alarms_rank_raised_at"), table_name="alarms")
    op.drop_table("alarms")
    op.drop_table("accounts")
