"""Reads what can still be read from a damaged journal: what the hub does not have yet, and the state of decisions.

SQLite is asked first: it is quick, and mostly only one page is gone. What it does not give is looked for page by page,
and events that no page holds among the older copies of pages that the write-ahead log has left.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from gateway.journal import tables
from gateway.journal.records import Row, StateChange, completed, unbroken
from gateway.sqlite.disk import look
from gateway.sqlite.pages import Image, PageRecord, Pages

_STREAM = re.compile(r"[0-9a-f]{32}")
_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(slots=True)
class Salvaged:
    """What was readable of the current stream. `acked` None: it could not be read what the hub has acknowledged.

    `rows`: by sequence, from the acknowledged one on, without those that cannot be read or that the chain belies.
    """

    stream: str = ""
    number: int = 0
    acked: int | None = None
    wall_ms: int = 0
    rows: list[Row] = field(default_factory=list)
    state: list[StateChange] = field(default_factory=list)

    @property
    def unsent(self) -> list[Row]:
        """The rows that the hub has not acknowledged."""
        return [row for row in self.rows if row.seq > (self.acked or 0)]

    @property
    def missing(self) -> int:
        """How many events are known to be lost: those between others, or between others and the acknowledged one."""
        if not self.rows:
            return 0
        before = self.rows[0].seq - 1 if self.acked is None else self.acked
        return self.rows[-1].seq - before - sum(row.seq > before for row in self.rows)


def salvage(path: Path) -> Salvaged:
    """Whatever a damaged file still gives; nothing if it is no database at all."""
    found = Salvage(current=True)
    whole = found.asked(path)
    if not whole:
        with pages_of(path) as pages:
            for record in pages.records():
                found.take(record)
            for record in pages.former():
                found.take_former(record)
    return found.salvaged()


@contextmanager
def pages_of(path: Path) -> Iterator[Pages]:
    """The pages of a database file, together with its write-ahead log, read where they lie."""
    log = path.with_name(path.name + "-wal")
    with ExitStack() as files:
        file = files.enter_context(_image(path))
        beside: Image = b""
        with suppress(OSError):
            beside = files.enter_context(_image(log))
        yield Pages(file, beside)


class Salvage:
    """Gathers rows of every kind: first what SQLite gives, then what the pages hold.

    `current`: of events only those of the newest stream that the hub has not acknowledged; the others may be many.
    """

    def __init__(self, *, current: bool = False) -> None:
        self._current = current
        self._newest = 0
        self.streams: dict[int, str] = {}
        self.acked: dict[int, int] = {}
        self.rows: dict[int, Row] = {}
        self.state: dict[tuple[str, str], bytes] = {}
        self.wall_ms = 0
        self._former: dict[tuple[int, str], Row] = {}

    def asked(self, path: Path) -> bool:
        """Asks SQLite; whether it gave everything."""
        try:
            db = look(path)
        except (sqlite3.Error, OSError):
            return False
        parts: tuple[Callable[[sqlite3.Connection], None], ...] = (self._ask_streams, self._ask_rows, self._ask_state)
        whole = True
        try:
            for part in parts:
                try:
                    part(db)
                except (sqlite3.Error, ValueError, TypeError, OverflowError):
                    whole = False  # this part ends at the damage; the next one may lie elsewhere
        finally:
            db.close()
        return whole and not self.salvaged().missing

    def take(self, record: PageRecord) -> None:
        """Takes a record of a page for what its shape says it is."""
        rowid, values = record
        row = _row_of(record)
        if row is not None:
            self._take_row(row)
            return
        match values:
            case (None, str() as stream, int() as acked) if rowid is not None and _STREAM.fullmatch(stream):
                self.acked.setdefault(rowid, acked)
                self._take_stream(rowid, stream)
            case (str() as stream, int() as number) if rowid is None and _STREAM.fullmatch(stream):
                self._take_stream(number, stream)
            case ("wall", int() as wall) if rowid is None:
                self.wall_ms = max(self.wall_ms, wall)
            case (str() as kind, str() as name, bytes() as value) if rowid is None:
                self._take_state(kind, name, value)

    def take_former(self, record: PageRecord) -> None:
        """Takes a record of an older copy of a page: only an event of the newest stream that is held nowhere."""
        row = _row_of(record)
        if row is not None and row.number == self._newest and row.id not in self.rows and self._wanted(row):
            self._former.setdefault((row.seq, row.hash), row)

    def salvaged(self) -> Salvaged:
        """What all of it comes to."""
        number = max((*self.streams, *(row.number for row in self.rows.values())), default=0)
        acked = self.acked.get(number)
        mine = [row for row in self.rows.values() if row.number == number and row.seq >= (acked or 0)]
        rows = completed(unbroken(mine), self._former.values())
        # The last one counts, not the latest: a time that was taken back must not come again.
        last = max((*mine, *rows), key=lambda row: row.id, default=None)
        return Salvaged(
            stream=self.streams.get(number, ""),
            number=number,
            acked=acked,
            wall_ms=max(self.wall_ms, 0 if last is None else last.at_ms),
            rows=rows,
            state=[StateChange(kind, name, value) for (kind, name), value in self.state.items()],
        )

    def _ask_streams(self, db: sqlite3.Connection) -> None:
        for number, stream, acked in db.execute("SELECT number, stream, acked FROM streams"):
            self.acked[int(number)] = int(acked)
            self._take_stream(int(number), str(stream))
        self.wall_ms = tables.last_wall(db)

    def _ask_rows(self, db: sqlite3.Connection) -> None:
        number = max(self.streams)
        for row in tables.rows_after(db, number, self.acked[number] - 1):
            self._take_row(row)

    def _ask_state(self, db: sqlite3.Connection) -> None:
        for kind, name, value in db.execute("SELECT kind, id, value FROM state"):
            self._take_state(str(kind), str(name), bytes(value))

    def _take_row(self, row: Row) -> None:
        # A fork leaves the local id and takes the number of the new stream: the highest one is the row of today.
        before = self.rows.get(row.id)
        if (before is not None and before.number >= row.number) or row.seq <= 0 or not self._wanted(row):
            return
        if _is_json(row.data):
            self.rows[row.id] = row
            if row.number > self._newest:
                self._let_go(row.number)

    def _take_stream(self, number: int, stream: str) -> None:
        self.streams.setdefault(number, stream)
        self._let_go(number)

    def _let_go(self, number: int) -> None:
        if self._current and number >= self._newest:
            self._newest = number
            self.rows = {id: row for id, row in self.rows.items() if self._wanted(row)}

    def _wanted(self, row: Row) -> bool:
        return not self._current or (row.number >= self._newest and row.seq >= self.acked.get(row.number, 0))

    def _take_state(self, kind: str, name: str, value: bytes) -> None:
        if _is_json(value):
            self.state.setdefault((kind, name), value)


def _row_of(record: PageRecord) -> Row | None:
    """The event that a record is by its shape; None if it is something else."""
    rowid, values = record
    match values:
        case (None, int(), int(), int(), str() as kind, str(), int(), bytes(), bytes() as digest, *_):
            if rowid is not None and _KIND.fullmatch(kind) and len(digest) == 32:
                # A row of before events remembered their first place has three columns less.
                with suppress(AttributeError, TypeError, ValueError):
                    return tables.row((rowid, *values[1:], None, None, None)[:12])
    return None


class _File:
    """A file of which some sectors may be unreadable: what lies there is read as nothing."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._size = os.fstat(fd).st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice, /) -> bytes:
        first, behind, _ = part.indices(self._size)
        try:
            return os.pread(self._fd, max(behind - first, 0), first)
        except OSError:
            return b""


@contextmanager
def _image(path: Path) -> Iterator[Image]:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield _File(fd)
    finally:
        os.close(fd)


def _is_json(value: bytes) -> bool:
    try:
        msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return False
    return True
