"""The hub's time, as its answers tell it, and how exactly. Pure; `now` is in monotonic seconds."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import NamedTuple

from contract.acks import Ack
from contract.instants import milliseconds

DRIFT = 10_000
"""A monotonic clock is wrong by a millisecond in so many at the most (100 ppm: a cheap crystal in the cold)."""

MEMORY = 8
"""Answers that are remembered: a quick one among them says the time for the slow ones."""

RIVALS = 3
"""So many answers in a row that contradict the others, and agree with each other, tell that the hub's clock was set."""

SLACK_MS = 100
OPEN_LIMIT = 64


class HubWord(NamedTuple):
    """At the monotonic second `heard_at` the hub's clock said `at_ms` (Unix), give or take `within_ms`.

    `answers`: how many told the same, up to `MEMORY`.
    """

    at_ms: int
    heard_at: float
    within_ms: int = 0
    answers: int = 1

    def now_ms(self, now: float) -> int:
        """What the hub's clock says at `now`."""
        return self.at_ms + round((now - self.heard_at) * 1000)

    def within(self, now: float) -> int:
        """How far that may be wrong, milliseconds."""
        return self.within_ms + round(abs(now - self.heard_at) * 1000 / DRIFT)

    def agrees(self, other: HubWord, now: float) -> bool:
        """Whether both can be right."""
        return abs(self.now_ms(now) - other.now_ms(now)) <= self.within(now) + other.within(now) + SLACK_MS


class HubTime:
    """What answers tell of the hub's clock: it said `Ack.at` at some moment between the sending and the answer.

    A resent batch counts from its first sending, because the answer may be to that one.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, int], float] = OrderedDict()
        self._words: deque[HubWord] = deque(maxlen=MEMORY)
        self._rivals: list[HubWord] = []

    def sent(self, stream: str, seq: int, now: float) -> None:
        """What ends with `seq` of this stream goes out."""
        self._open.setdefault((stream, seq), now)
        if len(self._open) > OPEN_LIMIT:
            self._open.popitem(last=False)

    def answered(self, ack: Ack, now: float) -> HubWord | None:
        """The hub's time after this answer; None if it answers nothing that was sent."""
        sent_at = self._open.pop((ack.stream, ack.seq), None)
        if sent_at is None:
            return None
        try:
            at_ms = milliseconds(ack.at)
        except ValueError:
            return None
        half_ms = round((now - sent_at) * 500)
        self._take(HubWord(at_ms + half_ms, now, half_ms), now)
        best = min(self._words, key=lambda word: word.within(now))
        return best._replace(answers=len(self._words))

    def _take(self, word: HubWord, now: float) -> None:
        if all(word.agrees(known, now) for known in self._words):
            self._words.append(word)
            self._rivals.clear()
            return
        if not all(word.agrees(rival, now) for rival in self._rivals):
            self._rivals.clear()
        self._rivals.append(word)
        if len(self._rivals) >= RIVALS:
            self._words.clear()
            self._words.extend(self._rivals)
            self._rivals.clear()
