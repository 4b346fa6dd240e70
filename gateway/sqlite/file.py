"""One SQLite file of the gateway, however it is found: opened, made, or (if it is damaged) set aside and begun anew.

A new file is made whole under another name and only then takes the damaged one's place: a gateway killed in between
finds the one or the other, and never an empty one.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from contract.instants import instant
from gateway.sqlite.disk import STEPS, UNUSABLE, Damaged, Disk, JournalTooNew, intact, let_go, prepare, sync_folder

log = structlog.get_logger(__name__)

T = TypeVar("T")

OPEN_S = 3.0
"""How long the start waits for a file of a disk that hangs; after that the gateway goes on without it."""

PATIENCE_S = 60.0
"""How long the start waits for a file that doors depend on while its disk goes on giving: much of it, or what is being
saved of a damaged one."""

KEPT = 3
"""Damaged files that are kept of each store: a dying disk must not be filled by them too."""

_COMPANIONS = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """How a file was found: what its owner must know of it, and how often another one took its place (`renewals`).

    `error`: it cannot be opened for writing, and this is what was found by looking at it; `found` False: not even that
    could be done.
    """

    taken: T
    renewals: int = 0
    error: Exception | None = None
    found: bool = True

    @property
    def why(self) -> str | None:
        """Why it cannot be opened for writing, None if it is open."""
        return None if self.error is None else f"{type(self.error).__name__}: {self.error}"


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that was found damaged: `path` is where it still stands, `kept` the name that it is kept under."""

    path: Path
    kept: str
    why: str


