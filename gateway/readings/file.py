"""The readings' file and its two threads: one writes, and opens the file however it is found; the other reads."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from contract.facts.machines import ReadingsDropped
from contract.readings import Reading
from gateway.readings import tables
from gateway.readings.salvage import save
from gateway.sqlite.disk import Damaged, Disk, JournalTooNew, damaging, transaction, unopened
from gateway.sqlite.file import Damage, Damages, Opened, StoreFile

log = structlog.get_logger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

CHECKPOINT_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class StoreFound:
    """What the file holds that the store must know."""

    standing: tables.StoreStanding
    oldest: int
    latest: dict[str, Reading]


class ReadingsFile:
    """`stands` hears, on the loop, of each time the file was opened, and what was lost by it."""

    def __init__(
        self,
        path: Path,
        machine_ms: Callable[[], int],
        disk: Disk,
        damages: Damages | None,
        stands: Callable[[Opened[StoreFound], ReadingsDropped | None], None],
    ) -> None:
        self._path = path
        self._disk = disk
        self._stands = stands
        self._loop = asyncio.get_running_loop()
        self._file: StoreFile[StoreFound] = StoreFile(
            path, tables.MIGRATIONS, take=_found, fill=self._fill, machine_ms=machine_ms,
            checkpoint_pages=CHECKPOINT_PAGES, disk=disk, damages=damages,
        )  # fmt: skip
        self._lost: ReadingsDropped | None = None
        self._closed = False
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="readings-writer")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="readings-reader")
        self._reading: tuple[Opened[StoreFound], sqlite3.Connection] | None = None
        self.opened = Opened(StoreFound(tables.StoreStanding(secrets.token_hex(16), 0, 0, 0), 1, {}))
        """How the file stands; before it was opened, a store that nobody will ever see."""

    @property
    def db(self) -> sqlite3.Connection | None:
        """The writing connection while the file is open."""
        return self._file.db

    def begin(self) -> bool:
        """Opens the file; whether that was done in time. It goes on if not. `JournalTooNew`."""
        try:
            return self._file.begin(self._writer.submit, self._turn)
        except JournalTooNew:
            self._writer.shutdown()
            self._reader.shutdown()
            raise

    def write(self, work: Work[T]) -> asyncio.Future[T]:
        """Does work in a transaction of its own, one after the other."""
        future = asyncio.ensure_future(self._loop.run_in_executor(self._writer, self._on_writer, work))
        future.add_done_callback(_seen)
        return future

    async def read(self, read: Work[T]) -> T:
        """What `read` gives; `Damaged` if the file is: then it is being begun anew."""
        opened = self.opened
        try:
            return await self._loop.run_in_executor(self._reader, self._on_reader, opened, read)
        except sqlite3.Error as error:
            if not damaging(error):
                raise
            if not self._closed:
                self._loop.run_in_executor(self._writer, self._mend, str(error), opened.renewals)
            raise Damaged(str(error)) from error

    async def close(self) -> None:
        """Ends what was begun and lets the file go."""
        self._closed = True
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._reader.shutdown)
        if self._reading is not None:
            self._reading[1].close()
        self._file.close()

    # --- Inside

    def _turn(self, opened: Opened[StoreFound]) -> None:
        lost, self._lost = self._lost, None
        self.opened = opened
        self._stands(opened, lost)

    # --- On the reader's thread

    def _on_reader(self, opened: Opened[StoreFound], read: Work[T]) -> T:
        if self._reading is not None and self._reading[0] is not opened:
            self._reading[1].close()
            self._reading = None
        if self._reading is None:
            self._reading = opened, self._disk.look(self._path)
        return read(self._reading[1])

    # --- On the writer's thread

    def _fill(self, db: sqlite3.Connection, damage: Damage | None) -> None:
        tables.begin(db)
        self._lost = None if damage is None else save(damage.path, db)

    def _on_writer(self, work: Work[T]) -> T:
        if self._file.db is None:
            self._loop.call_soon_threadsafe(self._turn, Opened(self._file.open(), self._file.renewals))
        assert self._file.db is not None
        try:
            return _in_transaction(self._file.db, work)
        except sqlite3.Error as error:
            if damaging(error):
                self._file.broken(str(error))
            elif unopened(error):
                self._file.close()
            raise

    def _mend(self, why: str, renewals: int) -> None:
        if renewals != self._file.renewals:
            return
        self._file.broken(why)
        try:
            self._on_writer(tables.standing)
        except (sqlite3.Error, OSError, Damaged) as error:
            log.warning("readings.not_mended", why=str(error))  # the next blob tries again


def _found(db: sqlite3.Connection) -> StoreFound:
    return StoreFound(tables.standing(db), tables.oldest(db), tables.latest(db))


def _in_transaction(db: sqlite3.Connection, work: Work[T]) -> T:
    with transaction(db):
        result = work(db)
        db.execute("COMMIT")
    return result


def _seen(done: asyncio.Future[T]) -> None:
    error = None if done.cancelled() else done.exception()
    if error is not None:
        log.warning("readings.work_failed", why=f"{type(error).__name__}: {error}")
