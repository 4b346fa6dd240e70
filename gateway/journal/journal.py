"""The journal as the gateway uses it: append from the event loop, commit before the act, send only what is on disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog

from contract.events import Batch, Hash, StreamId
from contract.kinds import RecordingStalled, StreamForked
from gateway.clock import Clock, Corrected, Turn
from gateway.journal import tables
from gateway.journal.disk import Disk, FileLock, connect
from gateway.journal.opening import opened
from gateway.journal.records import DRAFTS_LIMIT, Draft, Fact, Place, Recorded, StateChange, fact
from gateway.journal.stall import Stall, StallWatcher
from gateway.journal.syncer import Syncer
from gateway.journal.writer import Append, Commit, Failure, Job, Writer

log = structlog.get_logger(__name__)

T = TypeVar("T")
Subscriber = Callable[[list[Recorded]], None]

CLOSE_S = 3.0
READ_LIMIT = 1_000

_Reached = tuple[int, int, int]
"""The last append, the stream's number and the last sequence in it."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How much the journal keeps of what the hub has acknowledged, and how much it lets wait in memory.

    `act_waits_s`: how long an append may hold up an act. `silent_s`: a disk that confirms nothing for so long is said.
    """

    days: float = 365.0
    quota_bytes: int = 2_000_000_000
    waiting: int = 10_000
    act_waits_s: float = 0.05
    late_s: float = 1.0
    silent_s: float = 5.0
    prune_every_s: float = 3_600.0


class Journal:
    """One gateway's record. All methods belong to the event loop on which it was opened."""

    def __init__(
        self, path: Path, lock: FileLock, db: sqlite3.Connection, *, clock: Clock, disk: Disk, source: str, keep: Keep
    ) -> None:
        self._path = path
        self._lock = lock
        self._db = db
        self._clock = clock
        self._source = source
        self._keep = keep
        self._loop = asyncio.get_running_loop()
        standing = tables.current(db)
        assert standing is not None
        self._place, self._acked = standing
        self._ack = self._place.number, self._acked
        self._first = tables.first_held(db, self._place.number) or 1
        self._on_disk: Place | None = None
        self._subscribers: list[Subscriber] = []
        self._durable_watchers: list[Callable[[], None]] = []
        self._disk_waiters: list[tuple[_Reached, asyncio.Future[bool]]] = []
        self._noting_ack = False
        self._closed = False
        self.stall = Stall(self._loop, late_s=keep.late_s, silent_s=keep.silent_s)
        self._writer = Writer(db, self._place, disk, self._on_loop(self._wrote), limit=keep.waiting)
        self._syncer = Syncer(path, disk, self._on_loop(self._synced))
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="journal-reader")
        self._reading = threading.local()
        self._pruning = self._loop.call_later(min(60.0, keep.prune_every_s), self._prune)
        clock.watch(self._clock_turns)

    @classmethod
    def open(
        cls, path: Path, *, clock: Clock, source: str = "gateway", disk: Disk | None = None, keep: Keep | None = None
    ) -> Journal:
        """The journal in `path`, made, migrated or (if damaged) begun anew; `clock` is told its last instant.

        `source` is what the journal's own events (`stream.forked`, `recording.stalled`) name. `JournalInUse` if another
        process has it, `JournalTooNew` if a newer software wrote it. Call it on the event loop.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            db = opened(path, clock, source)
            journal = cls(path, lock, db, clock=clock, disk=disk or Disk(), source=source, keep=keep or Keep())
        except BaseException:
            lock.close()
            raise
        journal._syncer.start()
        journal._writer.start()
        journal._syncer.put(journal._place)
        return journal

    # --- Where it stands

    @property
    def stream(self) -> StreamId:
        """The current stream's id."""
        return self._place.stream

    @property
    def first(self) -> int:
        """The lowest sequence of the current stream that is still held (1 when there is none)."""
        return self._first

    @property
    def floor(self) -> int:
        """The lowest sequence after which everything is still held, with the hash before it."""
        return 0 if self._first == 1 else self._first

    @property
    def last(self) -> int:
        """The last sequence committed; 0 in a new stream."""
        return self._place.seq

    @property
    def last_id(self) -> int:
        """The last local id committed."""
        return self._place.id

    @property
    def acked(self) -> int:
        """The last sequence that the hub has acknowledged."""
        return self._acked

    @property
    def durable(self) -> int:
        """The last sequence known to be on the disk; nothing beyond it is sent."""
        return self.durable_head[0]

    @property
    def durable_head(self) -> tuple[int, Hash]:
        """The last sequence on the disk and its hash."""
        place = self._on_disk
        if place is None or place.number != self._place.number:
            return 0, "0" * 64
        return place.seq, place.head

    @property
    def waiting(self) -> int:
        """Facts in memory that the disk has not taken yet."""
        return self._writer.waiting

    @property
    def stalled(self) -> str | None:
        """Why the disk does not record at the moment; None when it does."""
        return self.stall.why

    # --- Writing

    async def append(self, drafts: Sequence[Draft], state: Sequence[StateChange] = ()) -> list[Recorded]:
        """Commits facts and state changes in one transaction; the events, in the drafts' order.

        After 50 ms at the most it returns []: the facts then wait in memory and are recorded when the disk takes them.
        `ValueError` or `TypeError` for a draft that breaks the contract; then nothing of it is recorded.
        """
        future: asyncio.Future[list[Recorded]] = self._loop.create_future()
        append = self._put(drafts, state, future)
        if append is None:
            return []
        if not self.stall.writing:
            await asyncio.wait((future,), timeout=self._keep.act_waits_s)
        if future.done():
            return future.result()
        self.stall.late(len(append.facts))
        return []

    async def on_disk(self, *, within_s: float) -> bool:
        """Whether all that was done so far, also to state alone, is on the disk; waits at most `within_s` seconds.

        For commands, before they act.
        """
        wanted = self._writer.handed, self._place.number, self._place.seq
        if _holds(self._on_disk, wanted):
            return True
        future: asyncio.Future[bool] = self._loop.create_future()
        waiter = (wanted, future)
        self._disk_waiters.append(waiter)
        self._syncer.hurry()
        try:
            await asyncio.wait((future,), timeout=within_s)
        finally:
            if waiter in self._disk_waiters:
                self._disk_waiters.remove(waiter)
        return future.done()

    def acknowledge(self, seq: int) -> None:
        """The hub holds the current stream up to `seq` (or, restored from a backup, no longer more than that)."""
        self._acked = min(seq, self._place.seq)
        self._ack = self._place.number, self._acked
        if not self._noting_ack and not self._closed:
            self._noting_ack = True
            self._do(partial(tables.note_ack, acked=self._newest_ack)).add_done_callback(self._ack_noted)

    async def fork(self, agreed: int, why: str) -> int:
        """Moves what the hub has neither acknowledged nor, after `agreed`, agreed to, into a new stream; how many.

        The new stream begins with `stream.forked`. One transaction: a crash leaves the old stream or the new one.
        """
        agreed = min(max(agreed, self._acked), self._place.seq)
        old, now, clock = self._place.stream, self._clock.wall_ms(), self._clock.state

        def first(moved: int, missing: int) -> Fact:
            told = StreamForked(old_stream=old, agreed=agreed, why=why, moved=moved, missing=missing)
            return fact(Draft(kind="stream.forked", source=self._source, data=told), now, clock)

        moved: int = await self._do(partial(tables.fork, agreed=agreed, first=first))
        return moved

    # --- Reading

    def load_state(self, kind: str) -> dict[str, bytes]:
        """The state recorded under `kind`, by id. For the start: it blocks for some milliseconds."""
        db = connect(self._path)
        try:
            return tables.state_of(db, kind)
        finally:
            db.close()

    async def events(
        self,
        *,
        after: int | None = None,
        before: int | None = None,
        limit: int = 50,
        kind: str | None = None,
        source: str | None = None,
    ) -> list[Recorded]:
        """Events by local `id`: with `after` oldest first, otherwise newest first; never holds up the writer."""
        limit = max(1, min(limit, READ_LIMIT))
        return await self._read(
            partial(tables.select, after=after, before=before, limit=limit, kind=kind, source=source)
        )

    async def batch(self, after: int) -> Batch | None:
        """The next batch after `after` for the hub, of events that are on the disk; None when there is none.

        `NotHeld`: `after` or what follows it was pruned away or lost with a damaged file. `BrokenChain`: the file was
        changed by something else.
        """
        number, stream, upto = self._place.number, self._place.stream, self.durable
        if upto <= after:
            return None
        return await self._read(partial(tables.batch, number=number, stream=stream, after=after, upto=upto))

    async def hash_at(self, seq: int) -> Hash | None:
        """The hash of an event of the current stream, None if it is not held."""
        return await self._read(partial(tables.hash_at, number=self._place.number, seq=seq))

    # --- Being told

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """`subscriber` gets every event, on the loop, right after its commit; the returned call ends that."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def watch_durable(self, watcher: Callable[[], None]) -> None:
        """`watcher` is called whenever more is on the disk."""
        self._durable_watchers.append(watcher)

    def watch_stall(self, watcher: StallWatcher) -> None:
        """`watcher` hears why recording stalls, and None when it goes on."""
        self.stall.watch(watcher)

    async def close(self) -> None:
        """Writes and confirms what waits, as far as the disk lets it within some seconds, and lets the file go."""
        if self._closed:
            return
        self._closed = True
        self._pruning.cancel()
        self._note_wall(self._clock.wall_ms())
        written = await asyncio.to_thread(self._writer.close, CLOSE_S)
        synced = await asyncio.to_thread(self._syncer.close, CLOSE_S)
        self.stall.close()
        self._readers.shutdown(wait=False, cancel_futures=True)
        if written and synced:
            await asyncio.to_thread(self._db.close)
        else:
            log.error("journal.closed_with_a_stalled_disk", waiting=self._writer.waiting)
        self._lock.close()

    # --- Inside

    def _put(
        self, drafts: Sequence[Draft], state: Sequence[StateChange], future: asyncio.Future[list[Recorded]]
    ) -> Append | None:
        if self._closed:
            raise RuntimeError("the journal is closed")
        if len(drafts) > DRAFTS_LIMIT:
            raise ValueError(f"{len(drafts)} drafts in one append, at most {DRAFTS_LIMIT}")
        if not drafts and not state:
            return None
        now = self._clock.wall_ms()
        facts = [fact(draft, now, self._clock.state) for draft in drafts]
        append = Append(facts, list(state), future)
        for lost in self._writer.put(append):
            if lost.done is not None and not lost.done.done():
                lost.done.set_result([])
            self.stall.dropped(len(lost.facts))
        return append

    def _clock_turns(self, turn: Turn) -> None:
        # A time that was taken back must not come again with the next start.
        if isinstance(turn, Corrected) and not self._closed:
            self._note_wall(turn.to_ms)

    def _note_wall(self, wall_ms: int) -> None:
        self._writer.do(Job(partial(tables.note_wall, wall_ms=wall_ms), self._loop.create_future()))

    def _do(self, work: Callable[[sqlite3.Connection, Place], tuple[Place, Any]]) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        self._writer.do(Job(work, future))
        return future

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        return await self._loop.run_in_executor(self._readers, self._on_reader, read)

    def _on_reader(self, read: Callable[[sqlite3.Connection], T]) -> T:
        db: sqlite3.Connection | None = getattr(self._reading, "db", None)
        if db is None:
            db = self._reading.db = connect(self._path)
            db.execute("PRAGMA query_only=1")
        return read(db)

    def _on_loop(self, handle: Callable[[Any], None]) -> Callable[[Any], None]:
        def report(what: object) -> None:
            try:
                self._loop.call_soon_threadsafe(handle, what)
            except RuntimeError:  # the loop has ended before the journal: nobody is left to be told
                log.warning("journal.reported_after_the_loop")

        return report

    def _wrote(self, report: Commit | Failure) -> None:
        if isinstance(report, Failure):
            self._write_failed(report)
            return
        forked = report.place.number != self._place.number
        self._place = report.place
        if forked:
            self._acked, self._first = 0, 1
        events: list[Recorded] = []
        for append, made in report.appends:
            events += made
            if append.done is not None and not append.done.done():
                append.done.set_result(list(made))
        self._syncer.put(report.place)
        self._finish(report, events)
        if events:
            self._tell(events)
        self.stall.committed(on_disk=self._on_disk == self._place)
        self._say_recovered()

    def _finish(self, report: Commit, events: list[Recorded]) -> None:
        job = report.job
        if job is None:
            return
        result = report.result
        if isinstance(result, tables.Forked):
            events.append(result.first)
            result = result.moved
        if not job.done.done():
            job.done.set_result(result)

    def _write_failed(self, failure: Failure) -> None:
        job = failure.job
        if job is not None and failure.error is not None and not job.done.done():
            job.done.set_exception(failure.error)
        if job is None:
            self.stall.failed(failure.why)

    def _tell(self, events: list[Recorded]) -> None:
        for subscriber in list(self._subscribers):
            try:
                subscriber(events)
            except Exception:  # one bad screen must not stop the record for the others
                log.exception("journal.subscriber_failed")

    def _synced(self, report: Place | str) -> None:
        if isinstance(report, str):
            self.stall.unconfirmed(report)
            return
        self._on_disk = report
        self.stall.confirmed(all_of_it=report == self._place)
        self._say_recovered()
        for waiter in list(self._disk_waiters):
            if _holds(report, waiter[0]) and not waiter[1].done():
                waiter[1].set_result(True)
        for watcher in self._durable_watchers:
            watcher()

    def _say_recovered(self) -> None:
        over = self.stall.over()
        if over is None or self._closed:
            return
        data = RecordingStalled(why=over.why, waited=over.waited, dropped=over.dropped)
        draft = Draft(kind="recording.stalled", source=self._source, data=data)
        # What waited may still fill the memory: this one sentence takes nobody's place.
        self._writer.put(Append([fact(draft, self._clock.wall_ms(), self._clock.state)], [], None), drops=False)

    def _newest_ack(self) -> tuple[int, int]:
        self._noting_ack = False
        return self._ack

    def _ack_noted(self, done: asyncio.Future[Any]) -> None:
        if done.exception() is not None:
            self._noting_ack = (
                False  # the next acknowledgement tries again; until then the hub would recognise a repeat
            )

    def _prune(self) -> None:
        before = self._clock.forget_before(round(self._keep.days * 86_400_000))
        work = partial(tables.pruned, acked=self._acked, before_ms=before, quota_bytes=self._keep.quota_bytes)
        self._do(work).add_done_callback(self._was_pruned)

    def _was_pruned(self, done: asyncio.Future[Any]) -> None:
        if self._closed:
            return
        gone = first = 0
        if done.exception() is None:
            gone, first = done.result()
            self._first = first or self._first
        pause = 0.2 if gone else self._keep.prune_every_s
        self._pruning = self._loop.call_later(pause, self._prune)


def _holds(place: Place | None, wanted: _Reached) -> bool:
    append, number, seq = wanted
    return place is not None and place.append >= append and (place.number, place.seq) >= (number, seq)
