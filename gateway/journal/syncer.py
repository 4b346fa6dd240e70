"""Brings commits to the disk: group by group on a thread of its own, so that a disk that hangs does not stop commits.

The write-ahead log is confirmed by fdatasync(2) through a descriptor of its own; from time to time its pages move
into the file by a passive checkpoint, which stops nobody (https://sqlite.org/c3ref/wal_checkpoint_v2.html). After an
fdatasync that failed the kernel may have forgotten what it could not write: then only a whole checkpoint, which
writes every page again, counts as a confirmation.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.journal.records import Place
from gateway.sqlite.disk import Damaged, Disk, connect, damaging, sync_folder

log = structlog.get_logger(__name__)

GATHER_S = 0.03
"""How long commits gather before the disk is asked, so that a busy moment costs one confirmation."""

CHECKPOINT_GROUPS = 100
CHECKPOINT_EVENTS = 2_000
"""After so many groups or events the pages of the write-ahead log move into the file (some megabytes at the most)."""

RETRY_S = 1.0

Report = Callable[[Place | str | Damaged], None]
"""Called on the syncer's thread: a place that is on the disk now, or why it is not."""


class Syncer:
    """Owns the descriptor of the write-ahead log and a connection for checkpoints."""

    def __init__(self, path: Path, disk: Disk, report: Report, *, gather_s: float = GATHER_S) -> None:
        self._path = path
        self._disk = disk
        self._report = report
        self._gather_s = gather_s
        self._log = path.with_name(path.name + "-wal")
        self._changed = threading.Condition()
        self._wanted: Place | None = None
        self._urgent = False
        self._closing = False
        self._groups = 0
        self._moved_id = 0
        self._another_file = False
        self._fd: int | None = None
        self._db: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="journal-syncer", daemon=True)

    def start(self) -> None:
        """Begins; it opens the write-ahead log when there is something in it."""
        self._thread.start()

    def renewed(self) -> None:
        """The file was opened anew: what was open of it is another one."""
        with self._changed:
            self._another_file = True

    def put(self, place: Place) -> None:
        """Says up to where there are commits."""
        with self._changed:
            self._wanted = place
            self._changed.notify()

    def hurry(self) -> None:
        """Asks the disk at once: somebody waits for it before acting."""
        with self._changed:
            self._urgent = True
            self._changed.notify()

    def close(self, within_s: float) -> bool:
        """Confirms what is committed, for at most `within_s` seconds, and ends; False if the disk did not let it."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(within_s)
        return not self._thread.is_alive()

    # --- On the syncer's thread

    def _run(self) -> None:
        failed = False
        while True:
            place = self._next()
            if place is None:
                break
            try:
                fd, db = self._opened()
                self._disk.sync(fd)
                if failed:
                    _rewrite(db)
            except (OSError, sqlite3.Error) as error:
                failed = True
                why = f"{type(error).__name__}: {error}"
                log.warning("journal.sync_failed", why=why)
                self._report(Damaged(why) if damaging(error) else why)
                if not self._again(place):
                    break
                continue
            failed = False
            self._report(place)
            self._checkpoint(db, place)
        self._let_go()

    def _opened(self) -> tuple[int, sqlite3.Connection]:
        """The log's descriptor and a connection, of the file that the writer has now."""
        with self._changed:
            another, self._another_file = self._another_file, False
        if another:
            self._let_go()
        if self._fd is None:
            self._fd = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
            sync_folder(self._path.parent)
        if self._db is None:
            self._db = connect(self._path)
        return self._fd, self._db

    def _let_go(self) -> None:
        fd, self._fd = self._fd, None
        db, self._db = self._db, None
        if fd is not None:
            os.close(fd)
        if db is not None:
            db.close()

    def _next(self) -> Place | None:
        """The newest commit, after giving others the time to join it; None when closing with nothing left."""
        with self._changed:
            while self._wanted is None and not self._closing:
                self._changed.wait()
            until = time.monotonic() + self._gather_s
            while self._wanted is not None and not (self._closing or self._urgent):
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            place, self._wanted, self._urgent = self._wanted, None, False
            return place

    def _again(self, place: Place) -> bool:
        """Waits before the next attempt; False if the journal closes meanwhile."""
        until = time.monotonic() + RETRY_S
        with self._changed:
            self._wanted = self._wanted or place
            while not self._closing:
                left = until - time.monotonic()
                if left <= 0:
                    return True
                self._changed.wait(left)
        return False

    def _checkpoint(self, db: sqlite3.Connection, place: Place) -> None:
        self._groups += 1
        if self._groups < CHECKPOINT_GROUPS and place.id - self._moved_id < CHECKPOINT_EVENTS:
            return
        self._groups, self._moved_id = 0, place.id
        try:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            log.warning("journal.checkpoint_failed", why=str(error))
            if damaging(error):
                self._report(Damaged(str(error)))


def _rewrite(db: sqlite3.Connection) -> None:
    busy, pages, moved = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise OSError(f"a checkpoint could not take all: {moved} of {pages} pages")
