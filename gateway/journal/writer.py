"""The journal's one writer: a thread that groups what waits into transactions, and keeps trying when the disk will not.

Opening the file is a part of that: a gateway begins, and goes on, without one. Appends wait in bounded memory. When
that is full the oldest facts are dropped and counted; their state is kept, because decisions depend on it.

What is in hand waits again whatever keeps it from being committed. If that is not the disk but one of the appends (a
value that no file takes), each of them is written alone, and only the one that cannot be written is dropped.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from gateway.journal import tables
from gateway.journal.opening import JournalStanding
from gateway.journal.records import Fact, Place, Recorded, Row, StateChange, placed, recorded
from gateway.sqlite.disk import Damaged, Disk, damaging, unopened, unwritable
from gateway.sqlite.file import Opened, StoreFile

log = structlog.get_logger(__name__)

GROUP_LIMIT = 500
"""Facts in one transaction at the most, unless a single append brings more."""

STATE_LIMIT = 50_000
"""State changes kept of dropped appends at the most (each key counts once)."""

RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""How long the writer waits after each failure in a row; the last one repeats."""


@dataclass(slots=True)
class Append:
    """Facts and state that belong together; `done` is completed on the loop when they are committed.

    `number`: which one it is since the start, given when it is handed over. `alone`: it is written in a transaction of
    its own, because one that it was in could not be written.
    """

    facts: list[Fact]
    state: list[StateChange]
    done: asyncio.Future[list[Recorded]] | None
    rows: list[Row] = field(default_factory=list)
    number: int = 0
    alone: bool = False

    def abandoned(self) -> int:
        """It is dropped, and nobody waits for it any longer; how many facts it had. Call it on the loop."""
        if self.done is not None and not self.done.done():
            self.done.set_result([])
        return len(self.facts)


