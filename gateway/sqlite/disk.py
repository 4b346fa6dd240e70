"""SQLite on the gateway's disk: one process only, connections of the gateway's kind, and what an error says of a file.

SQLite in WAL mode with `synchronous=NORMAL`: a commit writes, it does not wait for the disk (https://sqlite.org/wal.html,
"Performance Considerations"); the confirmation by the disk is `Disk.sync`, on another thread.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

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
    """The calls that wait for a disk. A seam: tests put a disk here that hangs, fails or is full."""

    def connect(self, path: Path) -> sqlite3.Connection:
        """The connection that will write; the first that touches the file."""
        return connect(path)

    def look(self, path: Path) -> sqlite3.Connection:
        """A connection that only reads."""
        return look(path)

    def commit(self, connection: sqlite3.Connection) -> None:
        """Ends the transaction: after this it survives the process, not yet a power cut."""
        connection.execute("COMMIT")

    def sync(self, fd: int) -> None:
        """Waits until what was written is on the disk; `OSError` if it cannot be."""
        os.fdatasync(fd)


class FileLock:
    """An advisory lock beside the file, held until closed or the process ends (flock(2)).

    A disk that takes no more still locks: an existing lock file is enough, or the folder itself.
    """

    def __init__(self, path: Path) -> None:
        self._fd = _lockable(path)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(self._fd)
            os.close(self._fd)
            raise JournalInUse(f"{path} is in use by process {holder or 'unknown'}; one gateway at a time") from error
        with contextlib.suppress(OSError):  # the name is for people; the lock holds without it
            os.pwrite(self._fd, f"{os.getpid():<10}\n".encode(), 0)

    def close(self) -> None:
        """Lets another process have it."""
        os.close(self._fd)


def _lockable(path: Path) -> int:
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".lock")
    for file, flags in ((beside, os.O_RDWR | os.O_CREAT), (beside, os.O_RDONLY), (path.parent, os.O_RDONLY)):
        with contextlib.suppress(OSError):
            return os.open(file, flags | os.O_CLOEXEC, 0o600)
    # Nothing of the gateway's can be reached, not even its folder: then no other process can write there either.
    return os.memfd_create("no lock")


def _holder(fd: int) -> str:
    try:
        return os.pread(fd, 32, 0).decode("ascii", "replace").strip()
    except OSError:
        return ""


def connect(path: Path) -> sqlite3.Connection:
    """A connection of the gateway's kind: transactions are begun and ended by hand, checkpoints are made elsewhere."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute(_SYNCHRONOUS)
    return connection


def look(path: Path) -> sqlite3.Connection:
    """A connection that only reads, also from a disk that takes not one byte more; `sqlite3.Error` if nothing can.

    A file that was closed well has no write-ahead log, and SQLite wants to make one even to read: it is told that
    nobody writes there (https://sqlite.org/uri.html, "immutable").
    """
    file = f"{path.absolute().as_uri()}?mode=ro"
    try:
        return _seen(file)
    except sqlite3.Error as error:
        log = path.with_name(path.name + "-wal")
        if damaging(error) or (log.exists() and log.stat().st_size):
            raise
        return _seen(f"{file}&immutable=1")


def _seen(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, timeout=BUSY_S, isolation_level=None, check_same_thread=False, uri=True)
    with contextlib.ExitStack() as unless_seen:
        unless_seen.callback(connection.close)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        unless_seen.pop_all()
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that the block commits as its last act; rolled back if it ends before that."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


STEPS = 1_000
"""Steps of SQLite's machine after which a disk counts as one that has given something."""


def prepare(
    path: Path,
    migrations: Sequence[str],
    *,
    checkpoint_pages: int = 0,
    disk: Disk | None = None,
    goes_on: Callable[[], None] | None = None,
) -> sqlite3.Connection:
    """A connection to the file, made or brought to the newest form; `Damaged`, `JournalTooNew` if that cannot be.

    `checkpoint_pages`: after so many pages a commit moves the log into the file itself; 0: somebody else does.
    `goes_on`: called again and again while something is read or written, also after this until the caller takes it away
    (`sqlite3.Connection.set_progress_handler`).
    """
    with intact(path):
        connection = (disk or Disk()).connect(path)
        with contextlib.ExitStack() as unless_prepared:
            unless_prepared.callback(let_go, connection, path)
            connection.set_progress_handler(goes_on, 0 if goes_on is None else STEPS)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA wal_autocheckpoint={checkpoint_pages}")
            connection.execute("PRAGMA journal_size_limit=8000000")
            migrate(connection, path, migrations)
            check(connection, path)
            unless_prepared.pop_all()
    return connection


