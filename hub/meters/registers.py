"""What a register's next reading adds, across roll-overs and exchanged meters. Pure."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

_NEAR_END = 0.95
_NEAR_START = 0.05
"""A register that fell from its last twentieth to its first has rolled over; any other fall is a mistake."""

_LEAST_CAPACITY = 1000.0
"""No register has fewer than three digits: a fall below that is no roll-over."""


class Step(NamedTuple):
    """`used`: what was consumed since the reading before. `odd`: a fall that nothing explains, worth 0."""

    kind: Literal["first", "used", "rollover", "exchanged", "odd"]
    used: float


class Held(NamedTuple):
    """The reading before."""

    meter_no: str
    value: float


def step(before: Held | None, meter_no: str, value: float) -> Step:
    """What was used between two readings of a register.

    A new meter number begins a new count: what the old meter counted after its last reading, and the new one before
    its first, is not known and not invented.
    """
    if before is None:
        return Step("first", 0.0)
    if before.meter_no != meter_no:
        return Step("exchanged", 0.0)
    if value >= before.value:
        return Step("used", value - before.value)
    end = capacity(before.value)
    if end >= _LEAST_CAPACITY and before.value >= end * _NEAR_END and 0 <= value <= end * _NEAR_START:
        return Step("rollover", end - before.value + value)
    return Step("odd", 0.0)


def capacity(value: float) -> float:
    """Where a register that shows `value` rolls over: the next power of ten (registers count in decimal digits)."""
    if value < 1:
        return 1.0
    return float(10 ** (math.floor(math.log10(value)) + 1))
