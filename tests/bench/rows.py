"""What a bench prints: one line a row, ours beside peer and limit of the same run, the aim, whether it is met."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One figure. `peer`: what it is compared with; `limit`: what the machine could do at best; None: there is none."""

    bench: str
    what: str
    unit: str
    ours: float
    aim: float
    better: Literal["lower", "higher"] = "lower"
    peer: float | None = None
    limit: float | None = None
    runs: int = 1
    notes: dict[str, float | str] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether the aim is met."""
        return self.ours <= self.aim if self.better == "lower" else self.ours >= self.aim

    def json(self) -> str:
        """The row as one JSON line."""
        ratios = {
            name: round(self.ours / other, 3)
            for name, other in (("ours/peer", self.peer), ("ours/limit", self.limit))
            if other
        }
        return json.dumps(
            {
                "bench": self.bench,
                "what": self.what,
                "unit": self.unit,
                "ours": round(self.ours, 3),
                "peer": None if self.peer is None else round(self.peer, 3),
                "limit": None if self.limit is None else round(self.limit, 3),
                "ratios": ratios,
                "aim": self.aim,
                "better": self.better,
                "met": self.met,
                "runs": self.runs,
                "notes": self.notes,
                "machine": machine(),
            },
            ensure_ascii=False,
        )

    def words(self) -> str:
        """The row for a person."""
        beside = [
            f"{name} {value:.3g}" for name, value in (("peer", self.peer), ("limit", self.limit)) if value is not None
        ]
        sign = "≤" if self.better == "lower" else "≥"
        return (
            f"{'met   ' if self.met else 'MISSED'}  {self.bench:<10} {self.what:<52} {self.ours:>9.3g} {self.unit:<4}"
            f" (aim {sign} {self.aim:g}{'; ' + ', '.join(beside) if beside else ''}; runs {self.runs})"
        )


def machine() -> str:
    """What it ran on."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0..1) of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(round(share * len(ordered), 6)) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle one of several runs."""
    return statistics.median(values)
