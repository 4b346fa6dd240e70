"""Pictures on the gateway's disk: files in a folder with a quota, each sent to the hub after the events.

`waiting/<id>.jpg` was not sent yet, `sent/<id>.jpg` was; a file moves from one to the other by a rename. A file's
modification time is the moment of the picture.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

import structlog

from contract.instants import instant
from contract.limits import PICTURE_LIMIT
from contract.pictures import Picture, PictureId, picture_id
from gateway.clock import Clock
from gateway.sqlite.file import OPEN_S

log = structlog.get_logger(__name__)

QUOTA_BYTES = 500_000_000
JPEG_START = b"\xff\xd8\xff"
_NAME = re.compile(r"^[0-9a-f]{32}\.jpg$")


@dataclass(frozen=True, slots=True)
class _Held:
    at_ms: int
    size: int
    sent: bool


class PictureStore:
    """The pictures of one site, oldest first. All methods belong to one event loop; files are touched on a thread."""

    def __init__(self, folder: Path, clock: Clock, quota_bytes: int) -> None:
        self._waiting_folder = folder / "waiting"
        self._sent_folder = folder / "sent"
        self._clock = clock
        self._quota_bytes = quota_bytes
        self._held: dict[PictureId, _Held] = {}
        self._unsent: dict[PictureId, None] = {}
        self._bytes = 0
        self._one_by_one = asyncio.Lock()
        self._watchers: list[Callable[[], None]] = []
        self.dropped = 0
        """Pictures that the quota removed before the hub had them."""

    @classmethod
    def open(cls, folder: Path, *, clock: Clock, quota_bytes: int = QUOTA_BYTES) -> PictureStore:
        """The pictures in `folder`, which is made if it is not there; what is not a picture of ours is left alone.

        What cannot be read there is not held, and a disk that hangs is not waited for: doors come first.
        """
        store = cls(folder, clock, quota_bytes)
        for place, sent in ((store._sent_folder, True), (store._waiting_folder, False)):
            files = partial(_files, place)
            listing = Future[list[tuple[PictureId, int, int]]]()
            Thread(target=lambda done=listing, look=files: done.set_result(look()), daemon=True).start()
            try:
                store._take_up(listing.result(OPEN_S), sent)
            except TimeoutError:
                log.warning("picture.folder_late", folder=place.name)
                listing.add_done_callback(partial(store._found_late, asyncio.get_running_loop(), sent))
        return store

    @property
    def backlog(self) -> int:
        """Pictures that the hub does not have yet."""
        return len(self._unsent)

    async def save(self, jpeg: bytes) -> PictureId:
        """Keeps a picture and its id; `ValueError` if it is no JPEG or too large, `OSError` if the disk refuses."""
        if not jpeg.startswith(JPEG_START):
            raise ValueError(f"not a JPEG: it begins with {jpeg[:4].hex(' ')}")
        if len(jpeg) > PICTURE_LIMIT:
            raise ValueError(f"a picture of {len(jpeg)} bytes, at most {PICTURE_LIMIT} are kept")
        name = picture_id(jpeg)
        at_ms = self._clock.wall_ms()
        async with self._one_by_one:
            if name in self._held:
                return name
            await asyncio.to_thread(_write, self._waiting_folder / f"{name}.jpg", jpeg, at_ms)
            self._held[name] = _Held(at_ms, len(jpeg), sent=False)
            self._unsent[name] = None
            self._bytes += len(jpeg)
            await self._make_room()
        for watcher in self._watchers:
            watcher()
        return name

    def path(self, picture: str) -> Path | None:
        """The file of a picture; None if it is not (or no longer) held."""
        held = self._held.get(picture)
        return None if held is None else self._file(picture, held)

    async def next_unsent(self) -> Picture | None:
        """The oldest picture that the hub does not have; None when it has all."""
        while self._unsent:
            name = next(iter(self._unsent))
            held = self._held[name]
            try:
                jpeg = await asyncio.to_thread(self._file(name, held).read_bytes)
            except OSError as error:
                log.warning("picture.lost", picture=name, why=str(error))
                self._forget(name)
                continue
            if picture_id(jpeg) != name:  # a power cut left half of it
                await self._remove(name)
                continue
            return Picture(id=name, at=instant(held.at_ms), jpeg=jpeg)
        return None

    async def mark_sent(self, picture: str) -> None:
        """The hub has it (or will never take it)."""
        async with self._one_by_one:
            held = self._held.get(picture)
            if held is None or held.sent:
                return
            try:
                await asyncio.to_thread(self._file(picture, held).rename, self._sent_folder / f"{picture}.jpg")
            except OSError as error:
                log.warning("picture.not_moved", picture=picture, why=str(error))
                self._unsent.pop(picture, None)  # after a restart it goes again, and the hub recognises it
                return
            self._held[picture] = _Held(held.at_ms, held.size, sent=True)
            self._unsent.pop(picture, None)

    def watch(self, watcher: Callable[[], None]) -> None:
        """`watcher` is called whenever there is another picture to send."""
        self._watchers.append(watcher)

    # --- Inside

    def _file(self, picture: str, held: _Held) -> Path:
        return (self._sent_folder if held.sent else self._waiting_folder) / f"{picture}.jpg"

    def _take_up(self, files: list[tuple[PictureId, int, int]], sent: bool) -> None:
        for name, at_ms, size in files:
            # One of a moment when the clock stood in the future is as old as any of today's, and goes like them.
            if name not in self._held:
                self._held[name] = _Held(min(at_ms, self._clock.wall_ms()), size, sent)
                self._bytes += size
        self._held = dict(sorted(self._held.items(), key=lambda each: each[1].at_ms))
        self._unsent = {name: None for name, held in self._held.items() if not held.sent}

    def _found_late(
        self, loop: asyncio.AbstractEventLoop, sent: bool, listing: Future[list[tuple[PictureId, int, int]]]
    ) -> None:
        def take_up() -> None:
            self._take_up(listing.result(), sent)
            for watcher in self._watchers:
                watcher()

        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(take_up)

    async def _make_room(self) -> None:
        """Removes the oldest that the hub has; if there are none, the oldest at all, but never the newest."""
        while self._bytes > self._quota_bytes and len(self._held) > 1:
            sent = next((name for name, held in self._held.items() if held.sent), None)
            if sent is None:
                self.dropped += 1
                log.warning("picture.dropped", dropped=self.dropped)
            await self._remove(sent or next(iter(self._held)))

    async def _remove(self, picture: str) -> None:
        file = self._file(picture, self._held[picture])
        self._forget(picture)
        try:
            await asyncio.to_thread(file.unlink, missing_ok=True)
        except OSError as error:
            log.warning("picture.not_removed", picture=picture, why=str(error))

    def _forget(self, picture: str) -> None:
        self._bytes -= self._held.pop(picture).size
        self._unsent.pop(picture, None)


def _files(folder: Path) -> list[tuple[PictureId, int, int]]:
    """Id, moment and size of each picture in a folder; halves are removed, and what is no folder set aside."""
    found = []
    try:
        if folder.exists() and not folder.is_dir():
            folder.rename(folder.with_name(f"{folder.name}.damaged"))
        folder.mkdir(parents=True, exist_ok=True)
        files = list(folder.iterdir())
    except OSError as error:
        log.critical("pictures.unreadable", folder=str(folder), why=str(error))
        return []
    for file in files:
        try:
            if file.suffix == ".part":
                file.unlink(missing_ok=True)
            elif _NAME.match(file.name):
                stat = file.stat()
                found.append((file.stem, stat.st_mtime_ns // 1_000_000, stat.st_size))
        except OSError as error:
            log.warning("picture.unreadable", file=file.name, why=str(error))
    return found


def _write(file: Path, jpeg: bytes, at_ms: int) -> None:
    part = file.with_suffix(".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            out.write(jpeg)
            out.flush()
            os.fsync(out.fileno())  # a camera that is answered never sends it again
        os.utime(part, ns=(at_ms * 1_000_000, at_ms * 1_000_000))
        part.rename(file)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