class Damages:
    """What was found damaged since the start, by whichever thread; told on the loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._found: list[Damage] = []
        self._watchers: list[Callable[[Damage], None]] = []

    def add(self, damage: Damage) -> None:
        """A damaged file was set aside. From any thread."""
        self._loop.call_soon_threadsafe(self._tell, damage)

    def watch(self, watcher: Callable[[Damage], None]) -> None:
        """`watcher` hears of each damaged file, also of those before."""
        self._watchers.append(watcher)
        for damage in self._found:
            watcher(damage)

    def _tell(self, damage: Damage) -> None:
        self._found.append(damage)
        for watcher in self._watchers:
            watcher(damage)


class StoreFile(Generic[T]):
    """Belongs to the one thread that writes to the file; `look` is for any thread.

    `take` reads what the owner must know of it, and writes nothing. `fill` puts into a new file what stands in every
    new one, and what can still be read of a damaged one. `amend` is given the file whenever it was opened for writing,
    after `take`: what older software wrote otherwise is put right; it raises nothing. `patience_s`: how long the start
    waits for a disk that goes on giving, beyond what it waits for any.
    """

    def __init__(
        self,
        path: Path,
        migrations: Sequence[str],
        *,
        take: Callable[[sqlite3.Connection], T],
        fill: Callable[[sqlite3.Connection, Damage | None], None],
        machine_ms: Callable[[], int],
        amend: Callable[[sqlite3.Connection], None] | None = None,
        patience_s: float = 0.0,
        checkpoint_pages: int = 0,
        disk: Disk | None = None,
        damages: Damages | None = None,
    ) -> None:
        self.path = path
        self.db: sqlite3.Connection | None = None
        """The writing connection while the file is open."""
        self.renewals = 0
        """How often another file took this one's place: connections of before read the old one."""
        self._broken: str | None = None
        self._migrations = migrations
        self._take = take
        self._fill = fill
        self._machine_ms = machine_ms
        self._amend = amend
        self._patience_s = patience_s
        self._saving = False
        self._given = 0
        self._checkpoint_pages = checkpoint_pages
        self._disk = disk or Disk()
        self._damages = damages
        self._made = path.with_name(path.name + ".new")
        self._part = path.with_name(path.name + ".part")

    def begin(
        self, on_thread: Callable[[Callable[[], Opened[T]]], object], stands: Callable[[Opened[T]], None]
    ) -> bool:
        """The start's one way to a file: `on_thread` has the owner's thread open it, `stands` hears how it was found.

        Whether that was in time. A disk that hangs is not waited for: then `stands` hears of it later, on the loop,
        whatever it is by then. `JournalTooNew` if that was found in time. Call it on the event loop.
        """
        loop = asyncio.get_running_loop()
        there = threading.Event()
        found: list[Opened[T]] = []
        told = False

        def work() -> Opened[T]:
            opened = self._first()
            found.append(opened)
            there.set()
            try:
                loop.call_soon_threadsafe(tell)
            except RuntimeError:  # the loop has ended before the disk answered: nobody is left to be told
                log.warning("store.opened_after_the_loop", file=str(self.path))
            return opened

        def tell() -> None:
            nonlocal told
            if not told:
                told = True
                stands(found[0])

        on_thread(work)
        if not self._waited(there):
            log.critical("store.late", file=str(self.path))
            return False
        if isinstance(found[0].error, JournalTooNew):
            told = True
            raise found[0].error
        tell()
        return True

    def open(self) -> T:
        """What `take` finds in the file, which is open then.

        `OSError` or `sqlite3.Error` if the disk lets no file be made or opened: try again later. `JournalTooNew`.
        """
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._finish()
        if self._broken is not None:
            self._renew(self._broken)
        elif not self.path.exists() or self.path.stat().st_size == 0:
            self._make(None)
        try:
            return self._begin()
        except Damaged as found:
            self._renew(str(found))
            return self._begin()

    def broken(self, why: str) -> None:
        """The open file was found damaged: it is let go, and the next opening begins anew."""
        self._broken = why
        db, self.db = self.db, None
        if db is not None:
            let_go(db, self.path)

    def look(self) -> tuple[T, bool]:
        """What `take` finds in a file that cannot be opened for writing, and True.

        If it cannot be read either, what `take` would find in a new one, and False. Whatever is wrong with the file.
        """
        damage = None
        try:
            with intact(self.path):
                db = self._disk.look(self.path)
                try:
                    return self._taken(db), True
                finally:
                    db.close()
        except Damaged as found:
            damage = Damage(self.path, self.path.name, str(found))
        except UNUSABLE as error:  # nothing that a file says may stop doors
            log.warning("store.unreadable", file=str(self.path), why=str(error))
        if damage is not None:
            try:
                with self._save():
                    return self._imagine(damage), False
            except UNUSABLE as error:  # the sectors that are damaged may not be readable at all
                log.warning("store.nothing_saved", file=str(self.path), why=str(error))
        return self._imagine(None), False

    def close(self) -> None:
        """Lets the file go."""
        db, self.db = self.db, None
        if db is not None:
            db.close()

    # --- Inside

    def _first(self) -> Opened[T]:
        try:
            return Opened(self.open(), self.renewals)
        except JournalTooNew as error:
            return Opened(self._imagine(None), error=error, found=False)
        except UNUSABLE as error:  # doors go by what can be read of it
            log.critical("store.not_opened", file=str(self.path), why=f"{type(error).__name__}: {error}")
            taken, found = self.look()
            return Opened(taken, self.renewals, error, found)

    def _waited(self, there: threading.Event) -> bool:
        """Whether it is there, once nothing was given for some seconds, or patience is over."""
        until = time.monotonic() + self._patience_s
        given = self._given
        while not there.wait(OPEN_S):
            if time.monotonic() > until or not (self._saving or self._given != given):
                return False
            given = self._given
        return True

    @contextmanager
    def _save(self) -> Iterator[None]:
        self._saving = True
        try:
            yield
        finally:
            self._saving = False

    def _taken(self, db: sqlite3.Connection) -> T:
        with self._counted(db):
            return self._take(db)

    @contextmanager
    def _counted(self, db: sqlite3.Connection) -> Iterator[None]:
        db.set_progress_handler(self._goes_on, STEPS)
        try:
            yield
        finally:
            db.set_progress_handler(None, 0)

    def _goes_on(self) -> None:
        self._given += 1

    def _imagine(self, damage: Damage | None) -> T:
        db = prepare(Path(":memory:"), self._migrations)
        try:
            self._fill(db, damage)
            return self._take(db)
        finally:
            db.close()

    def _begin(self) -> T:
        db = prepare(
            self.path,
            self._migrations,
            checkpoint_pages=self._checkpoint_pages,
            disk=self._disk,
            goes_on=self._goes_on,
        )
        with ExitStack() as unless_taken:
            unless_taken.callback(db.close)
            try:
                with intact(self.path):
                    taken = self._taken(db)
            except Damaged:
                let_go(db, self.path)
                raise
            unless_taken.pop_all()
        self.db = db
        if self._amend is not None:
            with self._counted(db):
                self._amend(db)
        return taken

    def _renew(self, why: str) -> None:
        log.critical("store.damaged", file=str(self.path), why=why)
        with self._save():
            self._make(self._damage(why))

    def _damage(self, why: str) -> Damage:
        stamp = instant(self._machine_ms()).replace(":", "").replace("-", "")
        return Damage(self.path, f"{self.path.name}.damaged-{stamp}", why)

    def _make(self, damage: Damage | None) -> None:
        """A file of its own, whole and on the disk, that then takes the place of what stands there."""
        db = prepare(self._part, self._migrations, disk=self._disk)
        try:
            # Without a log: a close does not say that the disk had no room to take the log over into the file.
            # Half a `.part` is thrown away, so what a rollback would need has not to outlive the process.
            if db.execute("PRAGMA journal_mode=MEMORY").fetchone()[0] != "memory":
                raise OSError(f"{self._part} keeps a log")
            db.execute("BEGIN IMMEDIATE")
            self._fill(db, damage)
            db.execute("COMMIT")
        finally:
            db.close()
        with self._part.open("rb") as part:
            os.fsync(part.fileno())
        self._part.rename(self._made)
        self._finish(damage)

    def _finish(self, damage: Damage | None = None) -> None:
        """Ends what was begun, also before a restart: a file that was made whole takes its place, half a one goes."""
        _remove(self._part)
        if not self._made.exists():
            return
        if damage is None and self.path.exists() and self.path.stat().st_size:
            damage = self._damage("found damaged before a restart")
        self._set_aside((damage or self._damage("empty")).kept)
        self._made.rename(self.path)
        self._broken = None
        self.renewals += 1
        sync_folder(self.path.parent)
        if damage is None:
            return
        log.critical("store.begun_anew", file=str(self.path), kept=damage.kept)
        if self._damages is not None:
            self._damages.add(damage)

    def _set_aside(self, kept: str) -> None:
        # Companions first: a log of the old file beside the new one would be read into it.
        for suffix in (*_COMPANIONS, ""):
            file = self.path.with_name(self.path.name + suffix)
            if file.exists():
                file.rename(file.with_name(kept + suffix))
        before = sorted(
            (
                file
                for file in self.path.parent.glob(f"{self.path.name}.damaged-*")
                if not file.name.endswith(_COMPANIONS)
            ),
            key=lambda file: file.stat().st_mtime_ns,
        )
        for file in before[:-KEPT]:
            _remove(file)


def _remove(path: Path) -> None:
    for suffix in ("", *_COMPANIONS):
        file = path.with_name(path.name + suffix)
        if file.exists():  # asked first: a disk that is read-only refuses even to remove nothing
            file.unlink()
