"""Saves from a damaged readings' store what can still be read: unsent blobs, history, the last of each point."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog

from contract.facts.machines import ReadingsDropped
from gateway.readings import blobs, tables
from gateway.sqlite.disk import from_both_ends, look

log = structlog.get_logger(__name__)

HIDDEN = 50_000
"""Rows that one damaged page hides at the most: a page in the middle of the tree hides those of many leaves."""

STRIDE = 64
"""How far ahead it is tried whether reading goes on, so that no leaf that is whole is leapt over."""

_BLOBS = "SELECT seq, since, until, count, data FROM blobs WHERE seq BETWEEN ? AND ? ORDER BY seq"
_CHUNKS = "SELECT id, point, since, until, data FROM chunks WHERE id BETWEEN ? AND ? ORDER BY id"


def save(path: Path, into: sqlite3.Connection) -> ReadingsDropped | None:
    """Puts what the file in `path` still gives into an empty store; what the hub will never have, if that is known.

    The store has another id and counts its blobs anew: the hub takes the readings by their points and times, so that
    what it has already is not doubled.
    """
    try:
        old = look(path)
    except sqlite3.Error as error:
        log.warning("readings.nothing_saved", why=str(error))
        return None
    try:
        _save_latest(old, into)
        _save_history(old, into)
        return _save_unsent(old, into)
    finally:
        old.close()


def _save_latest(old: sqlite3.Connection, into: sqlite3.Connection) -> None:
    for point, data in from_both_ends(old, "SELECT point, reading FROM latest ORDER BY point"):
        try:
            blobs.unpack_one(data)
        except (ValueError, TypeError):
            continue
        into.execute("INSERT OR IGNORE INTO latest (point, reading) VALUES (?,?)", (point, data))


def _save_history(old: sqlite3.Connection, into: sqlite3.Connection) -> None:
    for _, *row in _stepping_over(old, _CHUNKS, _span(old, "chunks", "id")):
        try:
            blobs.unpack(row[-1])
        except (ValueError, TypeError):
            continue
        into.execute("INSERT INTO chunks (point, since, until, data) VALUES (?,?,?,?)", row)


def _save_unsent(old: sqlite3.Connection, into: sqlite3.Connection) -> ReadingsDropped | None:
    try:
        standing = tables.standing(old)
    except (sqlite3.Error, TypeError):
        standing = tables.StoreStanding("", 0, 0, 0)
    low, high = _span(old, "blobs", "seq")
    expected = max(low, standing.acked + 1)
    saved = chunked = 0
    lost = _Lost()
    for seq, since, until, count, data in _stepping_over(old, _BLOBS, (expected, max(high, standing.last))):
        lost.blobs(expected, seq - 1)
        expected = seq + 1
        try:
            blobs.unpack(data)
        except (ValueError, TypeError):
            lost.blobs(seq, seq, int(count))
            continue
        saved += 1
        chunked += seq <= standing.chunked
        into.execute(
            "INSERT INTO blobs (seq, since, until, count, data) VALUES (?,?,?,?,?)", (saved, since, until, count, data)
        )
    lost.blobs(expected, standing.last)
    into.execute("UPDATE standing SET last=?, chunked=?", (saved, chunked))
    log.warning("readings.saved", blobs=saved, lost=lost.readings)
    return lost.told


class _Lost:
    """Blobs that cannot be read. Of one whose row is gone it is not known how many readings it had: at least one."""

    def __init__(self) -> None:
        self.told: ReadingsDropped | None = None

    @property
    def readings(self) -> int:
        return 0 if self.told is None else self.told.count

    def blobs(self, first: int, last: int, readings: int = 0) -> None:
        if first > last:
            return
        began = first if self.told is None else self.told.first_seq
        count = self.readings + max(readings, last - first + 1)
        self.told = ReadingsDropped(first_seq=began, last_seq=last, count=count)


def _span(db: sqlite3.Connection, table: str, key: str) -> tuple[int, int]:
    """The lowest and the highest key; of an end that cannot be read, what it may be at the most. Empty: (1, 0)."""
    low, high = (_end(db, f"SELECT {key} FROM {table} ORDER BY {key} {order} LIMIT 1") for order in ("ASC", "DESC"))
    if low is None and high is None:
        return 1, 0
    return low or 1, high or (low or 0) + tables.BLOBS_LIMIT


def _end(db: sqlite3.Connection, select: str) -> int | None:
    try:
        found = db.execute(select).fetchone()
    except sqlite3.Error:
        return None
    return None if found is None else int(found[0])


def _stepping_over(db: sqlite3.Connection, select: str, span: tuple[int, int]) -> Iterator[tuple[Any, ...]]:
    """The rows between two keys, in order, but those that cannot be read."""
    low, high = span
    while low <= high:
        try:
            for row in db.execute(select, (low, high)):
                yield row
                low = int(row[0]) + 1
        except sqlite3.Error:
            low = _behind_the_damage(db, select, low, high)
        else:
            return


def _behind_the_damage(db: sqlite3.Connection, select: str, bad: int, high: int) -> int:
    """The first key after `bad` from which reading goes on; one above `high` if there is none."""
    step, began = 1, bad
    good = bad + step
    while not _reads(db, select, good, high):
        if good >= high or good - began > HIDDEN:
            return high + 1
        bad, step = good, min(2 * step, STRIDE)
        good = min(good + step, high)
    while good - bad > 1:
        middle = (bad + good) // 2
        bad, good = (bad, middle) if _reads(db, select, middle, high) else (middle, good)
    return good


def _reads(db: sqlite3.Connection, select: str, low: int, high: int) -> bool:
    try:
        db.execute(select, (low, high)).fetchone()
    except sqlite3.Error:
        return False
    return True
