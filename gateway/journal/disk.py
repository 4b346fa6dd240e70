"""The gateway's SQLite files: opened by one process only, migrated, and set aside when they are damaged.

SQLite in WAL mode with `synchronous=NORMAL`: a commit writes, it does not wait for the disk (https://sqlite.org/wal.html,
"Performance Considerations"); the confirmation by the disk is `Disk.sync`, on another thread.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

BUSY_S = 5.0
"""How long one connection waits for another one's lock."""

_SYNCHRONOUS = "PRAGMA synchronous=NORMAL"


class JournalError(RuntimeError):
    """A file of the gateway's own that cannot be used as it is."""


class JournalInUse(JournalError):
    """Another process has this file open."""


class JournalTooNew(JournalError):
    """The file was written by a newer software than this."""


class Damaged(JournalError):
    """Not a database, or one whose pages contradict each other."""


class Disk:
    """The two calls that wait for a disk. A seam: tests put a disk here that hangs, fails or is full."""

    def commit(self, connection: sqlite3.Connection) -> None:
        """Ends the transaction: after this it survives the process, not yet a power cut."""
        connection.execute("COMMIT")

    def sync(self, fd: int) -> None:
        """Waits until what was written is on the disk; `OSError` if it cannot be."""
        os.fdatasync(fd)


class FileLock:
    """An advisory lock beside the file, held until closed or the process ends (flock(2))."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise JournalInUse(f"{path} is in use by process {holder or 'unknown'}; one gateway at a time") from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Lets another process have it."""
        os.close(self._fd)


def connect(path: Path) -> sqlite3.Connection:
    """A connection of the gateway's kind: transactions are begun and ended by hand, checkpoints are made elsewhere."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute(_SYNCHRONOUS)
    return connection


def prepare(path: Path, migrations: Sequence[str], *, checkpoint_pages: int = 0) -> sqlite3.Connection:
    """A connection to the file, made or brought to the newest form; `Damaged`, `JournalTooNew` if that cannot be.

    `checkpoint_pages`: after so many pages a commit moves the log into the file itself; 0: somebody else does.
    """
    try:
        connection = connect(path)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages}")
            connection.execute("PRAGMA journal_size_limit=8000000")
            migrate(connection, path, migrations)
            check(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.DatabaseError as error:
        if damaging(error):
            raise Damaged(f"{path}: {error}") from error
        raise
    return connection


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    """Brings the file from the form it says (`user_version`) to the newest, each step in its own transaction."""
    form = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if form > len(migrations):
        raise JournalTooNew(f"{path} has form {form}, this software writes {len(migrations)}: use the newer software")
    for number, script in enumerate(migrations[form:], start=form + 1):
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};\nCOMMIT;")


CHECKED_WHOLE_BYTES = 32_000_000
"""A file up to this is checked whole at start (a tenth of a second); in a larger one, only what is read."""


def check(connection: sqlite3.Connection, path: Path) -> None:
    """`Damaged` if pages contradict each other."""
    if path.stat().st_size > CHECKED_WHOLE_BYTES:
        return
    verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise Damaged(f"{path}: {verdict}")


def damaging(error: sqlite3.Error) -> bool:
    """Whether the error says that the file itself is broken, not the disk or a lock."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def set_aside(path: Path, stamp: str) -> Path:
    """Moves the file and its companions out of the way, keeping them; the new name of the file."""
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    sync_folder(path.parent)
    return aside


def sync_folder(folder: Path) -> None:
    """Waits until names made or changed in the folder are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
