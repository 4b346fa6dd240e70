"""Reading the journal's file beside its writer: threads with connections of their own that never write a byte."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gateway.sqlite.disk import Damaged, Disk, damaging, intact

T = TypeVar("T")
Read = Callable[[sqlite3.Connection], T]


class Reader:
    """Two threads. `opened` counts how often the writer opened the file: a connection of before reads another one."""

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="journal-reader")
        self._mine = threading.local()
        self._turn = threading.Condition()
        self._reading = 0
        self._open: set[sqlite3.Connection] = set()

    async def read(self, read: Read[T], opened: int) -> T:
        """What `read` gives; `Damaged` if the file is, `sqlite3.Error` if it cannot be read at the moment."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._on_thread, read, opened)
        except sqlite3.Error as error:
            if damaging(error):
                raise Damaged(str(error)) from error
            raise

    def close(self, within_s: float = 0) -> None:
        """Ends, and waits no longer than that for a read that goes on.

        Its connections are closed, so that the writer's is the last one: that takes the log over into the file.
        """
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._turn:
            if self._turn.wait_for(lambda: self._reading == 0, within_s):
                for connection in self._open:
                    connection.close()

    def _on_thread(self, read: Read[T], opened: int) -> T:
        with self._turn:
            self._reading += 1
        try:
            return read(self._connection(opened))
        finally:
            with self._turn:
                self._reading -= 1
                self._turn.notify_all()

    def _connection(self, opened: int) -> sqlite3.Connection:
        mine: tuple[int, sqlite3.Connection] | None = getattr(self._mine, "connection", None)
        if mine is None or mine[0] != opened:
            if mine is not None:
                del self._mine.connection
                self._open.discard(mine[1])
                mine[1].close()
            mine = self._mine.connection = opened, self._disk.look(self._path)
            self._open.add(mine[1])
        return mine[1]


def read_intact(db: sqlite3.Connection, path: Path, read: Read[T], but: tuple[type[Exception], ...]) -> T:
    """What `read` gives; `Damaged` also for rows that are none. `but`: what it may say that is no damage."""
    with intact(path, but=but):
        return read(db)
