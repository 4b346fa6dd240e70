"""The readings' store: written about once a second on a thread of its own, so that it never touches a door."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from contract.facts.machines import ReadingsDropped
from contract.readings import Reading, ReadingsBatch, columns_of
from gateway.clock import Clock
from gateway.journal.stall import StallWatcher
from gateway.journal.tables import used_bytes
from gateway.readings import blobs, tables
from gateway.readings.file import ReadingsFile, StoreFound
from gateway.sqlite.disk import Damaged, Disk
from gateway.sqlite.file import Damages, Opened

log = structlog.get_logger(__name__)

RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Keep:
    """How much is kept. `waiting`: readings in memory while the disk refuses; `every_s`: time between two blobs."""

    days: float = 30.0
    quota_bytes: int = 500_000_000
    waiting: int = 100_000
    every_s: float = 1.0
    chunk_blobs: int = 300


class ReadingsStore:
    """All readings of one site. All methods belong to the event loop on which it was opened."""

    def __init__(self, path: Path, clock: Clock, keep: Keep, disk: Disk, damages: Damages | None) -> None:
        self._clock = clock
        self._keep = keep
        self._loop = asyncio.get_running_loop()
        self._file = ReadingsFile(path, clock.machine_ms, disk, damages, self._stands)
        self._standing = self._file.opened.taken.standing
        self._oldest = 1
        self._latest: dict[str, Reading] = {}
        self._acked = 0
        self._why: str | None = None
        self._unreadable: set[int] = set()
        self._buffer: list[Reading] = []
        self._writing: list[Reading] = []
        self._timer: asyncio.TimerHandle | None = None
        self._flushing = False
        self._failures = 0
        self._closed = False
        self._overflowed = 0
        self._watchers: list[Callable[[], None]] = []
        self._drop_watchers: list[Callable[[ReadingsDropped], None]] = []
        self._stall_watchers: list[StallWatcher] = []
        self._late_watchers: list[Callable[[Collection[Reading]], None]] = []

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        keep: Keep | None = None,
        disk: Disk | None = None,
        damages: Damages | None = None,
    ) -> ReadingsStore:
        """The store in `path`, made, migrated or (if damaged) set aside and begun anew. Call it on the event loop.

        If the disk lets nothing be opened or made, readings wait in memory, and it is tried again with each blob.
        """
        store = cls(path, clock, keep or Keep(), disk or Disk(), damages)
        if not store._file.begin():
            store._failed("the disk does not answer")
        return store

    # --- What it holds

    @property
    def store(self) -> str:
        """The store's id: readings' sequences count within it."""
        return self._standing.store

    @property
    def last(self) -> int:
        """The last blob written."""
        return self._standing.last

    @property
    def acked(self) -> int:
        """The last blob that the hub has acknowledged."""
        return self._acked

    @property
    def floor(self) -> int:
        """The sequence after which every blob is still held."""
        return self._oldest - 1

    @property
    def backlog(self) -> int:
        """Blobs that the hub has not acknowledged."""
        return self.last - max(self._acked, self.floor)

    @property
    def failing(self) -> bool:
        """Whether the disk refuses at the moment; readings wait in bounded memory."""
        return self._why is not None

    def latest(self) -> dict[str, Reading]:
        """The last reading of every point, also from before a restart."""
        return dict(self._latest)

    async def history(self, point: str, from_ms: int, to_ms: int) -> list[Reading]:
        """What a point was worth between two moments (Unix ms, both included), oldest first."""
        return (await self.histories([point], from_ms, to_ms))[point]

    async def histories(self, points: Collection[str], from_ms: int, to_ms: int) -> dict[str, list[Reading]]:
        """The same for many points, which costs little more than for one."""
        of_point: dict[str, list[Reading]] = {point: [] for point in points}
        # What is in memory now may be on the disk, and only there, once the file has been read.
        fresh = [
            reading
            for reading in (*self._writing, *self._buffer)
            if reading.point in of_point and from_ms <= reading.at <= to_ms
        ]
        try:
            found = await self._file.read(partial(tables.history, points=points, from_ms=from_ms, to_ms=to_ms))
        except (sqlite3.Error, ValueError, Damaged) as error:
            raise OSError(f"the history of {', '.join(points):.200} cannot be read: {error}") from error
        for reading in (*found, *fresh):
            of_point[reading.point].append(reading)
        return {point: blobs.in_order(readings) for point, readings in of_point.items()}

    async def batch(self, after: int) -> ReadingsBatch | None:
        """The first blob after `after`, as it travels; None when there is none, or none that can be read now.

        A file that shows itself damaged is begun anew: then the store is another one.
        """
        store = self.store
        try:
            found = await self._file.read(partial(tables.blob, after=after))
        except (sqlite3.Error, Damaged) as error:
            log.warning("readings.blob_unread", after=after, why=str(error))
            return None
        if found is None or store != self.store:
            return None
        if found.columns is None and found.seq not in self._unreadable:
            self._unreadable.add(found.seq)
            self._dropped(ReadingsDropped(first_seq=found.seq, last_seq=found.seq, count=found.readings))
        return ReadingsBatch(store=store, seq=found.seq, oldest=found.oldest, columns=found.columns or [])

    # --- Writing

    def add(self, readings: Sequence[Reading]) -> None:
        """Takes readings in; they are written within about a second. Returns at once."""
        if self._closed:
            return
        self._buffer += readings
        for reading in readings:
            self._latest[reading.point] = reading
        excess = len(self._buffer) - self._keep.waiting
        if excess > 0:
            del self._buffer[:excess]
            self._overflowed += excess
        self._flush_in(self._keep.every_s)

    def acknowledge(self, seq: int) -> None:
        """The hub has everything up to `seq` (or, restored from a backup, no longer more than that)."""
        self._acked = seq
        if not self._closed:
            work = partial(tables.acknowledge, store=self.store, acked=seq)
            self._file.write(work).add_done_callback(self._acknowledged)

    async def renew(self) -> None:
        """Takes another id, when the hub holds something else under this one; `OSError` if the disk refuses."""
        try:
            self._standing = await self._file.write(tables.renew)
        except (sqlite3.Error, Damaged) as error:
            raise OSError(f"the store could not take another id: {error}") from error

    def watch(self, watcher: Callable[[], None]) -> None:
        """`watcher` is called whenever there is more to send."""
        self._watchers.append(watcher)

    def watch_drops(self, watcher: Callable[[ReadingsDropped], None]) -> None:
        """`watcher` hears what had to be dropped before the hub had it."""
        self._drop_watchers.append(watcher)

    @property
    def stalled(self) -> str | None:
        """Why the disk takes no readings at the moment; None when it does."""
        return self._why

    def watch_stall(self, watcher: StallWatcher) -> None:
        """`watcher` hears why the disk takes no readings, and None when it does again."""
        self._stall_watchers.append(watcher)

    def watch_late(self, watcher: Callable[[Collection[Reading]], None]) -> None:
        """`watcher` hears the last readings that a disk which hung at the start brings once it answers."""
        self._late_watchers.append(watcher)

    async def close(self) -> None:
        """Writes what waits, as far as the disk lets it, and lets the file go."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        waiting, self._buffer = self._buffer, []
        if waiting:
            self._file.write(partial(_store, readings=waiting, keep=self._keep, before_ms=0))
        await self._file.close()

    # --- Inside

    def _flush_in(self, pause: float) -> None:
        if self._timer is None and not self._flushing and not self._closed:
            self._timer = self._loop.call_later(pause, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._flushing = True
        self._writing, self._buffer = self._buffer, []
        before = self._clock.forget_before(round(self._keep.days * 86_400_000))
        work = partial(_store, readings=self._writing, keep=self._keep, before_ms=before)
        self._file.write(work).add_done_callback(self._flushed)

    def _flushed(self, done: asyncio.Future[Written]) -> None:
        error = done.exception()
        self._flushing = False
        waited, self._writing = self._writing, []
        if error is not None:
            self._buffer = [*waited, *self._buffer]
            self._failed(f"{type(error).__name__}: {error}")
            return
        written = done.result()
        self._standing, self._oldest = written.standing, written.oldest
        self._failures = 0
        self._turn(None)
        self._tell(written.dropped)
        if self._buffer:
            self._flush_in(self._keep.every_s)

    def _acknowledged(self, done: asyncio.Future[int]) -> None:
        if done.exception() is None:
            self._oldest = done.result()

    def _tell(self, dropped: ReadingsDropped | None) -> None:
        if self._overflowed:
            lost = ReadingsDropped(first_seq=self.last, last_seq=self.last, count=self._overflowed)
            self._overflowed = 0
            self._dropped(lost)
        if dropped is not None:
            self._dropped(dropped)
        for watcher in self._watchers:
            watcher()

    def _dropped(self, dropped: ReadingsDropped) -> None:
        log.warning("readings.dropped", first=dropped.first_seq, last=dropped.last_seq, count=dropped.count)
        for watcher in self._drop_watchers:
            watcher(dropped)

    def _failed(self, why: str) -> None:
        self._flush_in(RETRY_S[min(self._failures, len(RETRY_S) - 1)])
        self._failures += 1
        self._turn(why)

    def _turn(self, why: str | None) -> None:
        """The disk refuses, or takes readings (again)."""
        if why is not None:
            log.warning("readings.write_failed", why=why, waiting=len(self._buffer))
        before, self._why = self._why, why
        if (before is None) != (why is None):
            for watcher in self._stall_watchers:
                watcher(why)

    def _stands(self, opened: Opened[StoreFound], lost: ReadingsDropped | None) -> None:
        """This is where the store stands now."""
        found = opened.taken
        if found.standing.store != self.store:
            self._acked = found.standing.acked
            self._unreadable.clear()
        self._standing, self._oldest = found.standing, found.oldest
        late = [reading for point, reading in found.latest.items() if point not in self._latest]
        self._latest = found.latest | self._latest
        if opened.why is not None:
            self._failed(opened.why)
        elif not self._closed:
            # What was lost with a damaged file is not read again before it changes: a door's state may stay for days.
            again = [reading for point, reading in self._latest.items() if found.latest.get(point) != reading]
            if again:
                self._file.write(partial(tables.remember, readings=again))
        if lost is not None:
            self._dropped(lost)
        if late:
            for heard in self._late_watchers:
                heard(late)
        for watcher in self._watchers:
            watcher()


@dataclass(frozen=True, slots=True)
class Written:
    """Where the store stands after a flush, and what had to go for it."""

    standing: tables.StoreStanding
    oldest: int
    dropped: ReadingsDropped | None


def _store(db: sqlite3.Connection, readings: Sequence[Reading], keep: Keep, before_ms: int) -> Written:
    for start in range(0, len(readings), blobs.BLOB_READINGS):
        part = readings[start : start + blobs.BLOB_READINGS]
        tables.insert(db, part, columns_of(list(part)))
    standing = tables.standing(db)
    dropped = None
    if standing.last - standing.chunked >= keep.chunk_blobs:
        tables.chunk(db)
        tables.forget_before(db, before_ms)
    if used_bytes(db) > keep.quota_bytes:
        dropped = tables.shrink(db)
    return Written(tables.standing(db), tables.oldest(db), dropped)
