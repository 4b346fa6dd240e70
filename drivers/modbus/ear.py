"""Understanding a Modbus RTU line by listening: who asks, who answers, what is damaged. Pure.

On the wire a request and an answer look alike; what tells them apart is what came before. A frame is taken for the
answer if the request before it was to the same unit and function; otherwise for a request. What is no sound frame is
noise, and noise where an answer was due is that unit's damaged answer.
Source: Modbus application protocol V1.1b3, section 6; Modbus over serial line V1.02, section 2.5.1.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from drivers.modbus.frames import body_size, sound

Kind = Literal["request", "answer", "exception", "custom", "noise"]

LIMIT = 256
"""Bytes of the longest frame."""

_FIXED_REQUEST = {1: 8, 2: 8, 3: 8, 4: 8, 5: 8, 6: 8, 7: 4, 8: 8, 11: 4, 12: 4, 17: 4, 22: 10, 24: 6, 43: 7}
_FIXED_ANSWER = {5: 8, 6: 8, 7: 5, 8: 8, 11: 8, 15: 8, 16: 8, 22: 10}
_COUNTED_REQUEST = {15: 6, 16: 6, 23: 10}
_COUNTED_ANSWER = {1: 2, 2: 2, 3: 2, 4: 2, 12: 2, 17: 2, 20: 2, 21: 2, 23: 2}
"""By function: the length of a frame, or where its count of bytes stands."""


class Heard(NamedTuple):
    """One frame or a stretch of noise. `at`: seconds at its first byte; `ended`: at its last.

    `asked`: the request that this answers. For noise, `unit` is the one whose answer was due, or -1.
    """

    kind: Kind
    at: float
    ended: float
    unit: int
    fc: int
    raw: bytes
    asked: Heard | None = None

    @property
    def pdu(self) -> bytes:
        """Function code and data."""
        return self.raw[1:-2]

    @property
    def latency_s(self) -> float | None:
        """From the request's end to the answer's first byte, as the adapter handed them over."""
        return None if self.asked is None else max(0.0, self.at - self.asked.ended)


class Ear:
    """Cuts what is heard into frames. Feed it bytes as they come, and tell it when the line has gone quiet."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._times: list[tuple[int, float]] = []
        """From which byte of what is held on the bytes came at which time."""
        self._asked: Heard | None = None
        self._noisy = 0
        """So many bytes at the beginning of what is held are in no frame."""

    def feed(self, data: bytes, at: float) -> list[Heard]:
        """What these bytes complete. `at`: when they came, in seconds."""
        self._times.append((len(self._held), at))
        self._held += data
        return self._cut(last=False)

    def quiet(self) -> list[Heard]:
        """The line has been silent for longer than a frame allows: what is unfinished will not be finished."""
        return self._cut(last=True)

    def _cut(self, *, last: bool) -> list[Heard]:
        found: list[Heard] = []
        held = bytes(self._held)
        at, noise = self._noisy, 0
        if last and len(held) >= 4 and sound(held):
            # A function that the standard does not know: only the silence around it says how long it is.
            found.append(self._frame(0, len(held)))
            at = noise = len(held)
        while at < len(held):
            size = self._size_at(held, at)
            if size is None and not last and len(held) - at <= LIMIT:
                break
            if not size:
                at += 1
                continue
            if at > noise:
                found.append(self._noise(noise, at))
            found.append(self._frame(at, size))
            at += size
            noise = at
        if at > noise and (last or at - noise > LIMIT):
            found.append(self._noise(noise, at))
            noise = at
        self._noisy = at - noise
        self._drop(noise)
        return found

    def _size_at(self, held: bytes, at: int) -> int | None:
        """The length of the sound frame that begins here; 0: none does, None: more bytes are needed to tell."""
        left = len(held) - at
        if left < 2:
            return None
        missing = False
        for size in self._sizes(held, at):
            if size is None:
                missing = True
            elif size > left:
                missing = missing or size <= LIMIT
            elif size >= 4 and sound(held[at : at + size]):
                return size
        return None if missing else 0

    def _sizes(self, held: bytes, at: int) -> tuple[int | None, ...]:
        """Lengths that a frame beginning so can have, the likeliest first; None: not to be told yet."""
        unit, fc = held[at], held[at + 1]
        if unit > 247:
            return ()
        if fc & 0x80:
            return (5,) if fc & 0x7F else ()
        answer = _size(held, at, _FIXED_ANSWER, _COUNTED_ANSWER)
        request = _size(held, at, _FIXED_REQUEST, _COUNTED_REQUEST)
        asked = self._asked
        if asked is not None and (asked.unit, asked.fc) == (unit, fc):
            return answer, request
        return request, answer

    def _frame(self, at: int, size: int) -> Heard:
        raw = bytes(self._held[at : at + size])
        unit, fc = raw[0], raw[1]
        began, ended = self._time(at), self._time(at + size - 1)
        asked = self._asked
        if fc & 0x80:
            mine = asked if asked is not None and (asked.unit, asked.fc) == (unit, fc & 0x7F) else None
            self._asked = None
            return Heard("exception", began, ended, unit, fc & 0x7F, raw, mine)
        if asked is not None and (asked.unit, asked.fc) == (unit, fc) and _answers(asked, raw):
            self._asked = None
            return Heard("answer", began, ended, unit, fc, raw, asked)
        if _is_request(raw):
            # A broadcast is never answered.
            heard = Heard("request", began, ended, unit, fc, raw)
            self._asked = heard if unit else None
            return heard
        if _size(raw, 0, _FIXED_ANSWER, _COUNTED_ANSWER) == size:
            return Heard("answer", began, ended, unit, fc, raw)
        return Heard("custom", began, ended, unit, fc, raw)

    def _noise(self, start: int, end: int) -> Heard:
        asked = self._asked
        unit, fc = (asked.unit, asked.fc) if asked is not None else (-1, -1)
        self._asked = None
        return Heard("noise", self._time(start), self._time(end - 1), unit, fc, bytes(self._held[start:end]), asked)

    def _time(self, place: int) -> float:
        return next(at for start, at in reversed(self._times) if start <= place)

    def _drop(self, count: int) -> None:
        if not count:
            return
        del self._held[:count]
        kept = [(start - count, at) for start, at in self._times]
        first = next((at for start, at in reversed(kept) if start <= 0), 0.0)
        self._times = [(0, first), *((start, at) for start, at in kept if start > 0)] if self._held else []


def _size(held: bytes, at: int, fixed: dict[int, int], counted: dict[int, int]) -> int | None:
    """The length of a frame that begins at `at`; None if its count has not come yet, 0 if there is no such frame."""
    fc = held[at + 1]
    size = fixed.get(fc)
    if size is not None:
        return size
    place = counted.get(fc)
    if place is None:
        return 0
    if len(held) <= at + place:
        return None
    count = held[at + place]
    return place + 3 + count if count else 0


def _is_request(raw: bytes) -> bool:
    size = _size(raw, 0, _FIXED_REQUEST, _COUNTED_REQUEST)
    return size == len(raw)


def _answers(asked: Heard, raw: bytes) -> bool:
    """Whether a frame of the same unit and function can be the answer to what was asked."""
    fc = asked.fc
    if fc <= 4:
        return len(raw) == 5 + body_size(fc, int.from_bytes(asked.raw[4:6], "big")) and raw[2] == len(raw) - 5
    if fc in {5, 6}:
        return raw == asked.raw
    if fc in {15, 16}:
        return len(raw) == 8 and raw[2:6] == asked.raw[2:6]
    return _size(raw, 0, _FIXED_ANSWER, _COUNTED_ANSWER) == len(raw)
