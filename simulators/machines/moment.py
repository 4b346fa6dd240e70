"""What every part of the site is told at each step, and what it must offer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol

from simulators.faults import Faults

Memory = Mapping[str, float]
"""What a part remembers over a restart: what was counted."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One step. `dt`: seconds since the last; `hour`: of the site's day, 0–24."""

    dt: float
    hour: float
    rng: Random
    faults: Faults


class Part(Protocol):
    """Some devices that belong together."""

    id: str

    def step(self, moment: Moment) -> None:
        """Moves on by `moment.dt` seconds."""

    def memory(self) -> Memory:
        """What must not be lost by a restart."""

    def remember(self, memory: Memory) -> None:
        """Goes on from what was counted before."""
