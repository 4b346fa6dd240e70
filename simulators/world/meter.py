"""Meters: they count what flows and never go back. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counter:
    """What was counted so far (kWh or m³), and what flows now (kW or m³/h)."""

    total: float = 0.0
    rate: float = 0.0


def step(counter: Counter, rate: float, dt: float) -> Counter:
    """The counter `dt` seconds later with `rate` an hour; a rate below zero counts nothing."""
    return Counter(total=counter.total + max(0.0, rate) * dt / 3600, rate=rate)


def household_load(hour: float) -> float:
    """kW of a compound's flats and lights at `hour` of the day: a morning and an evening peak."""
    return 38.0 + 22.0 * _bell(hour, 7.5, 1.6) + 55.0 * _bell(hour, 19.8, 2.4)


def household_water(hour: float) -> float:
    """m³/h that a compound draws at `hour` of the day."""
    return 1.2 + 7.5 * _bell(hour, 7.3, 1.3) + 6.0 * _bell(hour, 20.2, 2.0)


def _bell(hour: float, peak: float, width: float) -> float:
    distance = min(abs(hour - peak), 24 - abs(hour - peak))
    return math.exp(-((distance / width) ** 2) / 2)
