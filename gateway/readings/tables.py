"""The readings' tables and every statement on them. All functions work inside the caller's transaction.

`blobs` is the outbox: by sequence, until the hub has acknowledged them and their readings stand in `chunks`, which are
the site's own history. Times are Unix milliseconds.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from contract.facts.machines import ReadingsDropped
from contract.readings import Column, Reading
from gateway.readings import blobs

MIGRATIONS = (
    """
    CREATE TABLE blobs (
        seq INTEGER PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL, count INTEGER NOT NULL,
        data BLOB NOT NULL
    );
    CREATE TABLE chunks (
        id INTEGER PRIMARY KEY, point TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, data BLOB NOT NULL
    );
    CREATE INDEX chunks_by_point ON chunks (point, until);
    CREATE TABLE latest (point TEXT PRIMARY KEY, reading BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE standing (
        one INTEGER PRIMARY KEY CHECK (one = 1), store TEXT NOT NULL, last INTEGER NOT NULL DEFAULT 0,
        acked INTEGER NOT NULL DEFAULT 0, chunked INTEGER NOT NULL DEFAULT 0
    );
    """,
)


BLOBS_LIMIT = 1_000_000
"""More blobs than a store ever holds: eleven days, one a second, with the hub gone."""


class StoreStanding(NamedTuple):
    """Where the store stands: its id, the last blob, what the hub has, what stands in chunks."""

    store: str
    last: int
    acked: int
    chunked: int


def begin(db: sqlite3.Connection) -> None:
    """A new store, of a random id."""
    db.execute("INSERT INTO standing (one, store) VALUES (1, ?)", (secrets.token_hex(16),))


def standing(db: sqlite3.Connection) -> StoreStanding:
    """Where the store stands."""
    return StoreStanding(*db.execute("SELECT store, last, acked, chunked FROM standing").fetchone())


def renew(db: sqlite3.Connection) -> StoreStanding:
    """Another id for the same blobs: the hub takes what follows as a store that it does not know."""
    db.execute("UPDATE standing SET store=?", (secrets.token_hex(16),))
    return standing(db)


def insert(db: sqlite3.Connection, readings: Sequence[Reading], columns: Sequence[Column]) -> int:
    """Adds one blob and brings the latest values up to date; its sequence."""
    since, until = blobs.span(columns)
    db.execute("UPDATE standing SET last=last+1")
    seq = standing(db).last
    db.execute(
        "INSERT INTO blobs (seq, since, until, count, data) VALUES (?,?,?,?,?)",
        (seq, since, until, len(readings), blobs.pack(columns)),
    )
    remember(db, readings)
    return seq


def remember(db: sqlite3.Connection, readings: Iterable[Reading]) -> None:
    """Notes the last reading of each of these points."""
    newest = {reading.point: reading for reading in readings}
    db.executemany(
        "INSERT INTO latest (point, reading) VALUES (?,?) ON CONFLICT (point) DO UPDATE SET reading=excluded.reading",
        [(point, blobs.pack_one(reading)) for point, reading in newest.items()],
    )


def latest(db: sqlite3.Connection) -> dict[str, Reading]:
    """The last reading of every point."""
    return {point: blobs.unpack_one(data) for point, data in db.execute("SELECT point, reading FROM latest")}


def acknowledge(db: sqlite3.Connection, store: str, acked: int) -> int:
    """Notes what the hub has of this store, and lets go of what nobody needs any more; the lowest sequence held."""
    db.execute("UPDATE standing SET acked=? WHERE store=?", (acked, store))
    sweep(db)
    return oldest(db)


def sweep(db: sqlite3.Connection) -> None:
    """Removes blobs that the hub has and that stand in chunks."""
    db.execute("DELETE FROM blobs WHERE seq <= (SELECT min(acked, chunked) FROM standing)")


def chunk(db: sqlite3.Connection) -> None:
    """Gathers the blobs since the last time into one chunk for each point."""
    standing_now = standing(db)
    found = db.execute("SELECT data FROM blobs WHERE seq>? ORDER BY seq", (standing_now.chunked,))
    made = blobs.chunks(_readable(data for (data,) in found))
    db.executemany(
        "INSERT INTO chunks (point, since, until, data) VALUES (?,?,?,?)",
        [(column.point, *blobs.span([column]), blobs.pack([column])) for column in made],
    )
    db.execute("UPDATE standing SET chunked=last")
    sweep(db)


def _readable(found: Iterable[bytes]) -> Iterator[list[Column]]:
    """Columns of blobs; one that cannot be read is told when it should be sent, and must not stop the others."""
    for data in found:
        try:
            yield blobs.unpack(data)
        except (ValueError, TypeError):
            continue


def oldest(db: sqlite3.Connection) -> int:
    """The lowest sequence held; the next one if there is none."""
    return int(db.execute("SELECT coalesce(min(seq), (SELECT last + 1 FROM standing)) FROM blobs").fetchone()[0])


class Blob(NamedTuple):
    """One blob, the oldest sequence held, how many readings it has, and its columns (None if they cannot be read)."""

    seq: int
    oldest: int
    readings: int
    columns: list[Column] | None


def blob(db: sqlite3.Connection, after: int) -> Blob | None:
    """The first blob after a sequence."""
    row = db.execute(
        "SELECT seq, (SELECT min(seq) FROM blobs), count, data FROM blobs WHERE seq>? ORDER BY seq LIMIT 1", (after,)
    ).fetchone()
    if row is None:
        return None
    seq, first, count, data = row
    try:
        return Blob(int(seq), int(first), int(count), blobs.unpack(data))
    except (ValueError, TypeError):
        return Blob(int(seq), int(first), int(count), None)


def history(db: sqlite3.Connection, points: Collection[str], from_ms: int, to_ms: int) -> list[Reading]:
    """The readings of these points between two moments, as far as they are in the file; each blob is read once."""
    found: list[Reading] = []
    wanted = frozenset(points)
    for point in points:
        chunks = db.execute(
            "SELECT data FROM chunks WHERE point=? AND until>=? AND since<=? ORDER BY until", (point, from_ms, to_ms)
        )
        for (data,) in chunks:
            found += blobs.readings_of(blobs.pick(data, wanted), from_ms, to_ms)
    fresh = db.execute(
        "SELECT data FROM blobs WHERE seq > (SELECT chunked FROM standing) AND until>=? AND since<=? ORDER BY seq",
        (from_ms, to_ms),
    )
    for (data,) in fresh:
        found += blobs.readings_of(blobs.pick(data, wanted), from_ms, to_ms)
    return found


def forget_before(db: sqlite3.Connection, before_ms: int) -> None:
    """Removes history that ended before a moment."""
    db.execute("DELETE FROM chunks WHERE id IN (SELECT id FROM chunks WHERE until<? LIMIT 1000)", (before_ms,))


def shrink(db: sqlite3.Connection) -> ReadingsDropped | None:
    """Makes room: the oldest tenth of the history; when there is none, of what the hub does not have yet."""
    chunks_held = int(db.execute("SELECT count(*) FROM chunks").fetchone()[0])
    if chunks_held:
        db.execute(
            "DELETE FROM chunks WHERE id IN (SELECT id FROM chunks ORDER BY until LIMIT ?)", (chunks_held // 10 + 1,)
        )
        return None
    held = int(db.execute("SELECT count(*) FROM blobs").fetchone()[0])
    going = db.execute("SELECT seq, count FROM blobs ORDER BY seq LIMIT ?", (held // 10 + 1,)).fetchall()
    if not going:
        return None
    first, last = going[0][0], going[-1][0]
    db.execute("DELETE FROM blobs WHERE seq<=?", (last,))
    unsent = [(seq, number) for seq, number in going if seq > standing(db).acked]
    if not unsent:
        return None
    first = unsent[0][0]
    return ReadingsDropped(first_seq=first, last_seq=last, count=sum(number for _, number in unsent))
