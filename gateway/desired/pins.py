"""PINs as the gateway's disk holds them: sealed (`web.sealing`) with a secret in a file of its own beside the data.

It protects from who gets the file of rights without that of the secret: a copy, a backup that leaves the secret out, a
file that was set aside damaged and sent to somebody. It does not protect from who takes the whole box or its disk: the
gateway decides without its hub, so that all that it decides by is there. There the encryption of the disk helps.

The hub has every PIN. A secret that is lost or damaged costs a question to it, no more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from web.sealing import NotSealed, Seal, SecretUnreadable, is_sealed, secret_in

log = structlog.get_logger(__name__)

KINDS = frozenset({"credential", "block"})
"""Kinds of items that may hold a PIN."""


class HeldPins:
    """Seals and opens the PINs among the items. The secret is read, or made, when the first of them comes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seal: Seal | None = None

    def to_disk(self, kind: str, value: bytes) -> bytes:
        """An item's JSON as the disk holds it; `OSError` if the secret can neither be read nor made."""
        found = _pin(kind, value)
        if found is None or is_sealed(str(found["value"])):
            return value
        return msgspec.json.encode(found | {"value": self._sealing().seal(str(found["value"]))})

    def from_disk(self, kind: str, value: bytes) -> bytes | None:
        """An item's JSON as it came from the hub; None if it was sealed with a secret that is gone."""
        found = _pin(kind, value)
        if found is None or not is_sealed(str(found["value"])):
            return value
        try:
            return msgspec.json.encode(found | {"value": self._sealing().open(str(found["value"]))})
        except (NotSealed, OSError) as error:
            log.error("held.pin_unreadable", why=str(error) or "sealed with another secret")  # noqa: TRY400
            return None

    def lies_open(self, kind: str, value: bytes) -> bool:
        """Whether an item on the disk holds a PIN that is not sealed: it was written before they were."""
        found = _pin(kind, value)
        return found is not None and not is_sealed(str(found["value"]))

    def seal_held(self, db: sqlite3.Connection, rows: Sequence[tuple[str, str, bytes]]) -> None:
        """Seal items that lie open in the file; where the disk takes nothing, they wait until it is opened again."""
        if not rows:
            return
        try:
            # What is replaced is overwritten, and does not stay in the log either.
            db.execute("PRAGMA secure_delete=ON")
            db.execute("BEGIN IMMEDIATE")
            # Half a whole of before: it is sent again.
            db.execute("DELETE FROM arriving")
            for kind, name, value in rows:
                kept = self.to_disk(kind, value)
                db.execute("UPDATE items SET value=? WHERE kind=? AND id=?", (kept, kind, name))
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            log.info("held.pins_sealed", count=len(rows))
        except (OSError, sqlite3.Error) as error:
            log.warning("held.pins_lie_open", count=len(rows), why=str(error))
            if db.in_transaction:
                db.execute("ROLLBACK")

    def _sealing(self) -> Seal:
        if self._seal is None:
            try:
                secret = secret_in(self._path)
            except SecretUnreadable:
                if not self._path.exists():
                    raise
                # It opens nothing any more, and what it sealed the hub sends again.
                log.critical("held.secret_damaged", file=str(self._path))
                self._path.replace(self._path.with_name(f"{self._path.name}.damaged"))
                secret = secret_in(self._path)
            self._seal = Seal(secret, "held pin")
        return self._seal


def _pin(kind: str, value: bytes) -> dict[str, object] | None:
    """The item if it holds a PIN."""
    if kind not in KINDS or b'"pin"' not in value:
        return None
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) and found.get("kind") == "pin" and "value" in found else None
