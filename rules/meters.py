"""Registers that money hangs on: what the next reading adds across roll-overs and exchanged meters, and which meter
it is that speaks. Pure; the gateway says what is odd, the hub counts by the same rule."""

from __future__ import annotations

import math
from datetime import datetime, tzinfo
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


def step(before: Held | None, meter_no: str, value: float, rolls_over: float | None = None) -> Step:
    """What was used between two readings of a register. `rolls_over`: the value at which it begins again, if known.

    A new meter number begins a new count: what the old meter counted after its last reading, and the new one before
    its first, is not known and not invented.
    """
    if before is None:
        return Step("first", 0.0)
    if before.meter_no != meter_no:
        return Step("exchanged", 0.0)
    if value >= before.value:
        return Step("used", value - before.value)
    end = capacity(before.value) if rolls_over is None else rolls_over
    if end >= _LEAST_CAPACITY and end * _NEAR_END <= before.value <= end and 0 <= value <= end * _NEAR_START:
        return Step("rollover", end - before.value + value)
    return Step("odd", 0.0)


def capacity(value: float) -> float:
    """Where a register that shows `value` rolls over: the next power of ten (registers count in decimal digits)."""
    if value < 1:
        return 1.0
    return float(10 ** (math.floor(math.log10(value)) + 1))


CLOCK_LIMIT_S = 300.0
"""A meter's clock may be wrong by this much: DL/T 645-2007 lets a broadcast correct no more than five minutes."""


def same_number(ours: str, told: str) -> bool:
    """Whether two writings of a meter's number mean the same meter: leading zeros and the case of letters do not
    count."""
    return ours.strip().upper().lstrip("0") == told.strip().upper().lstrip("0")


def clock_error_s(told: str, at_ms: int, zone: tzinfo) -> float | None:
    """How many seconds a meter's clock is ahead. `told`: its local date and time (ISO 8601), heard at `at_ms` (Unix).

    None: that is no time, the meter has lost it.
    """
    try:
        clock = datetime.fromisoformat(told)
    except ValueError:
        return None
    local = clock if clock.tzinfo is not None else clock.replace(tzinfo=zone)
    return round(local.timestamp() - at_ms / 1000, 1)
