"""Opens the journal's file, whatever state it is in: new, old, or damaged (then it is kept aside and begun anew)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import structlog

from contract.events import Clock as ClockState
from contract.instants import instant
from contract.kinds import JournalDamaged, StreamForked
from gateway.clock import Clock
from gateway.journal import tables
from gateway.journal.disk import Damaged, damaging, prepare, set_aside
from gateway.journal.records import Draft, Place, fact, placed, rechained
from gateway.journal.salvage import Salvaged, salvage

log = structlog.get_logger(__name__)


def opened(path: Path, clock: Clock, source: str) -> sqlite3.Connection:
    """The writing connection to a journal that has a current stream; `clock` is told the last instant in it."""
    try:
        return _begun(prepare(path, tables.MIGRATIONS), clock, path)
    except Damaged as damage:
        log.critical("journal.damaged", path=str(path), why=str(damage))
        return _begun_anew(path, clock, source, str(damage))


def _begun(db: sqlite3.Connection, clock: Clock, path: Path) -> sqlite3.Connection:
    try:
        clock.start_after(tables.last_wall(db))
        db.execute("BEGIN IMMEDIATE")
        if tables.current(db) is None:
            tables.begin_stream(db, 0)
        tables.remember_wall(db, clock.wall_ms())
        db.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        db.close()
        if damaging(error):
            raise Damaged(f"{path}: {error}") from error
        raise
    return db


def _begun_anew(path: Path, clock: Clock, source: str, why: str) -> sqlite3.Connection:
    clock.start_after(0)
    stamp = instant(clock.machine_ms()).replace(":", "").replace("-", "")
    aside = set_aside(path, stamp)
    found = salvage(aside)
    clock.start_after(found.wall_ms)
    db = prepare(path, tables.MIGRATIONS)
    db.execute("BEGIN IMMEDIATE")
    go_on(db, found, kept=aside.name, why=why, source=source, now_ms=clock.wall_ms(), clock=clock.state)
    db.execute("COMMIT")
    return db


def go_on(
    db: sqlite3.Connection, found: Salvaged, *, kept: str, why: str, source: str, now_ms: int, clock: ClockState
) -> None:
    """Puts into a new file what a damaged one still gave, inside the caller's transaction.

    The stream goes on with every event at its place: only the hub can say which of them it has. A damaged end is what
    an older copy of the journal is: if the hub has more, it will fork. Only without any event to follow, a new stream
    begins.
    """
    known = bool(found.stream and found.rows)
    last_id = max((row.id for row in found.rows), default=0)
    if known:
        last = found.rows[-1]
        # A number of its own: for those who compare places, what is in the new file is later than what was in the old.
        place = Place(found.number + 1, found.stream, last.seq, last.hash, last_id)
        tables.go_on(db, place.number, place.stream, found.acked or 0)
        tables.insert(db, (row._replace(number=place.number) for row in found.rows))
    else:
        place = tables.begin_stream(db, last_id)
        told = StreamForked(
            old_stream=found.stream,
            agreed=found.acked or 0,
            why=f"the journal was damaged ({why}); kept as {kept}",
            moved=len(found.unsent),
            missing=found.missing,
        )
        first, place = placed([fact(Draft(kind="stream.forked", source=source, data=told), now_ms, clock)], place)
        moved, place = rechained(found.unsent, place, found.stream)
        tables.insert(db, [*first, *moved])
    damage = JournalDamaged(kept=kept, why=why, saved=len(found.unsent), missing=found.missing)
    said, _ = placed([fact(Draft(kind="journal.damaged", source=source, data=damage), now_ms, clock)], place)
    tables.insert(db, said)
    tables.change_state(db, found.state)
    tables.remember_wall(db, now_ms)
    log.error("journal.begun_anew", kept=kept, saved=len(found.unsent), missing=found.missing, state=len(found.state))