def let_go(connection: sqlite3.Connection, path: Path) -> None:
    """Closes the writing connection of a damaged file, with a reader beside it.

    The last writer to close does away with the log, where older copies may stand of pages that the file has lost
    (https://sqlite.org/wal.html, section 5).
    """
    beside: sqlite3.Connection | None = None
    with contextlib.suppress(sqlite3.Error, OSError):  # a file without a first page has no reader
        beside = look(path)
    connection.close()
    if beside is not None:
        beside.close()


def migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    """Brings the file from the form it says (`user_version`) to the newest, each step in its own transaction."""
    form = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if form > len(migrations):
        raise JournalTooNew(f"{path} has form {form}, this software writes {len(migrations)}: use the newer software")
    if form < 0:
        raise Damaged(f"{path}: form {form}")
    for number, script in enumerate(migrations[form:], start=form + 1):
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={number};\nCOMMIT;")


CHECKED_WHOLE_BYTES = 32_000_000
"""A file up to this is checked whole at start (a tenth of a second); what is read of a larger one, while it is read."""


def check(connection: sqlite3.Connection, path: Path) -> None:
    """`Damaged` if pages of a small file contradict each other."""
    pages, size = (int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size"))
    if pages * size > CHECKED_WHOLE_BYTES:
        return
    verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise Damaged(f"{path}: {verdict}")


MISREAD = (ValueError, TypeError, AttributeError, LookupError, OverflowError)
"""What reading says of bytes that this software never wrote."""

UNUSABLE = (sqlite3.Error, OSError, RuntimeError, msgspec.MsgspecError, *MISREAD)
"""All that any disk and any bytes on it can say: no database, a `JournalError`, a nesting without end among them."""


@contextlib.contextmanager
def intact(path: Path, *, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """What is read in here is checked by being read: `Damaged` if pages or rows are not what this software writes.

    `but`: what reading may say that is no damage.
    """
    try:
        yield
    except MISREAD as error:
        if isinstance(error, but):
            raise
        raise Damaged(f"{path}: {type(error).__name__}: {error}") from error
    except sqlite3.Error as error:
        if damaging(error):
            raise Damaged(f"{path}: {error}") from error
        raise


_UNREADABLE = (
    sqlite3.SQLITE_IOERR_READ,
    sqlite3.SQLITE_IOERR_SHORT_READ,
    sqlite3.SQLITE_IOERR_DATA,
    sqlite3.SQLITE_IOERR_CORRUPTFS,
)


def damaging(error: BaseException) -> bool:
    """Whether the error says that the file itself is broken, not its disk full, hung or a lock held.

    A sector that cannot be read breaks the file too; and a page that lost its last write may still look like a page,
    but then a number is there twice, a table is not there, or a text is none.
    """
    if isinstance(error, Damaged):
        return True
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    code, said = getattr(error, "sqlite_errorcode", None), str(error)
    if code is None:
        return said.startswith("Could not decode")
    if code & 0xFF == sqlite3.SQLITE_ERROR:
        return said.startswith("no such") or said.endswith("already exists")
    return code in _UNREADABLE or code & 0xFF in _BROKEN


def unopened(error: BaseException) -> bool:
    """Whether the error is the connection's: what was opened on a disk that was read-only stays so."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)


def unwritable(error: BaseException) -> bool:
    """Whether what was to be written is at fault, not the file, its disk or the machine: no file would take it."""
    if isinstance(error, sqlite3.Error):
        return isinstance(error, (sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError))
    return not isinstance(error, (OSError, MemoryError, JournalError))


_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH)


def from_both_ends(db: sqlite3.Connection, select: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
    """The rows of a damaged table: up to the first that cannot be read, and from the other end down to the last one.

    `select` ends with an ORDER BY over a single index. A table that is whole is read once.
    """
    try:
        yield from db.execute(select, values)
    except sqlite3.Error:
        yield from _from_its_end(db, select, values)


def _from_its_end(db: sqlite3.Connection, select: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
    with contextlib.suppress(sqlite3.Error):
        keys = select.rpartition(" ORDER BY ")[2]
        down = ", ".join(f"{key} DESC" for key in keys.split(", "))
        yield from db.execute(f"{select.removesuffix(keys)}{down}", values)


def sync_folder(folder: Path) -> None:
    """Waits until names made or changed in the folder are on the disk."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
