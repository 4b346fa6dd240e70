"""What was counted on a watched wire: for each unit how often it was asked, answered, failed, and how fast. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

KEPT = 200
"""Latencies of a unit that are remembered."""

MOST_UNITS = 256


@dataclass(slots=True)
class Tally:
    """One unit."""

    asked: int = 0
    answered: int = 0
    refused: int = 0
    silent: int = 0
    damaged: int = 0
    unasked: int = 0
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))

    def answered_in(self, latency_s: float | None) -> None:
        """An answer came."""
        if latency_s is not None:
            self.latencies_s.append(latency_s)

    @property
    def usual_s(self) -> float | None:
        """The median latency."""
        return sorted(self.latencies_s)[len(self.latencies_s) // 2] if self.latencies_s else None

    @property
    def worst_s(self) -> float | None:
        """The longest latency that is remembered."""
        return max(self.latencies_s, default=None)


class Tallies:
    """All units of a wire. `unit`: as the protocol writes it.

    A question is open until it is answered or another comes.
    """

    def __init__(self) -> None:
        self.units: dict[str, Tally] = {}
        self.noise = 0
        self.frames = 0
        self.bytes = 0
        self._open: str | None = None

    def of(self, unit: str) -> Tally:
        """The unit's figures; those of the last are kept for all whom there is no more room for."""
        if unit not in self.units and len(self.units) >= MOST_UNITS:
            unit = next(reversed(self.units))
        return self.units.setdefault(unit, Tally())

    def request(self, unit: str, *, answered: bool = True) -> None:
        """Somebody is asked. `answered`: whether an answer is due (not so for a broadcast)."""
        self._unanswered()
        self.of(unit).asked += 1
        self._open = unit if answered else None

    def answer(self, unit: str, latency_s: float | None, *, refused: bool = False) -> None:
        """Somebody answers."""
        tally = self.of(unit)
        if self._open == unit:
            self._open = None
        else:
            tally.unasked += 1
        tally.answered += 1
        tally.refused += refused
        tally.answered_in(latency_s)

    def damaged(self, unit: str | None) -> None:
        """Bytes came that are no frame; `unit`: whose answer was due."""
        if unit is None:
            self.noise += 1
            return
        self.of(unit).damaged += 1
        if self._open == unit:
            self._open = None

    def end(self) -> None:
        """Nothing more is heard: what is open stays open."""
        self._open = None

    def _unanswered(self) -> None:
        if self._open is not None:
            self.of(self._open).silent += 1

    def __iter__(self) -> Iterator[tuple[str, Tally]]:
        return iter(sorted(self.units.items(), key=lambda item: (len(item[0]), item[0])))
