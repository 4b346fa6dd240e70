"""What the journal does beside recording: it notes what the hub has acknowledged, and lets old events go."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from gateway.journal import tables
from gateway.journal.records import Place

T = TypeVar("T")


class Do(Protocol):
    """Hands work to the writer."""

    def __call__(self, work: Callable[[sqlite3.Connection, Place], tuple[Place, T]]) -> asyncio.Future[T]:
        """What it gives beside the place where the journal stands afterwards."""


SLICE_PAUSE_S = 0.2


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


class Upkeep:
    """`do` hands work to the writer. `prunable`: the stream's number and the last sequence acknowledged of it, a moment
    (Unix ms) before which events go, and a quota in bytes; `pruned` hears the lowest sequence still held (0: none)."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        do: Do,
        prunable: Callable[[], tuple[int, int, int, int]],
        pruned: Callable[[int], None],
        *,
        every_s: float,
    ) -> None:
        self._loop = loop
        self._do = do
        self._prunable = prunable
        self._tell = pruned
        self._every_s = every_s
        self._ack = 0, 0
        self._noting = False
        self._closed = False
        self._pruning = loop.call_later(min(60.0, every_s), self._prune)

    def note_ack(self, number: int, acked: int) -> None:
        """Notes how far the hub holds a stream; of several in a moment only the newest."""
        self._ack = number, acked
        if not self._noting and not self._closed:
            self._noting = True
            self._do(partial(tables.note_ack, acked=self._newest)).add_done_callback(self._noted)

    def close(self) -> None:
        """Begins nothing more."""
        self._closed = True
        self._pruning.cancel()

    def _newest(self) -> tuple[int, int]:
        self._noting = False
        return self._ack

    def _noted(self, done: asyncio.Future[None]) -> None:
        if done.exception() is not None:
            # The next acknowledgement tries again; until then the hub would recognise a repeat.
            self._noting = False

    def _prune(self) -> None:
        number, acked, before_ms, quota_bytes = self._prunable()

        def work(db: sqlite3.Connection, place: Place) -> tuple[Place, tuple[int, int]]:
            if place.number != number:  # of that stream the hub has acknowledged nothing yet
                return place, (0, 0)
            return tables.pruned(db, place, acked=acked, before_ms=before_ms, quota_bytes=quota_bytes)

        self._do(work).add_done_callback(self._was_pruned)

    def _was_pruned(self, done: asyncio.Future[tuple[int, int]]) -> None:
        if self._closed:
            return
        gone = first = 0
        if done.exception() is None:
            gone, first = done.result()
            self._tell(first)
        self._pruning = self._loop.call_later(SLICE_PAUSE_S if gone else self._every_s, self._prune)
