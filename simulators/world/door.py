"""A door: a person with patience, a lock, a contact. The contact opens only while the lock is released, or by force.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random


@dataclass(frozen=True, slots=True)
class Walker:
    """Somebody who showed a credential and wants through. Seconds: waits, reaches, keeps it open so long."""

    patience_s: float
    reach_s: float
    open_s: float


@dataclass(frozen=True, slots=True)
class Door:
    """`forced`: somebody holds it open, whatever the lock says."""

    contact_open: bool = False
    forced: bool = False
    open_left_s: float = 0.0
    walkers: tuple[Walker, ...] = ()


WALKERS_LIMIT = 4
"""More than that do not queue at one door; the others give up at once."""


def walker(rng: Random) -> Walker:
    """A person: opens the door 0.7–2 s after the lock lets go, and lets it fall shut."""
    return Walker(patience_s=rng.uniform(5, 8), reach_s=rng.uniform(0.7, 2.0), open_s=rng.uniform(2.0, 4.5))


def approach(door: Door, person: Walker) -> Door:
    """`person` stands before the door."""
    if len(door.walkers) >= WALKERS_LIMIT:
        return door
    return replace(door, walkers=(*door.walkers, person))


def force(door: Door, held_open: bool) -> Door:
    """Somebody holds the door open, or lets it fall shut."""
    return replace(door, forced=held_open, contact_open=held_open, open_left_s=0.0)


def step(door: Door, released: bool, dt: float) -> Door:
    """The door `dt` seconds later; `released`: the lock lets go during this time."""
    if door.forced:
        return door
    if door.contact_open:
        left = door.open_left_s - dt
        return replace(door, contact_open=left > 0, open_left_s=max(0.0, left))
    if not door.walkers:
        return door
    first, *rest = door.walkers
    first = replace(first, patience_s=first.patience_s - dt, reach_s=first.reach_s - (dt if released else 0.0))
    if released and first.reach_s <= 0:
        return Door(contact_open=True, open_left_s=first.open_s, walkers=tuple(rest))
    if first.patience_s <= 0:
        return replace(door, walkers=tuple(rest))
    return replace(door, walkers=(first, *rest))
