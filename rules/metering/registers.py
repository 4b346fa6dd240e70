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


CONFIRMED = 4
"""Readings in a row below the mark, none lower than the one before, that tell a register which was set back from one
that was misread: an hour at a reading each quarter."""


class Fallen(NamedTuple):
    """A register that fell. `mark`: what it read before. `since`: what it fell to. `readings`: how many since then.

    `booked`: what was counted since then, once the fall was confirmed (a roll-over is, at once).
    """

    mark: float
    since: float
    readings: int = 1
    booked: float = 0.0


class Held(NamedTuple):
    """The reading before; `fallen` while it is below one that was read earlier."""

    meter_no: str
    value: float
    fallen: Fallen | None = None


class MeterStep(NamedTuple):
    """`used`: what was consumed since the reading before. `held`: what to hold for the next step.

    `odd`: a fall that nothing explains (yet), worth 0. `reset`: the fall was confirmed, the register was set back.
    """

    kind: Literal["first", "used", "rollover", "exchanged", "odd", "reset"]
    used: float
    held: Held


def step(
    before: Held | None, meter_no: str, value: float, rolls_over: float | None = None, *, begins: bool = False
) -> MeterStep:
    """What was used between two readings of a register. `rolls_over`: the value at which it begins again, if known.

    `begins`: the same meter counts on by another ratio, so that the two readings cannot be subtracted.

    A new meter number begins a new count: what the old meter counted after its last reading, and the new one before
    its first, is not known and not invented. So does a register that was set back, but only once the fall is confirmed
    (`CONFIRMED`): then what it counted since the fall is booked. Until then a fall takes nothing back and adds nothing,
    and a register that returns to its mark goes on from there: 5 → 4 → 10 is 5. That also holds when a confirmed fall
    or a roll-over proves to be a misreading, by a return that what was counted since cannot explain.
    """
    if before is None:
        return MeterStep("first", 0.0, Held(meter_no, value))
    if before.meter_no != meter_no:
        return MeterStep("exchanged", 0.0, Held(meter_no, value))
    if begins:
        return MeterStep("first", 0.0, Held(meter_no, value))
    fallen = before.fallen
    if fallen is None:
        if value >= before.value:
            return MeterStep("used", value - before.value, Held(meter_no, value))
        return _fall(before.value, meter_no, value, rolls_over)
    if value >= fallen.mark:
        return _return(before.value, fallen, meter_no, value)
    if fallen.readings < CONFIRMED:
        return _unconfirmed(before.value, fallen, meter_no, value, rolls_over)
    if value < before.value:
        return _fall(before.value, meter_no, value, rolls_over)
    used = value - before.value
    return MeterStep("used", used, Held(meter_no, value, fallen._replace(booked=fallen.booked + used)))


def _fall(mark: float, meter_no: str, value: float, rolls_over: float | None) -> MeterStep:
    end = capacity(mark) if rolls_over is None else rolls_over
    if end >= _LEAST_CAPACITY and end * _NEAR_END <= mark <= end and 0 <= value <= end * _NEAR_START:
        used = end - mark + value
        return MeterStep("rollover", used, Held(meter_no, value, Fallen(mark, value, CONFIRMED, used)))
    return MeterStep("odd", 0.0, Held(meter_no, value, Fallen(mark, value)))


def _return(last: float, fallen: Fallen, meter_no: str, value: float) -> MeterStep:
    """The register is at its mark again: by what it counted since the fall, or because it never was away from it."""
    counted = fallen.readings >= CONFIRMED and last - fallen.since >= fallen.mark - last
    used = value - last if counted else max(0.0, value - fallen.mark - fallen.booked)
    return MeterStep("used", used, Held(meter_no, value))


def _unconfirmed(last: float, fallen: Fallen, meter_no: str, value: float, rolls_over: float | None) -> MeterStep:
    if value < last:
        return _fall(fallen.mark, meter_no, value, rolls_over)
    readings = fallen.readings + 1
    if readings < CONFIRMED:
        return MeterStep("odd", 0.0, Held(meter_no, value, fallen._replace(readings=readings)))
    used = value - fallen.since
    return MeterStep("reset", used, Held(meter_no, value, Fallen(fallen.mark, fallen.since, readings, used)))


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
