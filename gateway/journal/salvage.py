"""Reads what can still be read from a damaged journal: what the hub does not have yet, and the state of decisions."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from gateway.journal import tables
from gateway.journal.disk import connect
from gateway.journal.records import Row, StateChange


@dataclass(slots=True)
class Salvaged:
    """What was readable. `unsent`: events that the hub has not acknowledged, up to the first that cannot be read."""

    stream: str = ""
    acked: int = 0
    wall_ms: int = 0
    unsent: list[Row] = field(default_factory=list)
    state: list[StateChange] = field(default_factory=list)


def salvage(path: Path) -> Salvaged:
    """Whatever a damaged file still gives, each part for itself; empty if it is no database at all."""
    found = Salvaged()
    try:
        db = connect(path)
    except sqlite3.Error:
        return found
    try:
        for part in (_stream, _unsent, _state):
            try:
                part(db, found)
            except (sqlite3.Error, ValueError, TypeError):
                continue  # this part ends at the damage; the next one may lie before it
    finally:
        db.close()
    return found


def _stream(db: sqlite3.Connection, found: Salvaged) -> None:
    row = db.execute("SELECT stream, acked FROM streams ORDER BY number DESC LIMIT 1").fetchone()
    if row is not None:
        found.stream, found.acked = str(row[0]), int(row[1])
    found.wall_ms = tables.last_wall(db)


def _unsent(db: sqlite3.Connection, found: Salvaged) -> None:
    number = db.execute("SELECT number FROM streams WHERE stream=?", (found.stream,)).fetchone()
    if number is not None:
        for row in tables.rows_after(db, number[0], found.acked):
            found.unsent.append(row)


def _state(db: sqlite3.Connection, found: Salvaged) -> None:
    for kind, name, value in db.execute("SELECT kind, id, value FROM state"):
        found.state.append(StateChange(str(kind), str(name), bytes(value)))
