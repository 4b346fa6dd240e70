"""The multipliers of a device: what the site file says, and what the device itself said last. Pure.

A meter behind transformers tells what it measures, the secondary side; what flows is that times the ratios. While one
of them is not known, a value that needs it is not known either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from drivers.changes import Worth
from drivers.profiles.profile import Multiplier, Point


class Factors:
    """What is known. `fixed`: what the site file gives; that wins over the device's own."""

    def __init__(self, multipliers: Mapping[str, Multiplier], fixed: Mapping[str, float]) -> None:
        self.multipliers = multipliers
        assumed = {name: part.assumed for name, part in multipliers.items() if part.assumed is not None}
        self._fixed = assumed | dict(fixed)
        self._read: dict[str, float] = {}

    @property
    def known(self) -> Mapping[str, float]:
        """By name."""
        return self._read | self._fixed

    def learn(self, name: str, number: float | None) -> None:
        """The device told a factor's raw value; None: it could not."""
        value = None if number is None else worth_of(self.multipliers[name], number)
        if value is None:
            self._read.pop(name, None)
        else:
            self._read[name] = value

    def forget(self) -> None:
        """The device was away: another one may come back."""
        self._read.clear()

    def product(self, names: Iterable[str]) -> float | None:
        """What to multiply by; None while one of them is not known."""
        product, known = 1.0, self.known
        for name in names:
            factor = known.get(name)
            if factor is None:
                return None
            product *= factor
        return product

    def multiplied(self, points: Mapping[str, Point], found: Iterable[Worth]) -> list[Worth]:
        """What a meter told, as it flows: learns the factors among it, and multiplies what needs them."""
        told = list(found)
        for worth in told:
            if worth.point in self.multipliers:
                self.learn(worth.point, worth.value if isinstance(worth.value, int | float) else None)
        return [self._multiplied(points[worth.point], worth) for worth in told]

    def _multiplied(self, point: Point, worth: Worth) -> Worth:
        times = times_of(point)
        if not times or not isinstance(worth.value, int | float):
            return worth
        by = self.product(times)
        if by is None:
            return Worth(point.id, None, "bad")
        return Worth(point.id, _exact(worth.value * by), worth.quality)


def _exact(value: float) -> float:
    return float(f"{value:.12g}")


def worth_of(multiplier: Multiplier, number: int | float) -> float | None:
    """What a multiplier's raw value stands for; None where it stands for nothing (0, or not in its list)."""
    if multiplier.values:
        return multiplier.values.get(int(number))
    return _exact(number * multiplier.scale) if math.isfinite(number) and number > 0 else None


def times_of(point: Point) -> tuple[str, ...]:
    """The multipliers of a point."""
    return point.source.times
