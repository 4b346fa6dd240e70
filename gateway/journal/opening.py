"""Opens the journal's file, whatever state it is in: new, old, or damaged (then it is kept aside and begun anew)."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import structlog

from contract.instants import instant
from contract.kinds import StreamForked
from gateway.clock import Clock
from gateway.journal import tables
from gateway.journal.disk import Damaged, damaging, prepare, set_aside
from gateway.journal.records import Draft, fact, placed, rechained
from gateway.journal.salvage import salvage

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
    place = tables.begin_stream(db, 0)
    told = StreamForked(
        old_stream=found.stream,
        agreed=found.acked,
        why=f"the journal was damaged ({why}); kept as {aside.name}, {len(found.unsent)} events saved from it",
    )
    draft = fact(Draft(kind="stream.forked", source=source, data=told), clock.wall_ms(), clock.state)
    first, place = placed([draft], place)
    saved, place = rechained(found.unsent, place)
    tables.insert(db, first)
    tables.insert(db, [row._replace(id=first[0].id + n) for n, row in enumerate(saved, start=1)])
    tables.change_state(db, found.state)
    tables.remember_wall(db, clock.wall_ms())
    db.execute("COMMIT")
    log.error("journal.begun_anew", kept=aside.name, saved=len(saved), state=len(found.state))
    return db
