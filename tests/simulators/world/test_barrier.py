"""Barriers: travel, commands, safety over a car, counting, closing by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.world.barrier import IDLE_CLOSE_S, ArmCommand, Barrier, obey, step

ACTS = st.lists(
    st.tuples(st.sampled_from([None, "open", "close", "stop"]), st.booleans(), st.floats(0.01, 0.5)), max_size=120
)


def run(barrier: Barrier, seconds: float, under: bool = False) -> Barrier:
    for _ in range(round(seconds / 0.1)):
        barrier = step(barrier, under, 0.1)
    return barrier


@given(ACTS)
def test_the_arm_stays_between_its_ends_and_never_comes_down_on_a_car(
    acts: list[tuple[ArmCommand | None, bool, float]],
) -> None:
    barrier = Barrier()
    for what, under, dt in acts:
        if what is not None:
            barrier = obey(barrier, what)
        before = barrier.position
        barrier = step(barrier, under, dt)
        assert 0 <= barrier.position <= 1
        assert barrier.owed >= 0
        if under:
            assert barrier.position >= before


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.5)), max_size=60))
def test_nothing_opens_without_a_command(steps: list[tuple[bool, float]]) -> None:
    barrier = Barrier()
    for under, dt in steps:
        barrier = step(barrier, under, dt)
        assert barrier.place == "down"


@pytest.mark.parametrize("travel_s", [1.5, 3.0])
def test_it_opens_in_its_time_and_closes_when_nobody_comes(travel_s: float) -> None:
    barrier = obey(Barrier(travel_s=travel_s), "open")
    assert run(barrier, travel_s - 0.3).place == "moving"
    up = run(barrier, travel_s + 0.2)
    assert up.place == "up"
    assert run(up, IDLE_CLOSE_S - 2).place == "up"
    assert run(up, IDLE_CLOSE_S + travel_s + 1).place == "down"


def test_it_closes_soon_after_the_car_it_was_opened_for() -> None:
    barrier = run(run(obey(Barrier(), "open"), 2.5), 2, under=True)
    assert barrier.place == "up"
    assert run(barrier, 10).place == "down"


def test_a_second_command_keeps_it_up_for_the_second_car() -> None:
    barrier = run(obey(obey(Barrier(), "open"), "open"), 2.5)
    barrier = run(run(barrier, 2, under=True), 8)
    assert barrier.place == "up"
    assert run(run(barrier, 2, under=True), 10).place == "down"


def test_a_car_below_turns_a_closing_arm_round() -> None:
    closing = run(obey(run(obey(Barrier(), "open"), 2.5), "close"), 0.5)
    assert closing.motion == "down"
    assert step(closing, True, 0.1).motion == "up"


def test_stop_stands_where_it_is_and_close_goes_on() -> None:
    half = obey(run(obey(Barrier(), "open"), 1.0), "stop")
    assert run(half, 3).position == half.position
    assert run(obey(half, "close"), 3).place == "down"


def test_an_open_command_at_an_open_arm_moves_nothing() -> None:
    up = run(obey(Barrier(), "open"), 2.5)
    again = obey(up, "open")
    assert again.operations == up.operations
    assert again.opens == up.opens + 1
    assert step(again, False, 0.1).place == "up"
