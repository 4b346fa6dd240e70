"""The journal's tables and every statement on them. All functions work inside the caller's transaction.

`events.id` is the place over all streams; `(stream, seq)` the place in a stream. Times are Unix milliseconds.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from contract.events import GENESIS, Batch, Clock, Hash, StreamId, batch_fault
from contract.limits import BATCH_LIMIT
from gateway.journal.records import (
    Fact,
    First,
    Place,
    Recorded,
    Row,
    StateChange,
    event_of,
    moved_of,
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
    """
    ALTER TABLE events ADD COLUMN first_stream TEXT;
    ALTER TABLE events ADD COLUMN first_seq INTEGER;
    ALTER TABLE events ADD COLUMN first_hash BLOB;
    """,
)

BATCH_BYTES = 800_000
"""Bytes of event data in one batch at the most, so that it fits one payload even if nothing compresses."""

PRUNE_SLICE = 500
"""Events removed in one transaction at the most, so that an append never waits long for it."""

_COLUMNS = "id, number, seq, at, kind, source, doubtful, data, hash, first_stream, first_seq, first_hash"
_RECORDED = (
    f"SELECT {', '.join(f'events.{name}' for name in _COLUMNS.split(', '))}, stream"
    " FROM events JOIN streams USING (number)"
)
_INSERT = f"INSERT INTO events ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"


class NotHeld(LookupError):
    """Events were asked for that this journal no longer holds (or never did, or that were lost with a damaged file)."""


class BrokenChain(ValueError):
    """What the journal holds contradicts itself: the file was changed by something else."""


def begin_stream(db: sqlite3.Connection, last_id: int, *, after: int = 0) -> Place:
    """A new stream of a random id, to be the current one; its number is above `after` and all that are there."""
    stream = secrets.token_hex(16)
    number = db.execute(
        "INSERT INTO streams (number, stream) SELECT max(?, coalesce(max(number), 0)) + 1, ? FROM streams",
        (after, stream),
    ).lastrowid
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


def go_on(db: sqlite3.Connection, number: int, stream: StreamId, acked: int) -> None:
    """A stream of a file before this one goes on here, under this number."""
    db.execute("INSERT INTO streams (number, stream, acked) VALUES (?,?,?)", (number, stream, acked))


def hash_at(db: sqlite3.Connection, number: int, seq: int) -> Hash | None:
    """The hash of an event, None if it is not held."""
    found = db.execute("SELECT hash FROM events WHERE number=? AND seq=?", (number, seq)).fetchone()
    return None if found is None else str(found[0].hex())


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


def all_state(db: sqlite3.Connection) -> dict[str, dict[str, bytes]]:
    """All state, by kind and id."""
    found: dict[str, dict[str, bytes]] = {}
    for kind, name, value in db.execute("SELECT kind, id, value FROM state"):
        found.setdefault(kind, {})[name] = bytes(value)
    return found


def acknowledge(db: sqlite3.Connection, number: int, acked: int) -> None:
    """Notes what the hub holds of a stream."""
    db.execute("UPDATE streams SET acked=? WHERE number=?", (acked, number))


def remember_wall(db: sqlite3.Connection, wall_ms: int) -> None:
    """Notes what time it is: the clock alone decides whether that may be earlier than what was noted before."""
    db.execute(
        "INSERT INTO facts (name, value) VALUES ('wall', ?) ON CONFLICT (name) DO UPDATE SET value=excluded.value",
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
    values: list[int | str] = []
    for clause, value in (("id>?", after), ("id<?", before), ("kind=?", kind), ("source=?", source)):
        if value is not None:
            wanted.append(f"events.{clause}")
            values.append(value)
    where = " AND ".join(wanted) or "1"
    order = "ASC" if after is not None else "DESC"
    found = db.execute(f"{_RECORDED} WHERE {where} ORDER BY id {order} LIMIT ?", (*values, limit))
    return [recorded(row(each[:-1]), each[-1]) for each in found]


def placed_at(db: sqlite3.Connection, *, stream: StreamId, seq: int, source: str) -> Recorded | None:
    """The event of `source` that stands at that place, or stood there before a fork; None: none that is held."""
    for where, values in (
        ("number=(SELECT number FROM streams WHERE stream=?) AND seq=? AND source=?", (stream, seq, source)),
        ("first_stream=? AND first_seq=? AND source=?", (stream, seq, source)),
    ):
        found = db.execute(f"{_RECORDED} WHERE {where}", values).fetchone()
        if found is not None:
            return recorded(row(found[:-1]), found[-1])
    return None


def batch(db: sqlite3.Connection, number: int, stream: StreamId, after: int, upto: int) -> Batch | None:
    """The next batch after `after`, nothing beyond `upto`; `NotHeld` or `BrokenChain` if it cannot be made.

    `ValueError` for an event that is none any more: a fork would not mend that.
    """
    prev: Hash | None = GENESIS if after == 0 else hash_at(db, number, after)
    if prev is None:
        raise NotHeld(f"event {after} of stream {stream} is not held")
    rows = _fitting(db, number, after, upto)
    if not rows:
        return None
    made = Batch(
        stream=stream,
        first_seq=after + 1,
        prev=prev,
        head=rows[-1].hash,
        events=tuple(map(event_of, rows)),
        moved=tuple(moved for moved in map(moved_of, rows) if moved is not None),
    )
    fault = batch_fault(made)
    if fault is not None:
        for row in rows:
            msgspec.json.decode(row.data)
        raise BrokenChain(fault)
    return made


def _fitting(db: sqlite3.Connection, number: int, after: int, upto: int) -> list[Row]:
    rows: list[Row] = []
    size = 0
    for each in db.execute(
        f"SELECT {_COLUMNS} FROM events WHERE number=? AND seq>? AND seq<=? ORDER BY seq LIMIT ?",
        (number, after, upto, BATCH_LIMIT),
    ):
        found = row(each)
        size += len(found.data) + (300 if found.first is None else 500)
        if rows and (size > BATCH_BYTES or found.seq != rows[-1].seq + 1):
            break
        rows.append(found)
    if rows and rows[0].seq != after + 1:
        raise NotHeld(f"events {after + 1} to {rows[0].seq - 1} are not held")
    return rows


# --- Forks and pruning


def rows_after(db: sqlite3.Connection, number: int, seq: int) -> Iterator[Row]:
    """All events of a stream after `seq`, one by one."""
    for each in db.execute(f"SELECT {_COLUMNS} FROM events WHERE number=? AND seq>? ORDER BY seq", (number, seq)):
        yield row(each)


class Forked(NamedTuple):
    """What a fork made: the new stream's first event, and how many followed it there."""

    first: Recorded
    moved: int


