"""Doors: nothing opens a locked door but force; a person needs the lock and a moment."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from simulators.world.door import WALKERS_LIMIT, Door, approach, force, step, walker

STEPS = st.lists(st.tuples(st.booleans(), st.floats(0.01, 1.0), st.booleans()), max_size=80)


@given(STEPS, st.integers(0, 1000))
def test_the_contact_opens_only_while_the_lock_lets_go(steps: list[tuple[bool, float, bool]], seed: int) -> None:
    rng, door = Random(seed), Door()
    for released, dt, comes in steps:
        if comes:
            door = approach(door, walker(rng))
        before = door.contact_open
        door = step(door, released, dt)
        assert released or before or not door.contact_open


@given(STEPS)
def test_a_released_lock_alone_opens_nothing(steps: list[tuple[bool, float, bool]]) -> None:
    door = Door()
    for _, dt, _ in steps:
        door = step(door, True, dt)
        assert not door.contact_open


def test_a_person_opens_within_two_seconds_and_the_door_falls_shut() -> None:
    door = approach(Door(), walker(Random(1)))
    opened_at = closed_at = None
    for tick in range(200):
        door = step(door, tick * 0.1 < 5, 0.1)
        if door.contact_open and opened_at is None:
            opened_at = tick * 0.1
        if opened_at is not None and not door.contact_open and closed_at is None:
            closed_at = tick * 0.1
    assert opened_at is not None
    assert 0.6 <= opened_at <= 2.1
    assert closed_at is not None
    assert closed_at - opened_at <= 4.7


def test_a_person_who_is_refused_goes_away() -> None:
    door = approach(Door(), walker(Random(1)))
    for _ in range(90):
        door = step(door, False, 0.1)
    for _ in range(50):
        door = step(door, True, 0.1)
        assert not door.contact_open
    assert door.walkers == ()


def test_force_opens_a_locked_door_until_it_is_let_go() -> None:
    door = force(Door(), True)
    for _ in range(100):
        door = step(door, False, 1.0)
        assert door.contact_open
    assert not step(force(door, False), False, 0.1).contact_open


def test_no_crowd_grows_without_end() -> None:
    rng, door = Random(0), Door()
    for _ in range(50):
        door = approach(door, walker(rng))
    assert len(door.walkers) == WALKERS_LIMIT
