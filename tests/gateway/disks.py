"""Disks and clocks for tests: one that hangs or fails on demand, one that a hand sets; waiting for what must come."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from gateway.journal import Disk
from gateway.journal.tables import all_state
from gateway.sqlite.disk import look

NOW_MS = 1_790_000_000_000


class FaultyDisk(Disk):
    """Faults by name: `hang_opening`, `hang_looks`, `hang_commits`, `hang_syncs` until `heal`; the errors are raised
    instead."""

    def __init__(self) -> None:
        self._opening_goes = threading.Event()
        self.open_error: Exception | None = None
        self._looks_go = threading.Event()
        self._commits_go = threading.Event()
        self._syncs_go = threading.Event()
        self.commit_error: Exception | None = None
        self.sync_error: Exception | None = None
        self.syncs = 0
        self.heal()

    def hang_opening(self) -> None:
        self._opening_goes.clear()

    def hang_looks(self) -> None:
        self._looks_go.clear()

    def hang_commits(self) -> None:
        self._commits_go.clear()

    def hang_syncs(self) -> None:
        self._syncs_go.clear()

    def heal(self) -> None:
        self.open_error = self.commit_error = self.sync_error = None
        self.let_go()

    def let_go(self) -> None:
        self._opening_goes.set()
        self._looks_go.set()
        self._commits_go.set()
        self._syncs_go.set()

    def connect(self, path: Path) -> sqlite3.Connection:
        self._opening_goes.wait(30)
        if self.open_error is not None:
            raise self.open_error
        return super().connect(path)

    def look(self, path: Path) -> sqlite3.Connection:
        self._looks_go.wait(30)
        return super().look(path)

    def commit(self, connection: sqlite3.Connection) -> None:
        self._commits_go.wait(30)
        if self.commit_error is not None:
            raise self.commit_error
        super().commit(connection)

    def sync(self, fd: int) -> None:
        self._syncs_go.wait(30)
        if self.sync_error is not None:
            raise self.sync_error
        self.syncs += 1
        super().sync(fd)


class Hands:
    """A machine's two clocks, moved by hand: `wall` in Unix milliseconds, `steady` in seconds."""

    def __init__(self, wall: int = NOW_MS, steady: float = 100.0) -> None:
        self.wall = wall
        self.steady = steady

    def machine(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def pass_s(self, seconds: float) -> None:
        self.wall += round(seconds * 1000)
        self.steady += seconds


async def until(condition: Callable[[], bool]) -> None:
    """Returns when the condition holds; fails after 20 seconds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # a test may look; what it looks at has no event
            await asyncio.sleep(0.01)


def state_on_disk(path: Path, kind: str) -> dict[str, bytes]:
    """The state of one kind that a journal's file holds, by id."""
    with contextlib.closing(look(path)) as db:
        return all_state(db).get(kind, {})
