"""The journal as the gateway uses it: append from the event loop, commit before the act, send only what is on disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from contract.events import Batch, Hash, StreamId
from contract.facts.gateway import RecordingStalled, StreamForked
from gateway.clock import Clock, Corrected, Turn
from gateway.journal import tables
from gateway.journal.history import History
from gateway.journal.opening import JournalStanding, forked, journal_file, nowhere
from gateway.journal.position import Position
from gateway.journal.records import DRAFTS_LIMIT, Draft, Fact, Place, Recorded, StateChange, fact
from gateway.journal.stall import Stall, StallWatcher
from gateway.journal.state import Late, State
from gateway.journal.syncer import Syncer
from gateway.journal.upkeep import Keep, Upkeep
from gateway.journal.waiters import DiskWaiters, holds
from gateway.journal.writer import Append, Commit, Dropped, Failure, GivenUp, Job, Reported, Writer
from gateway.listeners import Listeners
from gateway.sqlite.disk import Damaged, Disk, FileLock, JournalTooNew
from gateway.sqlite.file import Damages, Opened

log = structlog.get_logger(__name__)

T = TypeVar("T")
Subscriber = Callable[[list[Recorded]], None]

CLOSE_S = 3.0


class Journal(Position):
    """One gateway's record. All methods belong to the event loop on which it was opened."""

    def __init__(
        self,
        path: Path,
        lock: FileLock,
        damages: Damages | None,
        *,
        clock: Clock,
        disk: Disk,
        source: str,
        keep: Keep,
    ) -> None:
        opened = nowhere()
        super().__init__(opened.taken.place)
        self._path = path
        self._lock = lock
        self._clock = clock
        self._source = source
        self._keep = keep
        self._loop = asyncio.get_running_loop()
        self._state = State()
        self._subscribers: Listeners[list[Recorded]] = Listeners("events")
        self._durable_watchers: list[Callable[[], None]] = []
        self._disk_waiters = DiskWaiters()
        self._closed = False
        self.stall = Stall(self._loop, late_s=keep.late_s, silent_s=keep.silent_s)
        file = journal_file(
            path, disk, damages, source=source, machine_ms=clock.machine_ms, stood=lambda: self._writer.place
        )
        self._file = file
        self._writer = Writer(file, disk, self._on_loop(self._wrote), limit=keep.waiting)
        self._syncer = Syncer(path, disk, self._on_loop(self._synced))
        self._history = History(path, disk, self, opened, self._writer.mend)
        self._upkeep = Upkeep(
            self._loop, self._do, partial(self._prunable, keep), self._pruned, every_s=keep.prune_every_s
        )
        clock.watch(self._clock_turns)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Clock,
        source: str = "gateway",
        disk: Disk | None = None,
        keep: Keep | None = None,
        damages: Damages | None = None,
    ) -> Journal:
        """The journal in `path`, made, migrated or (if damaged) begun anew; `clock` is told its last instant.

        If the disk lets nothing be opened or made, it is stalled from the start, and tries on. `source` is what its own
        events (`stream.forked`, `recording.stalled`) name. `JournalInUse` if another process has it, `JournalTooNew`
        if a newer software wrote it. Call it on the event loop.
        """
        lock = FileLock(path)
        journal = cls(path, lock, damages, clock=clock, disk=disk or Disk(), source=source, keep=keep or Keep())
        journal._syncer.start()
        try:
            in_time = journal._file.begin(journal._writer.start, journal._stands)
        except JournalTooNew:
            journal._abandon()
            raise
        if not in_time:
            journal.stall.failed("the disk does not answer")
        return journal

    # --- Where it stands

    @property
    def waiting(self) -> int:
        """Facts in memory that the disk has not taken yet."""
        return self._writer.waiting

    @property
    def stalled(self) -> str | None:
        """Why the disk does not record at the moment; None when it does."""
        return self.stall.why

    # --- Writing

    def put(self, drafts: Sequence[Draft], state: Sequence[StateChange] = ()) -> asyncio.Future[list[Recorded]]:
        """Facts and state changes take their place in the order at the call and are committed in one transaction.

        The future is done with the events, in the drafts' order, once that is so; after 50 ms and a turn with []: the
        facts then wait in memory and are recorded when the disk takes them. Whoever awaits it shields it.
        `ValueError` or `TypeError` for a draft that breaks the contract; then nothing of it is recorded.
        """
        if self._closed:
            raise RuntimeError("the journal is closed")
        if len(drafts) > DRAFTS_LIMIT:
            raise ValueError(f"{len(drafts)} drafts in one append, at most {DRAFTS_LIMIT}")
        future: asyncio.Future[list[Recorded]] = self._loop.create_future()
        if not drafts and not state:
            future.set_result([])
            return future
        now = self._clock.wall_ms()
        facts = [fact(draft, now, self._clock.state) for draft in drafts]
        self._state.change(state)
        for lost in self._writer.put(Append(facts, list(state), future)):
            self.stall.dropped(lost.abandoned())
        if self.stall.writing:
            self._late(future, len(facts))
        else:
            # By way of another turn: a commit wins that a thread has told already, also where timers come before that.
            patience = self._loop.call_later(
                self._keep.act_waits_s, self._loop.call_soon, self._late, future, len(facts)
            )
            future.add_done_callback(lambda _: patience.cancel())
        return future

    async def on_disk(self, *, within_s: float) -> bool:
        """Whether all that was done so far, also to state alone, is on the disk; waits at most `within_s` seconds.

        For commands, before they act.
        """
        wanted = self._writer.handed, self._place.number, self._place.seq
        if holds(self._on_disk, wanted):
            return True
        self._syncer.hurry()
        return await self._disk_waiters.wait(wanted, within_s)

    def acknowledge(self, seq: int) -> None:
        """The hub holds the current stream up to `seq` (or, restored from a backup, no longer more than that)."""
        self._acked = min(seq, self._place.seq)
        self._upkeep.note_ack(self._place.number, self._acked)

    async def fork(self, agreed: int, why: str) -> int:
        """Moves what the hub has neither acknowledged nor, after `agreed`, agreed to, into a new stream; how many.

        The new stream begins with `stream.forked`. One transaction: a crash leaves the old stream or the new one.
        `OSError` if the disk refuses, or the journal stands elsewhere by now.
        """
        agreed = min(max(agreed, self._acked), self._place.seq)
        old, now, clock = self._place.stream, self._clock.wall_ms(), self._clock.state

        def first(moved: int, missing: int) -> Fact:
            told = StreamForked(old_stream=old, agreed=agreed, why=why, moved=moved, missing=missing)
            return fact(Draft(kind="stream.forked", source=self._source, data=told), now, clock)

        try:
            made = await self._do(partial(forked, path=self._path, agreed=agreed, first=first))
        except (sqlite3.Error, Damaged, GivenUp) as error:
            raise OSError(f"the stream could not be forked: {error}") from error
        return made.moved

    # --- Reading

    @property
    def state_known(self) -> bool:
        """Whether all state of before the start is known; not as long as the disk has not given it."""
        return self._state.known

    def load_state(self, kind: str, late: Late | None = None, *, merges: bool = False) -> dict[str, bytes]:
        """The state recorded under `kind`, by id. `late` hears, on the loop, what a disk that hung at the start brings
        of it once it answers, and that nobody has changed since; if it `merges`, of what was changed too."""
        if late is not None:
            self._state.watch(kind, late, merges=merges)
        return self._state.of(kind)

    async def events(
        self, *, after: int | None = None, before: int | None = None, limit: int = 50, kind: str | None = None,
        source: str | None = None,
    ) -> list[Recorded]:  # fmt: skip
        """Events by local `id`: with `after` oldest first, otherwise newest first; never holds up the writer.

        `OSError` if the file cannot be read, or not within some seconds.
        """
        return await self._history.events(after=after, before=before, limit=limit, kind=kind, source=source)

    async def event_at(self, stream: StreamId, seq: int, source: str) -> Recorded | None:
        """The event of `source` at that place, also of before a fork; None if it is not held. `OSError` as `events`."""
        return await self._history.event_at(stream, seq, source)

    async def batch(self, after: int) -> Batch | None:
        """The next batch after `after` for the hub, of events that are on the disk; None when there is none.

        `NotHeld`: `after` or what follows it was pruned away or lost with a damaged file. `BrokenChain`: the file was
        changed by something else. A file that cannot be read gives none, and is begun anew if it is damaged.
        """
        return await self._history.batch(after)

    async def hash_at(self, seq: int) -> Hash | None:
        """The hash of an event of the current stream, None if it is not held."""
        return await self._history.hash_at(seq)

    # --- Being told

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """`subscriber` gets every event, on the loop, right after its commit; the returned call ends that."""
        return self._subscribers.add(subscriber)

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
        self._upkeep.close()
        self._note_wall(self._clock.wall_ms())
        written = await asyncio.to_thread(self._writer.close, CLOSE_S)
        synced = await asyncio.to_thread(self._syncer.close, CLOSE_S)
        self.stall.close()
        await asyncio.to_thread(self._history.close, CLOSE_S)
        if written and synced:
            await asyncio.to_thread(self._file.close)
        else:
            log.error("journal.closed_with_a_stalled_disk", waiting=self._writer.waiting)
        self._lock.close()

    # --- Inside

    def _late(self, future: asyncio.Future[list[Recorded]], facts: int) -> None:
        if not future.done():
            future.set_result([])
            self.stall.late(facts)

    def _clock_turns(self, turn: Turn) -> None:
        # A time that was taken back must not come again with the next start.
        if isinstance(turn, Corrected) and not self._closed:
            self._note_wall(turn.to_ms)

    def _note_wall(self, wall_ms: int) -> None:
        self._writer.do(Job(partial(tables.note_wall, wall_ms=wall_ms), self._loop.create_future()))

    def _do(self, work: Callable[[sqlite3.Connection, Place], tuple[Place, T]]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._writer.do(Job(work, future))
        return future

    def _stands(self, opened: Opened[JournalStanding]) -> None:
        """The file was opened, looked at, or begun anew: this is where the journal stands now."""
        standing = opened.taken
        self._clock.start_after(standing.wall_ms)
        # What the hub acknowledged of the file before may not be in this one: what agrees is acknowledged again.
        self._acked = standing.acked
        self._place = replace(standing.place, append=self._place.append)
        self._first = standing.first
        self._history.opened(opened)
        late, lost = self._state.found(standing.state, whole=opened.found)
        if opened.why is not None:
            self._on_disk = self._place if opened.found else None
            self.stall.failed(opened.why)
            self._state.tell(late)
            return
        if lost and not self._closed:
            log.warning("journal.state_written_again", rows=len(lost))
            self._writer.put(Append([], lost, None), drops=False)
        self._syncer.renewed()
        self._syncer.put(self._place)
        self._do(partial(tables.note_wall, wall_ms=self._clock.wall_ms())).add_done_callback(asyncio.Future.exception)
        self._history.renewed()
        self._state.tell(late)
        for watcher in self._durable_watchers:
            watcher()

    def _abandon(self) -> None:
        self._closed = True
        self._upkeep.close()
        self._writer.close(CLOSE_S)
        self._syncer.close(CLOSE_S)
        self._history.close()
        self._lock.close()

    def _on_loop(self, handle: Callable[[T], None]) -> Callable[[T], None]:
        def report(what: T) -> None:
            try:
                self._loop.call_soon_threadsafe(handle, what)
            except RuntimeError:  # the loop has ended before the journal: nobody is left to be told
                log.warning("journal.reported_after_the_loop")

        return report

    def _wrote(self, report: Reported) -> None:
        if isinstance(report, Opened):
            self._stands(report)
            return
        if isinstance(report, Failure):
            self._write_failed(report)
            return
        if isinstance(report, Dropped):
            self.stall.dropped(report.append.abandoned())
            self.stall.failed(report.why)
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
            self._subscribers.tell(events)
        self.stall.committed(on_disk=self._on_disk == self._place)
        self._say_recovered()

    def _finish(self, report: Commit, events: list[Recorded]) -> None:
        job = report.job
        if job is None:
            return
        result = report.result
        if isinstance(result, tables.Forked):
            events.append(result.first)
        if not job.done.done():
            job.done.set_result(result)

    def _write_failed(self, failure: Failure) -> None:
        job = failure.job
        if job is not None and failure.error is not None and not job.done.done():
            job.done.set_exception(failure.error)
        if job is None:
            self.stall.failed(failure.why)

    def _prunable(self, keep: Keep) -> tuple[int, int, int, int]:
        before = self._clock.forget_before(round(keep.days * 86_400_000))
        return self._place.number, self._acked, before, keep.quota_bytes

    def _pruned(self, first: int) -> None:
        self._first = first or self._first

    def _synced(self, report: Place | str | Damaged) -> None:
        if isinstance(report, Damaged):
            self._history.damaged(str(report))
            return
        if isinstance(report, str):
            self.stall.unconfirmed(report)
            return
        self._on_disk = report
        self.stall.confirmed(all_of_it=report == self._place)
        self._say_recovered()
        self._disk_waiters.reached(report)
        for watcher in self._durable_watchers:
            watcher()

    def _say_recovered(self) -> None:
        over = self.stall.over()
        if over is None:
            return
        data = RecordingStalled(why=over.why, waited=over.waited, dropped=over.dropped)
        draft = Draft(kind="recording.stalled", source=self._source, data=data)
        if not self._closed:
            # What waited may still fill the memory: this one sentence takes nobody's place.
            self._writer.put(Append([fact(draft, self._clock.wall_ms(), self._clock.state)], [], None), drops=False)
        self.stall.say_over()
