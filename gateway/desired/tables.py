"""The file of the desired state: its tables, what is written into them, and what is found there.

All functions work on the writer's own thread, `put` inside its transaction.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
import structlog

from gateway.desired.pins import HeldPins
from gateway.resting import in_bits
from gateway.sqlite.disk import from_both_ends, look
from gateway.sqlite.file import Damage

log = structlog.get_logger(__name__)

MIGRATIONS = (
    """
    CREATE TABLE items (
        kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    CREATE TABLE standing (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL);
    INSERT INTO standing (one, revision) VALUES (1, 0);
    """,
    """
    CREATE TABLE arriving (
        kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    """,
)
_NEW_ARRIVING = MIGRATIONS[1]

Row = tuple[str, str, bytes | None]
"""(kind, id, JSON of the value): one item; None: to drop."""


Form = Literal["delta", "first", "part", "whole"]


class Write(NamedTuple):
    """One transaction. `first`: the first part of a whole; `whole`: what has arrived replaces what is held."""

    form: Form
    revision: int
    rows: Sequence[Row]
    size: int


def put(db: sqlite3.Connection, write: Write, pins: HeldPins) -> None:
    """Writes what changed, or what has arrived; the secrets in it as `pins` seals them."""
    if write.form == "first":
        db.execute("DELETE FROM arriving")
    table = "items" if write.form == "delta" else "arriving"
    for kind, name, value in in_bits(write.rows):
        if value is None:
            db.execute(f"DELETE FROM {table} WHERE kind=? AND id=?", (kind, name))
        else:
            kept = pins.to_disk(kind, value)
            db.execute(f"INSERT OR REPLACE INTO {table} (kind, id, value) VALUES (?,?,?)", (kind, name, kept))
    if write.form == "whole":
        db.execute("DROP TABLE items")
        db.execute("ALTER TABLE arriving RENAME TO items")
        db.execute(_NEW_ARRIVING)
    if write.form in ("delta", "whole"):
        db.execute("UPDATE standing SET revision=?", (write.revision,))


def empty_log(db: sqlite3.Connection) -> None:
    """What was committed goes into the file, and the log holds nothing of before. The write stands whatever comes."""
    try:
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error as error:
        log.warning("held.log_not_emptied", why=str(error))
    else:
        if busy:
            log.info("held.log_in_use")


def take(pins: HeldPins, lying_open: list[tuple[str, str, bytes]], db: sqlite3.Connection) -> int:
    """The revision held; `lying_open` becomes the items whose PIN is not sealed. Every page is read once, so that what
    is damaged is known before anything is decided by it."""
    lying_open.clear()
    for kind, name, value in db.execute("SELECT kind, id, value FROM items"):
        if not isinstance(value, bytes):
            raise TypeError("a value that is none")
        if pins.lies_open(kind, value):
            lying_open.append((kind, name, value))
    return int(db.execute("SELECT revision FROM standing").fetchone()[0])


def fill(db: sqlite3.Connection, damage: Damage | None) -> None:
    """What a damaged file still gives; its revision is that of nothing, so that the hub sends everything again."""
    if damage is None:
        return
    try:
        old = look(damage.path)
    except sqlite3.Error as error:
        log.warning("held.nothing_saved", why=str(error))
        return
    try:
        for kind, name, value in from_both_ends(old, "SELECT kind, id, value FROM items ORDER BY kind, id"):
            with contextlib.suppress(ValueError, TypeError):
                msgspec.json.decode(value)
                db.execute("INSERT OR IGNORE INTO items (kind, id, value) VALUES (?,?,?)", (kind, name, value))
    finally:
        old.close()
