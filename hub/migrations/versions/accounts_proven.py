"""Sessions that prove themselves again, second factors, locks of accounts at gateways, and copies with short lives.

The copies at the gateways are due at once: those that are no longer to be there go with the first renewal.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "accounts_proven"
down_revision = "tickets_open"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def _account_key(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_account_accounts")
    return sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    """Nobody has to sign in again; who was signed in proves themselves before the next sensitive change."""
    op.add_column("accounts", sa.Column("signed_in_at", _MOMENT, nullable=True))
    op.add_column("accounts", sa.Column("lifted", sa.JSON(), nullable=False, server_default="[]"))
    op.alter_column("accounts", "lifted", server_default=None)
    op.execute("UPDATE accounts SET copies_until = now()")
    # A gateway may have escaped what no text holds (U+0000), in whichever field: the operator would raise, and the hub
    # never start again. What names an account is written without escapes.
    op.execute(
        "UPDATE accounts SET signed_in_at = last.at FROM"
        " (SELECT data->>'username' AS username, max(received_at) AS at FROM events WHERE kind = 'session.opened'"
        " AND strpos(CAST(data AS text), '\\u') = 0 GROUP BY 1) AS last WHERE accounts.username = last.username"
    )
    op.add_column("sessions", sa.Column("device", sa.String(length=40), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("proven_at", _MOMENT, nullable=False, server_default="epoch"))
    op.add_column("sessions", sa.Column("weak", sa.Boolean(), nullable=False, server_default=sa.false()))
    for column in ("device", "proven_at", "weak"):
        op.alter_column("sessions", column, server_default=None)
    op.create_table(
        "second_factors",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("pending", sa.String(length=64), nullable=False),
        sa.Column("since", _MOMENT, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery", sa.JSON(), nullable=False),
        _account_key("second_factors"),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "account_locks",
        sa.Column("lock", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("by", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("lifted_at", _MOMENT, nullable=True),
        _account_key("account_locks"),
        sa.PrimaryKeyConstraint("lock", name=op.f("pk_account_locks")),
    )
    op.create_index(op.f("ix_account_locks_account"), "account_locks", ["account"], unique=False)


def downgrade() -> None:
    """Second factors and locks are gone; the copies last until they run out."""
    op.drop_index(op.f("ix_account_locks_account"), table_name="account_locks")
    op.drop_table("account_locks")
    op.drop_table("second_factors")
    for column in ("weak", "proven_at", "device"):
        op.drop_column("sessions", column)
    op.drop_column("accounts", "lifted")
    op.drop_column("accounts", "signed_in_at")