def fork(
    db: sqlite3.Connection, place: Place, *, agreed: int, first: Callable[[int, int], Fact]
) -> tuple[Place, Forked]:
    """Begins a new stream and moves everything after `agreed` there; `first` makes its first event of two numbers.

    These are how many events are moved, and how many after `agreed` are missing.
    """
    acknowledge(db, place.number, agreed)
    moving = list(rows_after(db, place.number, agreed))
    told = first(len(moving), place.seq - agreed - len(moving))
    head, new = placed([told], begin_stream(db, place.id))
    moved, new = rechained(moving, new, place.stream)
    insert(db, head)
    db.executemany(
        "UPDATE events SET number=?, seq=?, hash=?, first_stream=?, first_seq=?, first_hash=? WHERE id=?",
        [(new.number, each.seq, bytes.fromhex(each.hash), *_first_stored(each.first), each.id) for each in moved],
    )
    return new, Forked(recorded(head[0], new.stream), len(moved))


def note_wall(db: sqlite3.Connection, place: Place, *, wall_ms: int) -> tuple[Place, None]:
    """Notes what time it is, as a job of the writer."""
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
    # What was recorded before an event is older than it, whatever time the clock told then.
    going = max((place for place, (_, at) in enumerate(oldest, start=1) if over or at < before_ms), default=0)
    if going:
        db.execute("DELETE FROM events WHERE id<=?", (oldest[going - 1][0],))
    return going


def used_bytes(db: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    pages, free, size = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in _SIZES)
    return (pages - free) * size


_SIZES = ("page_count", "freelist_count", "page_size")


def _stored(of: Row) -> tuple[object, ...]:
    doubtful = of.clock == "doubtful"
    mine = (of.id, of.number, of.seq, of.at_ms, of.kind, of.source, doubtful, of.data, bytes.fromhex(of.hash))
    return mine + _first_stored(of.first)


def _first_stored(first: First | None) -> tuple[object, object, object]:
    return (None, None, None) if first is None else (first.stream, first.seq, bytes.fromhex(first.hash))


def row(stored: Sequence[Any]) -> Row:
    """An event from what the table holds of it."""
    id, number, seq, at, kind, source, doubtful, data, head, first_stream, first_seq, first_hash = stored
    clock: Clock = "doubtful" if doubtful else "ok"
    first = None if first_stream is None else First(first_stream, first_seq, first_hash.hex())
    return Row(id, number, seq, at, kind, source, clock, bytes(data), head.hex(), first)
