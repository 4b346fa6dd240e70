"""Who speaks on a line of readers, one exchange at a time. Pure: bytes and `now` come in, bytes go out.

A question is answered within 0.2 s or not at all (OSDP 2.2, section 5.7); meanwhile nobody else is asked, and whatever
comes later, or from somebody else, is nobody's answer. The reader that has waited longest is next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from drivers.bus import BusHealth
from drivers.errors import FrameError
from drivers.osdp.codec import Frame, Frames
from drivers.osdp.reader import Reader

RESPONSE_S: Final = 0.205
"""How long a reader has for its answer: the library waits 200 ms, counted in whole ones."""

REST_S: Final = 1.0
"""A line without anybody to speak to is looked at this often."""


class Line:
    """The readers of one wire. `refused` is told of bytes that nobody can use: why, and a sample; `silent` of a reader
    that has not answered."""

    def __init__(
        self,
        readers: Sequence[Reader],
        health: BusHealth,
        *,
        guard_s: float,
        refused: Callable[[str, bytes], None],
        silent: Callable[[str], None] = lambda reader: None,
    ) -> None:
        self.readers = readers
        self._silences = 0
        self._answered_at = 0.0
        self._health = health
        self._guard_s = guard_s
        self._refused = refused
        self._silent = silent
        self._frames = Frames()
        self._write: Callable[[bytes], None] = lambda data: None
        self._owner: Reader | None = None
        self._until = 0.0
        self._quiet_until = 0.0

    def open(self, write: Callable[[bytes], None], now: float) -> None:
        """The wire is open: everybody is spoken to."""
        self._write = write
        self._owner = None
        self._quiet_until = now
        self._silences, self._answered_at = 0, now
        self._frames.clear()
        for reader in self.readers:
            reader.open(self._send, now)

    def close(self, why: str | None) -> None:
        """The wire is gone. `why`: and its readers with it."""
        self._owner = None
        for reader in self.readers:
            reader.close(why)

    def received(self, data: bytes, now: float) -> bool:
        """Bytes of the wire, as many as have come; whether they ended anything, so that it may be somebody's turn."""
        ended = False
        for found in self._frames.feed(data, now):
            ended = True
            if isinstance(found, FrameError):
                self._health.refused += 1
                self._refused(str(found), found.raw)
            elif found.reply:  # adapters of two-wire lines echo what the gateway says
                self._answered(found, now)
        return ended

    def silent_s(self, now: float) -> float:
        """For how long nobody has answered what was asked; 0 while nothing was."""
        return now - self._answered_at if self._silences else 0.0

    def turn(self, now: float) -> float:
        """Does what is due; when to come again (monotonic seconds)."""
        for _ in range(2 * len(self.readers) + 1):
            if self._owner is not None:
                if now < self._until:
                    return self._until
                self._unanswered(self._owner, now)
                continue
            if now < self._quiet_until:
                return self._quiet_until
            reader = min(self.readers, key=lambda each: each.due)
            if reader.due > now:
                return min(reader.due, now + REST_S)
            if reader.step(now):
                self._asked(reader, now)
        return now + 0.001

    def _send(self, data: bytes) -> None:
        self._frames.clear()
        self._write(data)

    def _asked(self, reader: Reader, now: float) -> None:
        self._owner, self._until = reader, now + RESPONSE_S

    def _answered(self, frame: Frame, now: float) -> None:
        reader = self._owner
        if reader is None or frame.address != reader.address:
            self._health.late += 1
            return
        self._owner = None
        self._silences, self._answered_at = 0, now
        self._health.exchanges += 1
        self._quiet_until = now + self._guard_s
        reader.heard(frame, now)

    def _unanswered(self, reader: Reader, now: float) -> None:
        self._owner = None
        self._silences += 1
        self._health.timeouts += 1
        self._silent(reader.id)
        if reader.unheard(now):
            self._asked(reader, now)
