"""What the journal's file holds, read beside its writer; a file that turns out to be damaged is begun anew."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from contract.events import Batch, Hash, StreamId
from gateway.journal import tables
from gateway.journal.opening import JournalStanding
from gateway.journal.position import Position
from gateway.journal.reading import Reader, read_intact
from gateway.journal.records import Recorded
from gateway.journal.tables import BrokenChain, NotHeld
from gateway.sqlite.disk import Damaged, Disk
from gateway.sqlite.file import OPEN_S, Opened

log = structlog.get_logger(__name__)

T = TypeVar("T")

READ_LIMIT = 1_000

READ_S = 10.0
"""How long a screen waits for events that the disk does not give."""


class History:
    """`stands`: where the journal stands. `mend` has the writer begin a damaged file anew: why, and which renewal of it
    was found so. Belongs to one event loop."""

    def __init__(
        self,
        path: Path,
        disk: Disk,
        stands: Position,
        opened: Opened[JournalStanding],
        mend: Callable[[str, int], None],
    ) -> None:
        self._path = path
        self._stands = stands
        self._opened = opened
        self._times_opened = 0
        self._mend = mend
        self._reader = Reader(path, disk)
        self._renewed = asyncio.Event()

    def opened(self, opened: Opened[JournalStanding]) -> None:
        """The writer has opened the file, looked at it, or begun it anew."""
        self._opened = opened
        self._times_opened += 1

    def renewed(self) -> None:
        """The file that was opened last can be written: who waited for a damaged one to be begun anew goes on."""
        self._renewed.set()

    def damaged(self, why: str) -> None:
        """Somebody found the file damaged."""
        self._found_damaged(why, self._opened)

    def close(self, within_s: float = 0) -> None:
        """See `gateway.journal.reading.Reader.close`."""
        self._reader.close(within_s)

    async def events(
        self,
        *,
        after: int | None,
        before: int | None,
        limit: int,
        kind: str | None,
        source: str | None,
    ) -> list[Recorded]:
        """See `Journal.events`."""
        limit = max(1, min(limit, READ_LIMIT))
        return await self._patiently(
            partial(tables.select, after=after, before=before, limit=limit, kind=kind, source=source)
        )

    async def event_at(self, stream: StreamId, seq: int, source: str) -> Recorded | None:
        """See `Journal.event_at`."""
        return await self._patiently(partial(tables.placed_at, stream=stream, seq=seq, source=source))

    async def batch(self, after: int) -> Batch | None:
        """See `Journal.batch`."""
        life, upto = self._stands.life, self._stands.durable
        number, stream = life
        if upto <= after:
            return None
        read = partial(tables.batch, number=number, stream=stream, after=after, upto=upto)
        try:
            made = await self._read(partial(read_intact, path=self._path, read=read, but=(BrokenChain, NotHeld)))
        except (Damaged, sqlite3.Error) as error:
            log.warning("journal.batch_unread", after=after, why=str(error))
            return None
        except (BrokenChain, NotHeld):
            if life != self._stands.life:
                return None
            raise
        return made if life == self._stands.life else None

    async def hash_at(self, seq: int) -> Hash | None:
        """See `Journal.hash_at`."""
        return await self._read(partial(tables.hash_at, number=self._stands.life[0], seq=seq))

    # --- Inside

    async def _patiently(self, read: Callable[[sqlite3.Connection], T]) -> T:
        try:
            async with asyncio.timeout(READ_S):
                try:
                    return await self._read(read)
                except Damaged:
                    await self._begun_anew()
                return await self._read(read)
        except TimeoutError as error:
            raise OSError("the journal cannot be read: the disk does not answer") from error
        except (Damaged, sqlite3.Error) as error:
            raise OSError(f"the journal cannot be read: {error}") from error

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        opened = self._opened
        try:
            return await self._reader.read(read, self._times_opened)
        except Damaged as damage:
            self._found_damaged(str(damage), opened)
            raise

    def _found_damaged(self, why: str, opened: Opened[JournalStanding]) -> None:
        if opened is self._opened:
            self._renewed.clear()
            self._mend(why, opened.renewals)

    async def _begun_anew(self) -> None:
        """Returns when a damaged file was begun anew, or after some seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(OPEN_S):
                await self._renewed.wait()
