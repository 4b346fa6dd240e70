"""The desired state on disk: what the site decides by after a restart, without the hub.

What is in force never waits for it (`gateway.desired.applying`). A step that the disk does not take is tried again;
until then `why` says that rights would be old after a restart. A file of its own, apart from the journal: a snapshot
of a million items must not hold up a door's append. A file that is begun anew keeps what the damaged one still gives,
and holds no revision: the hub is asked for everything. Who was erased leaves nothing in the file: what is dropped or
replaced is overwritten, and the log beside it is emptied.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

import structlog

from gateway.clock import Clock
from gateway.desired import tables
from gateway.desired.pins import HeldPins
from gateway.sqlite.disk import (
    Damaged,
    Disk,
    JournalTooNew,
    damaging,
    intact,
    transaction,
    unopened,
)
from gateway.sqlite.file import PATIENCE_S, Damages, Opened, StoreFile

log = structlog.get_logger(__name__)

WAITING_BYTES = 64_000_000
"""What waits for a disk that refuses. Beyond it nothing waits; once it takes something, the hub is asked for all."""

ROOM_BYTES = 4_000_000
"""What waits for a disk that works: whoever brings more waits meanwhile (`room`)."""

LATE_S = 10.0
"""How long a write may take before the disk counts as one that refuses."""

SILENT = "the disk does not answer"
UNREAD = "what is held cannot be read"

PROBE_BYTES = 4_000_000
AT_ONCE = 20_000
_PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_CLOSE_S = 5.0
_ROW_BYTES = 150

Turned = Callable[[], None]


class _BegunAnew(Damaged):
    """What the file held before is not in it any more: a change alone says nothing."""


class Held:
    """The file, and what waits for it. All methods belong to one event loop."""

    def __init__(self, file: StoreFile[int], disk: Disk, pins: HeldPins) -> None:
        self._file = file
        self._pins = pins
        self._disk = disk
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="held-writer")
        self._waiting: deque[tables.Write] = deque()
        self._waiting_bytes = 0
        self._lost = False
        self._refuses = False
        self._renewals = 0
        self._readable = False
        self._writer: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._more = asyncio.Event()
        self._watchers: list[Turned] = []
        self._found_late: list[Callable[[], None]] = []
        self.revision = 0
        self.why: str | None = None
        self.wants_all = False

    @classmethod
    def open(cls, path: Path, *, clock: Clock, disk: Disk | None = None, damages: Damages | None = None) -> Held:
        """What is held in `path`; if that is damaged, what it still gives, and the hub is asked for everything.

        A disk that takes nothing is read; one that hangs is not waited for.
        """
        disk = disk or Disk()
        pins = HeldPins(path.with_suffix(".secret"))
        lying_open: list[tuple[str, str, bytes]] = []
        file = StoreFile(
            path,
            tables.MIGRATIONS,
            take=partial(tables.take, pins, lying_open),
            amend=partial(pins.seal_held, rows=lying_open),
            fill=tables.fill,
            machine_ms=clock.machine_ms,
            patience_s=PATIENCE_S,
            checkpoint_pages=1_000,
            disk=disk,
            damages=damages,
        )
        held = cls(file, disk, pins)
        try:
            if not file.begin(held._thread.submit, held._stands):
                held._turn(SILENT)
        except JournalTooNew:
            held._thread.shutdown()
            raise
        return held

    def stored(self) -> Iterator[list[tuple[str, str, bytes]]]:
        """Everything on disk, some thousand items at a time: read at start, before anything is kept. On any thread."""
        if not self._readable:
            return
        try:
            with intact(self._file.path):
                db = self._disk.look(self._file.path)
                try:
                    found = db.execute("SELECT kind, id, value FROM items")
                    while slice := found.fetchmany(AT_ONCE):
                        yield self._readable_rows(slice)
                finally:
                    db.close()
        except (Damaged, sqlite3.Error) as error:
            # It was whole a moment ago. What was read stands; the hub brings everything.
            log.critical("held.damaged_while_read", why=str(error))
            self.revision, self._lost = 0, True
            self._thread.submit(self._file.broken, str(error))
            self._loop.call_soon_threadsafe(self._wants_all_because, str(error))

    def _readable_rows(self, rows: list[tuple[str, str, bytes]]) -> list[tuple[str, str, bytes]]:
        """Items as they came from the hub. Of those whose secret is gone nothing is left: the hub brings everything."""
        found = []
        for kind, name, value in rows:
            opened = self._pins.from_disk(kind, value)
            if opened is None:
                self.revision = 0
            else:
                found.append((kind, name, opened))
        return found

    def watch_found(self, found: Callable[[], None]) -> None:
        """`found` is called when a disk that hung at the start has answered after all."""
        self._found_late.append(found)

    def watch(self, turned: Turned) -> None:
        """`turned` is called when `why` or `wants_all` has changed."""
        self._watchers.append(turned)

    def keep(self, revision: int, rows: Sequence[tables.Row]) -> None:
        """What changed up to `revision` goes to the disk; returns at once."""
        self._queue("delta", revision, rows)

    def keep_part(self, revision: int, rows: Sequence[tables.Row], *, first: bool) -> None:
        """A part of a whole goes to the disk, beside what is held; returns at once. `first`: of a new whole."""
        if first:
            # A whole is what a disk that lost something waits for.
            self._lost = False
        self._queue("first" if first else "part", revision, rows)

    def keep_whole(self, revision: int) -> None:
        """The parts that were kept are everything: they replace what is held; returns at once."""
        self._queue("whole", revision, ())
        if not self._lost:
            self._turn(self.why, wants_all=False)

    async def room(self) -> None:
        """Returns when the disk keeps up; at once while it refuses, as rights do not wait for it."""
        while self._waiting_bytes > ROOM_BYTES and not self._refuses:
            self._moved.clear()
            await self._moved.wait()

    async def close(self) -> None:
        """Gives what waits a moment and lets the file go; a disk that hangs keeps it."""
        writer = self._writer
        if writer is not None:
            await asyncio.wait({writer}, timeout=_CLOSE_S)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        if self._waiting or self._lost:
            log.error("held.closed_behind", revision=self.revision, why=self.why)
        ended = asyncio.create_task(asyncio.to_thread(self._thread.shutdown))
        if (await asyncio.wait({ended}, timeout=_CLOSE_S))[0]:
            self._file.close()

    # --- Inside

    def _stands(self, opened: Opened[int]) -> None:
        self.revision, self._readable = opened.taken, opened.found
        self._renewals = opened.renewals
        if self._writer is None:
            self._turn(None if self._readable else UNREAD)
        for watcher in self._found_late:
            watcher()

    def _wants_all_because(self, why: str) -> None:
        self._lose()
        self._turn(why)
        self._write()

    def _queue(
        self, form: Literal["delta", "first", "part", "whole"], revision: int, rows: Sequence[tables.Row]
    ) -> None:
        if self._lost:
            return
        write = tables.Write(form, revision, rows, sum(_ROW_BYTES + len(value or b"") for _, _, value in rows))
        self._waiting.append(write)
        self._waiting_bytes += write.size
        if self._waiting_bytes > WAITING_BYTES:
            log.error("held.too_much_waits", revision=revision, why=self.why)
            self._lose()
        self._write()

    def _write(self) -> None:
        self._more.set()
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="held")

    def _lose(self) -> None:
        """What waits is worth nothing any more: only everything is."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self._lost = True

    async def _write_all(self) -> None:
        """Until nothing waits: one write after the other, each until the disk has it."""
        failures = 0
        while self._waiting or self._lost:
            write = self._waiting[0] if self._waiting else None
            try:
                await self._patiently(write)
            except Exception as error:  # whatever it is: a writer that ends keeps nothing any more
                log.warning("held.not_stored", revision=None if write is None else write.revision, why=str(error))
                if isinstance(error, _BegunAnew):
                    self._lose()
                self._refuses = True
                self._turn(str(error))
                self._moved.set()
                await asyncio.sleep(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
                failures += 1
                continue
            if write is None:
                if self._lost:
                    # The disk takes something again, so that whoever brings everything waits for it (`room`).
                    self._refuses = False
                    self._more.clear()
                    self._turn(self.why, wants_all=True)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_PAUSES_S[-1]):
                            await self._more.wait()
                continue
            if self._waiting and self._waiting[0] is write:
                self._waiting.popleft()
                self._waiting_bytes -= write.size
            if write.form in ("delta", "whole"):
                self.revision = write.revision
            failures = 0
            self._refuses = False
            self._moved.set()
        self._writer = None
        self._turn(None)

    async def _patiently(self, write: tables.Write | None) -> None:
        """One write; a disk that is silent for long counts as one that refuses, and is waited for."""
        work = asyncio.get_running_loop().run_in_executor(self._thread, self._store, write)
        if not (await asyncio.wait({work}, timeout=LATE_S))[0]:
            self._refuses = True
            self._turn(SILENT)
            self._moved.set()
        await work

    def _turn(self, why: str | None, *, wants_all: bool | None = None) -> None:
        wants_all = self.wants_all if wants_all is None else wants_all
        turned = (self.why is None) != (why is None) or self.wants_all != wants_all
        self.why, self.wants_all = why, wants_all
        if turned:
            for watcher in self._watchers:
                watcher()

    # --- On the writer's thread

    def _store(self, write: tables.Write | None) -> None:
        db = self._writing(write)
        db.execute("PRAGMA secure_delete=ON")
        try:
            with transaction(db):
                if write is None:
                    # Is there room again? A page that is there already says nothing.
                    db.execute("INSERT OR REPLACE INTO arriving VALUES ('', '', zeroblob(?))", (PROBE_BYTES,))
                else:
                    tables.put(db, write, self._pins)
                self._disk.commit(db)
        except (sqlite3.Error, Damaged) as error:
            if damaging(error):
                self._file.broken(str(error))
            elif unopened(error):
                self._file.close()
            raise
        if write is None:
            db.execute("DELETE FROM arriving")
        elif write.form in ("delta", "whole"):
            tables.empty_log(db)

    def _writing(self, write: tables.Write | None) -> sqlite3.Connection:
        """The writing connection; `Damaged` if the file was begun anew, and only everything makes it whole."""
        if self._file.db is None:
            self._file.open()
        assert self._file.db is not None
        if write is None or write.form == "first":
            self._renewals = self._file.renewals
        elif self._renewals != self._file.renewals:
            raise _BegunAnew("the file was begun anew")
        return self._file.db