@dataclass(slots=True)
class Job:
    """Other work of the writer, in a transaction of its own. It may move the journal to another place."""

    work: Callable[[sqlite3.Connection, Place], tuple[Place, Any]]
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """What one transaction made: the appends in it, with their events, and the place after it."""

    appends: Sequence[tuple[Append, list[Recorded]]]
    place: Place
    job: Job | None = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A transaction that the disk refused; what was in it waits. `job` is set when it was one, and is given up."""

    why: str
    job: Job | None = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """An append that could not be written though the disk takes others. Its state is tried by itself."""

    append: Append
    why: str


class GivenUp(RuntimeError):
    """The journal stands elsewhere than when this was asked for."""


Reported = Opened[JournalStanding] | Commit | Failure | Dropped
Report = Callable[[Reported], None]


class Writer:
    """Owns the file. `report` is called on the writer's thread after each attempt."""

    def __init__(self, file: StoreFile[JournalStanding], disk: Disk, report: Report, *, limit: int) -> None:
        self._file = file
        self._damage: tuple[str, int] | None = None
        self._disk = disk
        self._report = report
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[Append] = deque()
        self._waiting_facts = 0
        self._carried: dict[tuple[str, str], StateChange] = {}
        self._in_hand: list[Append] = []
        self._jobs: deque[Job] = deque()
        self._jobs_turn = False
        self._closing = False
        self._failures = 0
        self.handed = 0
        """The number of the append that was handed over last."""
        self.place: Place | None = None
        """Where the file stands; None before it was opened."""
        self._thread: threading.Thread | None = None

    def start(self, first: Callable[[], Opened[JournalStanding]]) -> None:
        """Begins to write, once `first` has opened the file; whoever asks it is told how it was found."""
        self._thread = threading.Thread(target=self._run, args=(first,), name="journal-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Facts in memory that are not committed yet."""
        return self._waiting_facts

    def put(self, append: Append, *, drops: bool = True) -> list[Append]:
        """Hands facts over; the appends that had to be dropped for them, oldest first (none if it may not drop)."""
        with self._changed:
            dropped = self._make_room(len(append.facts)) if drops else []
            self.handed += 1
            append.number = self.handed
            self._waiting.append(append)
            self._waiting_facts += len(append.facts)
            self._changed.notify()
        return dropped

    def do(self, job: Job) -> None:
        """Hands other work over; it runs between two transactions."""
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()

    def mend(self, why: str, renewals: int) -> None:
        """The file was found damaged by a connection that was made after so many renewals: begin anew."""
        with self._changed:
            self._damage = why, renewals
            self._changed.notify()

    def close(self, within_s: float) -> bool:
        """Writes what waits, for at most `within_s` seconds, and ends; False if the disk did not let it."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        assert self._thread is not None
        self._thread.join(within_s)
        return not self._thread.is_alive() and not self._waiting

    def _make_room(self, wanted: int) -> list[Append]:
        dropped: list[Append] = []
        while self._waiting and self._waiting_facts + wanted > self._limit:
            oldest = self._waiting.popleft()
            self._waiting_facts -= len(oldest.facts)
            for change in oldest.state:
                self._carried[change.kind, change.id] = change
            dropped.append(oldest)
        while len(self._carried) > STATE_LIMIT:
            del self._carried[next(iter(self._carried))]
        return dropped

    # --- On the writer's thread

    def _run(self, first: Callable[[], Opened[JournalStanding]]) -> None:
        tries: int | None = None
        opened = first()
        if opened.error is None:
            self._moved(opened.taken.place)
        else:
            self._failed(opened.error)
            self._pause()
        while True:
            try:
                went = self._open() and self._work()
            except Exception as error:  # whatever is wrong with a file or a fact: doors go on, and it is tried again
                went = self._set_apart(error)
                if not went:
                    self._failed(error)
            if not went and not self._pause():
                # It closes: what waits is tried once more, also behind jobs that are refused one by one.
                tries = (len(self._jobs) + 1 if tries is None else tries) - 1
                if tries < 0:
                    return
            with self._changed:
                while self._idle() and not self._closing:
                    self._changed.wait()
                if self._closing and not (self._waiting or self._jobs):
                    return

    def _idle(self) -> bool:
        return self._file.db is not None and not (self._waiting or self._jobs or self._damage)

    def _open(self) -> bool:
        """Whether the file is open, after an attempt if it was not."""
        with self._changed:
            damage, self._damage = self._damage, None
        if damage is not None and damage[1] == self._file.renewals:
            self._file.broken(damage[0])
        if self._file.db is not None:
            return True
        standing = self._file.open()
        self._moved(standing.place)
        self._report(Opened(standing, self._file.renewals))
        return True

    def _moved(self, place: Place) -> None:
        """The file stands there; jobs that were meant for another one are given up."""
        old, self.place = self.place, replace(place, append=0 if self.place is None else self.place.append)
        if old is None or old.number == place.number:
            return
        with self._changed:
            jobs, self._jobs = self._jobs, deque()
        for job in jobs:
            self._report(Failure("the journal was begun anew", job, GivenUp("the journal was begun anew")))

    def _work(self) -> bool:
        with self._changed:
            if not (self._waiting or self._jobs):
                return True
            # In turns, so that neither a busy door nor a long tail of jobs holds up the other.
            job = self._jobs.popleft() if self._jobs and (self._jobs_turn or not self._waiting) else None
            group, carried = ([], []) if job else self._take()
            self._jobs_turn = not job
        assert self._file.db is not None
        assert self.place is not None
        if job:
            return self._do(self._file.db, self.place, job)
        return self._write(self._file.db, self.place, group, carried)

    def _take(self) -> tuple[list[Append], list[StateChange]]:
        group: list[Append] = []
        size = 0
        carried, self._carried = list(self._carried.values()), {}
        if carried and self._waiting[0].alone:
            return [Append([], carried, None, alone=True)], []
        while self._waiting and (not group or self._joins(self._waiting[0], group[-1], size)):
            append = self._waiting.popleft()
            size += len(append.facts)
            group.append(append)
        self._waiting_facts -= size
        return group, carried

    @staticmethod
    def _joins(append: Append, last: Append, size: int) -> bool:
        return not append.alone and not last.alone and size + len(append.facts) <= GROUP_LIMIT

    def _write(self, db: sqlite3.Connection, place: Place, group: list[Append], carried: list[StateChange]) -> bool:
        last = place.append
        made: list[tuple[Append, list[Recorded]]] = []
        with ExitStack() as unless_committed:
            unless_committed.callback(self._give_back, group, carried)
            unless_committed.callback(self._roll_back)
            self._in_hand = group
            db.execute("BEGIN IMMEDIATE")
            tables.change_state(db, carried)
            for append in group:
                append.rows, place = placed(append.facts, place)
                tables.insert(db, append.rows)
                tables.change_state(db, append.state)
                made.append((append, [recorded(row, place.stream) for row in append.rows]))
            self._disk.commit(db)
            unless_committed.pop_all()
        self._in_hand = []
        # What was split off an append has no number of its own.
        place = self.place = replace(place, append=max(last, group[-1].number))
        self._failures = 0
        self._report(Commit(made, place))
        return True

    def _set_apart(self, error: Exception) -> bool:
        """Whether what was in hand is at fault: then each of it goes alone, and one that went alone is dropped.

        Before each drop an empty append has to be committed: a fault that is of no append drops none.
        """
        group, self._in_hand = self._in_hand, []
        if not unwritable(error) or not any(append.facts or append.state for append in group):
            return False
        log.error("journal.unwritable", why=type(error).__name__, appends=len(group))
        with self._changed:
            if group[0].alone:
                self._take_apart(group[0], type(error).__name__)
            else:
                for append in group:
                    append.alone = True
                self._waiting.appendleft(Append([], [], None, alone=True))
        return True

    def _take_apart(self, append: Append, why: str) -> None:
        """Its facts are dropped, its state is tried one by one; one alone that cannot be written is dropped too."""
        if not self._waiting or self._waiting[0] is not append:
            return  # it had to make room meanwhile
        self._waiting.popleft()
        self._waiting_facts -= len(append.facts)
        parts = append.state if append.facts or len(append.state) > 1 else []
        # The empty one says, behind all of it, that the disk takes what can be written.
        self._waiting.appendleft(Append([], [], append.done, number=append.number, alone=True))
        self._waiting.extendleft(Append([], [each], None, alone=True) for each in reversed(parts))
        if append.facts or not parts:
            kinds = sorted({each.kind for each in append.facts} or {each.kind for each in append.state})
            log.critical("journal.dropped", why=why, kinds=kinds, facts=len(append.facts))
            self._report(Dropped(append, f"what was to be recorded cannot be written: {why}"))

    def _do(self, db: sqlite3.Connection, stood: Place, job: Job) -> bool:
        try:
            db.execute("BEGIN IMMEDIATE")
            place, result = job.work(db, stood)
            self._disk.commit(db)
        except (sqlite3.Error, OSError, Damaged) as error:
            self._failed(error, job)
            return False
        except Exception as error:  # a job's own fault is its caller's to see, and must not end the writer
            self._roll_back()
            self._report(Failure(str(error), job, error))
            return True
        place = self.place = replace(place, append=stood.append)
        self._failures = 0
        self._report(Commit((), place, job, result))
        return True

    def _failed(self, error: Exception, job: Job | None = None) -> None:
        self._roll_back()
        self._failures += 1
        if damaging(error):
            self._file.broken(str(error))
        elif unopened(error):
            self._file.close()
        log.error("journal.write_failed", why=_why(error), attempt=self._failures)
        self._report(Failure(_why(error), job, error))

    def _roll_back(self) -> None:
        db = self._file.db
        try:
            if db is not None and db.in_transaction:
                db.execute("ROLLBACK")
        except sqlite3.Error as error:
            log.warning("journal.rollback_failed", why=str(error))

    def _give_back(self, group: list[Append], carried: list[StateChange]) -> None:
        with self._changed:
            self._waiting.extendleft(reversed(group))
            self._waiting_facts += sum(len(append.facts) for append in group)
            newer, self._carried = self._carried, {(change.kind, change.id): change for change in carried}
            self._carried.update(newer)
            for append in group if newer else ():  # what was dropped meanwhile is newer than what comes back
                append.state = [change for change in append.state if (change.kind, change.id) not in newer]

    def _pause(self) -> bool:
        """Waits before the next attempt; False if the journal closes meanwhile."""
        until = time.monotonic() + RETRY_S[min(self._failures, len(RETRY_S)) - 1]
        with self._changed:
            while not self._closing:
                left = until - time.monotonic()
                if left <= 0:
                    return True
                self._changed.wait(left)
        return False


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
