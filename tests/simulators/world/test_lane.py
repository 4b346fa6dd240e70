"""Lanes: one car behind the other, over the loops, through only when it was opened for them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulators.world.lane import QUEUE_LIMIT, Car, Lane, drive_up, step


def run(lane: Lane, seconds: float, up: bool = False, opens: int = 0) -> tuple[Lane, list[str]]:
    seen: list[str] = []
    for _ in range(round(seconds / 0.1)):
        lane, cars = step(lane, up, opens, 0.1)
        seen += [car.plate for car in cars]
    return lane, seen


def test_a_car_stands_on_the_loop_and_is_seen_once() -> None:
    lane, seen = run(drive_up(Lane(), Car("沪A12345", 1), impatient=False), 5)
    assert seen == ["沪A12345"]
    assert lane.before
    assert not lane.under


def test_a_car_that_is_not_let_in_turns_away() -> None:
    lane, _ = run(drive_up(Lane(), Car("粤B88888", 1, patience_s=4), impatient=False), 8)
    assert lane == Lane()


def test_a_car_passes_over_both_loops_in_order() -> None:
    lane, _ = run(drive_up(Lane(), Car("沪A12345", 1), impatient=False), 3)
    states = []
    for _ in range(50):
        lane, _ = step(lane, True, 1, 0.1)
        states.append((lane.before, lane.under))
    path = [state for place, state in enumerate(states) if place == 0 or states[place - 1] != state]
    assert path == [(True, False), (True, True), (False, True), (False, False)]
    assert lane.passed == 1


def test_an_arm_that_was_up_already_is_not_for_the_next_car() -> None:
    lane, _ = run(drive_up(Lane(), Car("苏E0Q7X5", 1, patience_s=5), impatient=False), 9, up=True, opens=3)
    assert lane.passed == 0


def test_the_second_car_is_seen_when_the_first_has_gone_on() -> None:
    lane = drive_up(drive_up(Lane(), Car("A", 1), impatient=False), Car("B", 2), impatient=False)
    lane, seen = run(lane, 4)
    assert seen == ["A"]
    lane, seen = run(lane, 5, up=True, opens=1)
    assert seen == ["B"]
    assert lane.passed == 1


def test_a_car_that_waits_in_vain_gives_way_to_an_impatient_one() -> None:
    lane, _ = run(drive_up(Lane(), Car("粤B88888", 1, patience_s=60), impatient=False), 3)
    lane, seen = run(drive_up(lane, Car("沪A12345", 2), impatient=True), 3)
    assert seen == ["沪A12345"]
    assert [car.plate for car in lane.cars] == ["沪A12345"]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), max_size=150))
def test_cars_neither_vanish_into_each_other_nor_pile_up(steps: list[tuple[bool, bool, int]]) -> None:
    lane, ticket, opens = Lane(), 0, 0
    for comes, up, more in steps:
        if comes:
            ticket += 1
            lane = drive_up(lane, Car("X", ticket), impatient=False)
        opens += more
        lane, _ = step(lane, up, opens, 0.3)
        assert len(lane.cars) <= QUEUE_LIMIT
        assert sum(car.stage == "waiting" for car in lane.cars) <= 1
        assert lane.passed <= ticket
