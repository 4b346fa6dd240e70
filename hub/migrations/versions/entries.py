"""Entries, to be searched; a job fills them from the events that stand. People sorted and found by pinyin and room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from hub.access.spelling import found_by, spelt
from rules.access.rooms import room_order

revision = "entries"
down_revision = "reason_codes"
branch_labels = None
depends_on = None

_SPELLED = (("spelled", 500), ("room_order", 1001), ("found_by", 2000))


def upgrade() -> None:
    """Trigrams find a part of a plate; `entries_fill` says which events are not in the table yet."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "entries",
        sa.Column("event", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("traveller", sa.String(length=8), nullable=False),
        sa.Column("direction", sa.String(length=4), nullable=True),
        sa.Column("credential", sa.String(length=8), nullable=True),
        *(
            sa.Column(name, sa.String(length=256), nullable=name != "code")
            for name in ("plate", "plate_key", "number", "holder", "code", "picture", "account")
        ),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_entries")),
    )
    op.create_index("ix_entries_site_at", "entries", ["site", "at", "event"], unique=False)
    op.create_index("ix_entries_source_at", "entries", ["site", "source", "at", "event"], unique=False)
    op.create_index("ix_entries_traveller_at", "entries", ["site", "traveller", "at", "event"], unique=False)
    op.create_index(
        "ix_entries_rare",
        "entries",
        ["site", "outcome", "at", "event"],
        unique=False,
        postgresql_where=sa.text("outcome <> 'granted'"),
    )
    op.create_index(
        "ix_entries_holder_at",
        "entries",
        ["site", "holder", "at", "event"],
        unique=False,
        postgresql_where=sa.text("holder IS NOT NULL"),
    )
    for name, using, ops in (
        ("ix_entries_plate_part", "gin", "gin_trgm_ops"),
        ("ix_entries_plate", "btree", "text_pattern_ops"),
    ):
        op.create_index(
            name,
            "entries",
            ["plate_key"],
            unique=False,
            postgresql_using=using,
            postgresql_ops={"plate_key": ops},
            postgresql_where=sa.text("plate_key IS NOT NULL"),
        )
    op.create_index(
        "ix_entries_number", "entries", ["number"], unique=False, postgresql_where=sa.text("number IS NOT NULL")
    )
    op.create_table(
        "entries_fill",
        sa.Column("one", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("upto", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_entries_fill")),
    )
    op.execute(
        "INSERT INTO entries_fill (one, upto, mark) SELECT 1, coalesce(max(id), 0), coalesce(max(id), 0) FROM events"
    )
    # The default stays: a hub of before that is still there goes on to take people in.
    for name, length in _SPELLED:
        op.add_column("holders", sa.Column(name, sa.String(length=length), server_default="", nullable=False))
    _spell()
    op.create_index("ix_holders_spelled", "holders", ["site", "spelled", "id"], unique=False)
    op.create_index("ix_holders_room_order", "holders", ["site", "room_order", "id"], unique=False)
    op.create_index(
        "ix_holders_found_by",
        "holders",
        ["found_by"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"found_by": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_credentials_plate_part",
        "credentials",
        ["value"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"value": "gin_trgm_ops"},
        postgresql_where=sa.text("kind = 'plate'"),
    )


def _spell() -> None:
    """The people that stand, a thousand at a time."""
    conn = op.get_bind()
    people = sa.text(
        "SELECT site, id, name, unit FROM holders WHERE (site, id) > (:site, :id) ORDER BY site, id LIMIT 1000"
    )
    put = sa.text(
        "UPDATE holders SET spelled = :spelled, room_order = :room_order, found_by = :found_by"
        " WHERE site = :site AND id = :id"
    )
    site = last = ""
    while some := conn.execute(people, {"site": site, "id": last}).all():
        said = []
        for row in some:
            spelled = spelt(row.name).sorts
            order = f"{room_order(row.unit)} {spelled}"
            found = found_by(row.name, row.unit)
            said.append({"site": row.site, "id": row.id, "spelled": spelled, "room_order": order, "found_by": found})
        conn.execute(put, said)
        site, last = some[-1].site, some[-1].id


def downgrade() -> None:
    """Drop them: the events say all of it."""
    for index in ("ix_holders_found_by", "ix_holders_room_order", "ix_holders_spelled"):
        op.drop_index(index, table_name="holders")
    op.drop_index("ix_credentials_plate_part", table_name="credentials")
    for name, _ in _SPELLED:
        op.drop_column("holders", name)
    op.drop_table("entries_fill")
    op.drop_table("entries")
