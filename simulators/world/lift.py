"""A lift: called now and then, travels floor by floor, opens its doors, and can get stuck with people inside. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Literal

FLOOR_S = 2.2
"""Seconds from one floor to the next."""

DOOR_S = 4.0
"""Seconds for which the doors stay open."""


@dataclass(frozen=True, slots=True)
class Lift:
    """`height`: where the car is, in floors, whole numbers at a floor. `rest_s`: seconds until somebody calls again."""

    height: float = 1.0
    target: int = 1
    lowest: int = -1
    highest: int = 18
    doors_open: bool = False
    doors_left_s: float = 0.0
    rest_s: float = 5.0
    trapped: bool = False
    trips: int = 0
    run_hours: float = 0.0

    @property
    def floor(self) -> int:
        """The floor that the display shows."""
        return round(self.height)

    @property
    def running(self) -> bool:
        """Whether the car moves."""
        return not self.trapped and not self.doors_open and self.height != self.target

    @property
    def direction(self) -> Literal["up", "down", "none"]:
        """Which way it moves."""
        if not self.running:
            return "none"
        return "up" if self.target > self.height else "down"


def step(lift: Lift, rng: Random, dt: float) -> Lift:
    """The lift `dt` seconds later."""
    if lift.trapped:
        return lift
    if lift.doors_open:
        left = lift.doors_left_s - dt
        return replace(lift, doors_open=left > 0, doors_left_s=max(0.0, left))
    if lift.running:
        return _travelled(lift, dt)
    rest = lift.rest_s - dt
    if rest > 0:
        return replace(lift, rest_s=rest)
    return replace(lift, target=_called(lift, rng), rest_s=rng.uniform(4, 22))


def trap(lift: Lift, trapped: bool) -> Lift:
    """The lift stops between two floors with people inside; freed, it goes on to the nearest floor and opens."""
    if trapped == lift.trapped:
        return lift
    if trapped:
        between = lift.height if lift.height != lift.floor else _between(lift)
        return replace(lift, trapped=True, doors_open=False, doors_left_s=0.0, height=between)
    return replace(lift, trapped=False, target=lift.floor)


def _between(lift: Lift) -> float:
    return lift.height - 0.4 if lift.height > lift.lowest else lift.height + 0.4


def _travelled(lift: Lift, dt: float) -> Lift:
    way = min(dt / FLOOR_S, abs(lift.target - lift.height))
    height = lift.height + (way if lift.target > lift.height else -way)
    arrived = abs(height - lift.target) < 1e-6
    return replace(
        lift,
        height=float(lift.target) if arrived else height,
        doors_open=arrived,
        doors_left_s=DOOR_S if arrived else 0.0,
        trips=lift.trips + arrived,
        run_hours=lift.run_hours + dt / 3600,
    )


def _called(lift: Lift, rng: Random) -> int:
    """Half of the calls come from the ground floor."""
    if rng.random() < 0.5 and lift.floor != 1 and lift.lowest <= 1 <= lift.highest:
        return 1
    floors = [f for f in range(lift.lowest, lift.highest + 1) if f not in (0, lift.floor)]
    return rng.choice(floors)
