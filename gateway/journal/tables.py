"""The journal's tables and every statement on them. All functions work inside the caller's transaction.

`events.id` is the place over all streams; `(stream, seq)` the place in a stream. Times are Unix milliseconds.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from contract.events import BATCH_LIMIT, GENESIS, Batch, Clock, StreamId, batch_fault
from gateway.journal.records import (
    Fact,
    Place,
    Recorded,
    Row,
    StateChange,
    event_of,
    placed,
    rechained,
    recorded,
)

MIGRATIONS = (
    """
    CREATE TABLE streams (
        number INTEGER PRIMARY KEY, stream TEXT NOT NULL UNIQUE, acked INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE events (
        id INTEGER PRIMARY KEY, number INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
        kind TEXT NOT NULL, source TEXT NOT NULL, doubtful INTEGER NOT NULL, data BLOB NOT NULL, hash BLOB NOT NULL
    );
    CREATE UNIQUE INDEX events_by_seq ON events (number, seq);
    CREATE INDEX events_by_kind ON events (kind);
    CREATE INDEX events_by_source ON events (source);
    CREATE TABLE state (
        kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;
    CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    """,
)

BATCH_BYTES = 800_000
"""Bytes of event data in one batch at the most, so that it fits one payload even if nothing compresses."""

PRUNE_SLICE = 500
"""Events removed in one transaction at the most, so that an append never waits long for it."""

_COLUMNS = "id, number, seq, at, kind, source, doubtful, data, hash"
_INSERT = f"INSERT INTO events ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)"


class NotHeld(LookupError):
    """Events were asked for that this journal no longer holds (or never did)."""


class BrokenChain(ValueError):
    """What the journal holds contradicts itself: the file was changed by something else."""


def begin_stream(db: sqlite3.Connection, last_id: int) -> Place:
    """A new stream of a random id, to be the current one."""
    stream = secrets.token_hex(16)
    number = db.execute("INSERT INTO streams (stream) VALUES (?)", (stream,)).lastrowid
    assert number is not None
    return Place(number, stream, id=last_id)


def current(db: sqlite3.Connection) -> tuple[Place, int] | None:
    """Where the journal stands, and what is acknowledged of its stream; None in a new file."""
    stream = db.execute("SELECT number, stream, acked FROM streams ORDER BY number DESC LIMIT 1").fetchone()
    if stream is None:
        return None
    number, name, acked = stream
    last = db.execute("SELECT seq, hash FROM events WHERE number=? ORDER BY seq DESC LIMIT 1", (number,)).fetchone()
    seq, head = (last[0], last[1].hex()) if last else (0, GENESIS)
    last_id = int(db.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0])
    return Place(number, name, seq, head, last_id), int(acked)


def first_held(db: sqlite3.Connection, number: int) -> int | None:
    """The lowest sequence of a stream that is still held."""
    found = db.execute("SELECT min(seq) FROM events WHERE number=?", (number,)).fetchone()[0]
    return None if found is None else int(found)


def insert(db: sqlite3.Connection, rows: Iterable[Row]) -> None:
    """Adds events."""
    db.executemany(_INSERT, map(_stored, rows))


def change_state(db: sqlite3.Connection, changes: Iterable[StateChange]) -> None:
    """Applies state changes in their order."""
    for kind, name, value in changes:
        if value is None:
            db.execute("DELETE FROM state WHERE kind=? AND id=?", (kind, name))
        else:
            db.execute(
                "INSERT INTO state (kind, id, value) VALUES (?,?,?)"
                " ON CONFLICT (kind, id) DO UPDATE SET value=excluded.value",
                (kind, name, value),
            )


def state_of(db: sqlite3.Connection, kind: str) -> dict[str, bytes]:
    """The state of one kind, by id."""
    return {name: bytes(value) for name, value in db.execute("SELECT id, value FROM state WHERE kind=?", (kind,))}


def acknowledge(db: sqlite3.Connection, number: int, acked: int) -> None:
    """Notes what the hub holds of a stream."""
    db.execute("UPDATE streams SET acked=? WHERE number=?", (acked, number))


def remember_wall(db: sqlite3.Connection, wall_ms: int) -> None:
    """Notes an instant that has passed."""
    db.execute(
        "INSERT INTO facts (name, value) VALUES ('wall', ?)"
        " ON CONFLICT (name) DO UPDATE SET value=max(value, excluded.value)",
        (wall_ms,),
    )


def last_wall(db: sqlite3.Connection) -> int:
    """The last instant that this journal knows of, Unix milliseconds; 0 in a new file."""
    noted = db.execute("SELECT value FROM facts WHERE name='wall'").fetchone()
    last = db.execute("SELECT at FROM events ORDER BY id DESC LIMIT 1").fetchone()
    return max(int(noted[0]) if noted else 0, int(last[0]) if last else 0)


# --- Reading


def select(
    db: sqlite3.Connection,
    *,
    after: int | None,
    before: int | None,
    limit: int,
    kind: str | None,
    source: str | None,
) -> list[Recorded]:
    """Events by local id: with `after` oldest first, otherwise newest first."""
    wanted: list[str] = []
    values: list[Any] = []
    for clause, value in (("id>?", after), ("id<?", before), ("kind=?", kind), ("source=?", source)):
        if value is not None:
            wanted.append(f"events.{clause}")
            values.append(value)
    where = " AND ".join(wanted) or "1"
    order = "ASC" if after is not None else "DESC"
    columns = ", ".join(f"events.{name.strip()}" for name in _COLUMNS.split(","))
    found = db.execute(
        f"SELECT {columns}, stream FROM events JOIN streams USING (number) WHERE {where} ORDER BY id {order} LIMIT ?",
        (*values, limit),
    )
    return [recorded(_row(each[:-1]), each[-1]) for each in found]


def batch(db: sqlite3.Connection, number: int, stream: StreamId, after: int, upto: int) -> Batch | None:
    """The next batch after `after`, nothing beyond `upto`; `NotHeld` or `BrokenChain` if it cannot be made."""
    prev = GENESIS
    if after > 0:
        found = db.execute("SELECT hash FROM events WHERE number=? AND seq=?", (number, after)).fetchone()
        if found is None:
            raise NotHeld(f"event {after} of stream {stream} is not held")
        prev = found[0].hex()
    rows = _fitting(db, number, after, upto)
    if not rows:
        return None
    made = Batch(
        stream=stream,
        first_seq=after + 1,
        prev=prev,
        head=rows[-1].hash,
        events=tuple(event_of(row) for row in rows),
    )
    fault = batch_fault(made)
    if fault is not None:
        raise BrokenChain(fault)
    return made


def _fitting(db: sqlite3.Connection, number: int, after: int, upto: int) -> list[Row]:
    rows: list[Row] = []
    size = 0
    for each in db.execute(
        f"SELECT {_COLUMNS} FROM events WHERE number=? AND seq>? AND seq<=? ORDER BY seq LIMIT ?",
        (number, after, upto, BATCH_LIMIT),
    ):
        row = _row(each)
        size += len(row.data) + 300
        if rows and size > BATCH_BYTES:
            break
        rows.append(row)
    return rows


# --- Forks and pruning


def rows_after(db: sqlite3.Connection, number: int, seq: int) -> Iterator[Row]:
    """All events of a stream after `seq`, one by one: in a damaged file those before the damage still come."""
    for each in db.execute(f"SELECT {_COLUMNS} FROM events WHERE number=? AND seq>? ORDER BY seq", (number, seq)):
        yield _row(each)


class Forked(NamedTuple):
    """What a fork made: the new stream's first event, and how many followed it there."""

    first: Recorded
    moved: int


def fork(db: sqlite3.Connection, place: Place, *, agreed: int, first: Fact) -> tuple[Place, Forked]:
    """Begins a new stream with `first` and moves everything after `agreed` behind it."""
    acknowledge(db, place.number, agreed)
    moving = list(rows_after(db, place.number, agreed))
    head, new = placed([first], begin_stream(db, place.id))
    moved, new = rechained(moving, new)
    insert(db, head)
    db.executemany(
        "UPDATE events SET number=?, seq=?, hash=? WHERE id=?",
        [(row.number, row.seq, bytes.fromhex(row.hash), row.id) for row in moved],
    )
    return new, Forked(recorded(head[0], new.stream), len(moved))


def note_wall(db: sqlite3.Connection, place: Place, *, wall_ms: int) -> tuple[Place, None]:
    """Notes an instant that has passed, as a job of the writer."""
    remember_wall(db, wall_ms)
    return place, None


def note_ack(db: sqlite3.Connection, place: Place, *, acked: Callable[[], tuple[int, int]]) -> tuple[Place, None]:
    """Notes the newest acknowledgement (stream's number, sequence), as a job of the writer."""
    acknowledge(db, *acked())
    return place, None


def pruned(
    db: sqlite3.Connection, place: Place, *, acked: int, before_ms: int, quota_bytes: int
) -> tuple[Place, tuple[int, int]]:
    """Removes a slice, as a job of the writer: how many went, and the lowest sequence that is still held."""
    gone = prune(db, place, acked, before_ms=before_ms, quota_bytes=quota_bytes)
    return place, (gone, first_held(db, place.number) or 0)


def prune(db: sqlite3.Connection, place: Place, acked: int, *, before_ms: int, quota_bytes: int) -> int:
    """Removes a slice of the oldest events that the hub holds, by age or while over the quota; how many.

    The event at `acked` and all after it stay: the next batch is chained to it.
    """
    # After a fork, events that were moved on stand at older ids than those that were not: the lowest id counts.
    needed = db.execute("SELECT min(id) FROM events WHERE number=? AND seq>=?", (place.number, acked)).fetchone()[0]
    limit = place.id if needed is None else int(needed)
    oldest = db.execute("SELECT id, at FROM events WHERE id<? ORDER BY id LIMIT ?", (limit, PRUNE_SLICE)).fetchall()
    over = used_bytes(db) > quota_bytes
    gone = [name for name, _ in takewhile(lambda each: over or each[1] < before_ms, oldest)]
    if gone:
        db.execute("DELETE FROM events WHERE id<=?", (gone[-1],))
    return len(gone)


def used_bytes(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    pages, free, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in _SIZES)
    return (pages - free) * size


_SIZES = ("page_count", "freelist_count", "page_size")


def _stored(row: Row) -> tuple[object, ...]:
    doubtful = row.clock == "doubtful"
    return (row.id, row.number, row.seq, row.at_ms, row.kind, row.source, doubtful, row.data, bytes.fromhex(row.hash))


def _row(stored: Sequence[Any]) -> Row:
    number, stream, seq, at, kind, source, doubtful, data, head = stored
    clock: Clock = "doubtful" if doubtful else "ok"
    return Row(number, stream, seq, at, kind, source, clock, bytes(data), head.hex())
