"""A barrier: an arm that travels, obeys commands, counts the cars it was opened for, and closes by itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Motion = Literal["up", "down", "rest"]
ArmCommand = Literal["open", "close", "stop"]

IDLE_CLOSE_S = 20.0
"""Up with nobody passing for so long: the controller lets it down."""

FREE_CLOSE_S = 4.0
"""The loop is free again for so long: the controller lets it down."""


@dataclass(frozen=True, slots=True)
class Barrier:
    """`position`: 0 down … 1 up. `opens`: commands to open so far. `owed`: cars that it still waits for."""

    travel_s: float = 2.0
    position: float = 0.0
    motion: Motion = "rest"
    opens: int = 0
    owed: int = 0
    idle_s: float = 0.0
    free_s: float = 0.0
    was_under: bool = False
    operations: int = 0

    @property
    def place(self) -> Literal["down", "moving", "up"]:
        """Where the arm is, as a person says it."""
        if self.position >= 1:
            return "up"
        return "down" if self.position <= 0 else "moving"


def obey(barrier: Barrier, what: ArmCommand) -> Barrier:
    """What the controller does with a command from outside."""
    if what == "open":
        moves = barrier.position < 1
        return replace(
            barrier,
            motion="up" if moves else "rest",
            opens=barrier.opens + 1,
            owed=min(barrier.owed + 1, 5),
            idle_s=0.0,
            operations=barrier.operations + moves,
        )
    if what == "close":
        return replace(barrier, motion="down" if barrier.position > 0 else "rest", owed=0)
    return replace(barrier, motion="rest")


def step(barrier: Barrier, under: bool, dt: float) -> Barrier:
    """The barrier `dt` seconds later; `under`: a car stands on the loop below the arm."""
    barrier = _counted(barrier, under)
    if barrier.motion == "down" and under:
        return replace(barrier, motion="up", idle_s=0.0)
    if barrier.motion != "rest":
        share = dt / barrier.travel_s
        position = barrier.position + (share if barrier.motion == "up" else -share)
        arrived = position >= 1 or position <= 0
        return replace(
            barrier,
            position=min(1.0, max(0.0, position)),
            motion="rest" if arrived else barrier.motion,
            idle_s=0.0,
            free_s=0.0,
        )
    if barrier.position <= 0 or under:
        return replace(barrier, idle_s=0.0, free_s=0.0)
    return _waiting(barrier, dt)


def _counted(barrier: Barrier, under: bool) -> Barrier:
    left = barrier.was_under and not under
    return replace(barrier, was_under=under, owed=max(0, barrier.owed - 1) if left else barrier.owed)


def _waiting(barrier: Barrier, dt: float) -> Barrier:
    idle = barrier.idle_s + dt
    free = barrier.free_s + dt if barrier.owed == 0 else 0.0
    closes = idle >= IDLE_CLOSE_S or free >= FREE_CLOSE_S
    return replace(
        barrier, idle_s=idle, free_s=free, motion="down" if closes else "rest", owed=0 if closes else barrier.owed
    )
