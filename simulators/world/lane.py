"""A lane: cars come one behind the other, stand on the loop before the arm, are seen, wait, pass or turn away. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Stage = Literal["coming", "waiting", "crossing"]

SEEN_AFTER_S = 0.3
"""The camera reads the plate so long after the car stands on the loop."""

CROSSING_S = 3.2
_UNDER_FROM_S = 0.7
_BEFORE_UNTIL_S = 1.3
_UNDER_UNTIL_S = 2.8
QUEUE_LIMIT = 4


@dataclass(frozen=True, slots=True)
class Car:
    """A car. `stage_s`: seconds in its stage. `opens`: the commands to open when it was seen. `ticket`: its number.

    `confidence`: 0–100, how well its plate can be read; None: as the camera likes.
    """

    plate: str
    ticket: int
    arrives_s: float = 1.2
    patience_s: float = 12.0
    stage: Stage = "coming"
    stage_s: float = 0.0
    seen: bool = False
    opens: int = 0
    confidence: int | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """Cars in their order, the first at the arm."""

    cars: tuple[Car, ...] = ()
    passed: int = 0

    @property
    def before(self) -> bool:
        """Whether a car stands on the loop before the arm."""
        return any(c.stage == "waiting" or (c.stage == "crossing" and c.stage_s < _BEFORE_UNTIL_S) for c in self.cars)

    @property
    def under(self) -> bool:
        """Whether a car stands on the loop below the arm."""
        return any(c.stage == "crossing" and _UNDER_FROM_S <= c.stage_s < _UNDER_UNTIL_S for c in self.cars)


def drive_up(lane: Lane, car: Car, *, impatient: bool) -> Lane:
    """`car` joins the lane. `impatient`: a car that waits in vain gives way to it at once."""
    cars = lane.cars
    if impatient:
        cars = tuple(c for c in cars if c.stage == "crossing")
    if len(cars) >= QUEUE_LIMIT:
        return lane
    return replace(lane, cars=(*cars, car))


def step(lane: Lane, arm_up: bool, opens: int, dt: float) -> tuple[Lane, tuple[Car, ...]]:
    """The lane `dt` seconds later, and the cars that the camera saw in this time."""
    moved: list[Car] = []
    seen: list[Car] = []
    passed = lane.passed
    blocked = False
    for car in lane.cars:
        following = _moved(car, blocked, arm_up, opens, dt)
        if following is None:
            passed += car.stage == "crossing"
            continue
        if following.seen and not car.seen:
            seen.append(following)
        moved.append(following)
        blocked = blocked or following.stage != "crossing" or following.stage_s < _BEFORE_UNTIL_S
    return Lane(tuple(moved), passed), tuple(seen)


def _moved(car: Car, blocked: bool, arm_up: bool, opens: int, dt: float) -> Car | None:
    if car.stage == "coming":
        return _coming(car, blocked, dt)
    stage_s = car.stage_s + dt
    if car.stage == "crossing":
        return replace(car, stage_s=stage_s) if stage_s < CROSSING_S else None
    if not car.seen and stage_s >= SEEN_AFTER_S:
        car = replace(car, seen=True, opens=opens)
    if car.seen and arm_up and opens > car.opens:
        return replace(car, stage="crossing", stage_s=0.0)
    return replace(car, stage_s=stage_s) if stage_s < car.patience_s else None


def _coming(car: Car, blocked: bool, dt: float) -> Car:
    if car.stage_s + dt < car.arrives_s:
        return replace(car, stage_s=car.stage_s + dt)
    if blocked:
        return car
    return replace(car, stage="waiting", stage_s=0.0)
