"""Finds whole frames in what a line delivers: byte by byte, two at once, between noise and wake-up bytes. Pure.

What a frame is, each protocol says by a `Cut`. A candidate whose check is wrong is dropped by its first byte only:
a sound frame may begin inside of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from drivers.errors import FrameError

Cut = Callable[[bytes, int], int | None]
"""Length of the sound frame that begins at a place of the buffer; 0 if none begins there, None if its end is missing.

Raises `FrameError` for what has the shape of a frame and whose check is wrong.
"""

HELD_LIMIT = 1024
"""More than any frame of any protocol has; a candidate that claims more is no frame."""


class Frames:
    """The incremental finder of one protocol. `starts`: bytes that its frames may begin with."""

    def __init__(self, cut: Cut, starts: bytes = b"\x68") -> None:
        self._cut = cut
        self._start = re.compile(b"[" + re.escape(starts) + b"]")
        self._held = bytearray()
        self.wrong: FrameError | None = None
        """The last candidate whose check was wrong."""

    @property
    def begun(self) -> bool:
        """Whether there is the beginning of what may become a frame."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Every sound frame that `data` completes."""
        self._held += data
        return self._search(last=False)

    def quiet(self) -> list[bytes]:
        """The line has gone quiet: what is unfinished will not be finished. Sound frames after it are told."""
        found = self._search(last=True)
        self._held.clear()
        return found

    def clear(self) -> None:
        """Forgets what was begun."""
        self._held.clear()
        self.wrong = None

    def _search(self, *, last: bool) -> list[bytes]:
        held = bytes(self._held)
        found: list[bytes] = []
        at = 0
        while (start := self._start.search(held, at)) is not None:
            at = start.start()
            try:
                length = self._cut(held, at)
            except FrameError as wrong:
                self.wrong = wrong
                length = 0
            if length is None and not last and len(held) - at < HELD_LIMIT:
                break
            if length:
                found.append(held[at : at + length])
            at += length or 1
        else:
            at = len(held)
        del self._held[:at]
        return found
