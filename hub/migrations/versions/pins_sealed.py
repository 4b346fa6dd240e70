"""PINs lie in the database sealed (`hub.database.pins`); those that lay open are sealed with the key of this hub.

What was written before still stands in dead rows until VACUUM, and in backups.
"""

from __future__ import annotations

from alembic import context, op

from hub.database.pins import Pins, any_pin

revision = "pins_sealed"
down_revision = "changes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Seal every PIN."""
    if (pins := _pins()) is not None:
        pins.seal_all(op.get_bind())


def downgrade() -> None:
    """Lay every PIN open."""
    if (pins := _pins()) is not None:
        pins.open_all(op.get_bind())


def _pins() -> Pins | None:
    """What seals them; None where there is no PIN, and then nobody needs it."""
    given = context.config.attributes.get("pins")
    if given is None and any_pin(op.get_bind()):
        raise RuntimeError("there are PINs, and no key to seal or open them with: python -m hub migrate")
    return given if isinstance(given, Pins) else None
