"""The car before a barrier, lived through: who stands there, who has gone, and that no car is shown as another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.commands import Subject
from rules.passage.cars import (
    APPROACH_S,
    GOING_S,
    READ_WITHIN_S,
    UNSEEN_S,
    Arrived,
    Car,
    CarMemory,
    CarRead,
    CarReadAgain,
    Left,
    Loop,
    Opened,
    Passed,
    Waited,
    next_wake,
    placed,
    step,
)

A, B = Car(plate="A", outcome="denied"), Car(plate="B", outcome="granted")
NOBODY = Car()
HERE = Car(plate="B", outcome="granted", place=Subject(stream="0" * 32, seq=9))
BLOCKED = Car(plate="X", outcome="denied", blocked=True)
UNSURE = Car(plate="X", outcome="denied")
BLIND = Car(outcome="denied")

# situation: (seconds, event)…, the plate that stands there then ("": one that was not read, None: none), effects
LIVES: list[tuple[str, list[tuple[float, Any]], str | None, list[Any]]] = [
    ("a car is read before the loop sees it", [(0, Loop(False)), (1, CarRead(A)), (2, Loop(True))], "A", []),
    ("… and turns away", [(0, Loop(False)), (1, CarRead(A)), (APPROACH_S + 2, Waited())], None, [Left(A)]),
    ("a car on the loop is read in time", [(0, Loop(True)), (1, CarRead(A)), (20, Waited())], "A", []),
    ("… is not read in time", [(0, Loop(True)), (READ_WITHIN_S, Waited())], "", [Arrived(NOBODY)]),
    ("… is read at last", [(0, Loop(True)), (READ_WITHIN_S, Waited()), (9, CarRead(A))], "A", [Arrived(NOBODY)]),
    ("a car backs off the loop", [(0, Loop(True)), (1, CarRead(A)), (9, Loop(False))], None, [Left(A)]),
    ("a car that was let in drives off the loop", [(0, Loop(True)), (1, CarRead(B)), (2, Opened()), (4, Loop(False))],
     None, []),
    ("… whose barrier did not take the command, backs off",
     [(0, Loop(True)), (1, CarRead(B)), (2, Opened()), (2, Opened(taken=False)), (9, Loop(False))], None, [Left(B)]),
    ("… and another one stood there when it was opened",
     [(0, Loop(True)), (1, CarRead(A)), (2, Opened(car=B)), (9, Loop(False))], None, [Left(A)]),
    ("the next car is not the last one",
     [(0, Loop(True)), (1, CarRead(B)), (2, Opened()), (5, Loop(False)), (9, Loop(True)), (13, Waited())],
     "", [Arrived(NOBODY)]),
    ("two cars close together: the loop is free for a moment after the second was read",
     [(0, Loop(True)), (1, CarRead(B)), (2, Opened()), (5, CarRead(A)), (5.2, Loop(False)), (5.6, Loop(True))],
     "A", []),
    ("another read of the car on the loop", [(0, Loop(True)), (1, CarRead(A)), (6, CarRead(B))], "B", []),
    ("… that shows no plate", [(0, Loop(True)), (1, CarRead(A)), (6, CarRead(BLIND))], "A", []),
    ("… that shows no plate, and the car was let in",
     [(0, Loop(True)), (1, CarRead(B)), (2, Opened()), (6, CarRead(BLIND))], "B", []),
    ("… of a blocked car", [(0, Loop(True)), (1, CarRead(BLOCKED)), (6, CarRead(A))], "X", []),
    ("… that lets a blocked car in", [(0, Loop(True)), (1, CarRead(BLOCKED)), (6, CarRead(B))], "B", []),
    ("the next car, close behind a blocked one that was let in",
     [(0, Loop(True)), (1, CarRead(BLOCKED)), (2, Opened()), (6, CarRead(A))], "A", []),
    ("another car is read where no loop tells", [(1, CarRead(A)), (30, CarRead(B))], "B", [Left(A)]),
    ("… and the one before was let in", [(1, CarRead(B)), (2, Opened()), (5, CarRead(A)), (9, Passed(None))], "A", []),
    ("… and never came through",
     [(1, CarRead(B)), (2, Opened()), (5, CarRead(A)), (5 + GOING_S, Waited())], "A", [Left(B)]),
    ("where no loop tells, a car is gone after a while", [(1, CarRead(A)), (1 + UNSEEN_S, Waited())], None, [Left(A)]),
    ("… and so is one that was let in", [(1, CarRead(B)), (2, Opened()), (1 + UNSEEN_S, Waited())], None, [Left(B)]),
    ("a car that was let in, drove off the loop, and never came through",
     [(0, Loop(True)), (1, CarRead(B)), (2, Opened()), (4, Loop(False)), (4 + GOING_S, Waited())], None, [Left(B)]),
    ("… and one that came through",
     [(0, Loop(True)), (1, CarRead(B)), (2, Opened()), (4, Loop(False)), (6, Passed(None)), (99, Waited())], None, []),
    ("a car that was not read came close behind: the loop was never free",
     [(0, Loop(True)), (1, CarRead(HERE)), (2, Opened()), (5, Passed(HERE.place)), (5 + READ_WITHIN_S, Waited())],
     "", [Arrived(NOBODY)]),
    ("… and is read in time",
     [(0, Loop(True)), (1, CarRead(HERE)), (2, Opened()), (5, Passed(HERE.place)), (6, CarRead(A)), (9, Waited())],
     "A", []),
    ("the loop is not trusted any more",
     [(0, Loop(True)), (1, CarRead(A)), (5, Loop(None)), (5 + UNSEEN_S, Waited())], None, [Left(A)]),
    ("the same car comes back and is read again",
     [(0, Loop(True)), (1, CarRead(A)), (9, Loop(False)), (12, Loop(True)), (13, CarReadAgain("A"))],
     "A", [Left(A), Arrived(A)]),
    ("a repeat while it stands there is nothing new", [(0, Loop(True)), (1, CarRead(A)), (3, CarReadAgain("A"))],
     "A", []),
    ("a loop that is only touched", [(0, Loop(True)), (1, Loop(False)), (9, Waited())], None, []),
]  # fmt: skip


@pytest.mark.parametrize(("events", "plate", "effects"), [life[1:] for life in LIVES], ids=[life[0] for life in LIVES])
def test_a_life(events: list[tuple[float, Any]], plate: str | None, effects: list[Any]) -> None:
    memory, said = CarMemory(), list[Any]()
    for now, event in events:
        memory, found = step(memory, event, now)
        said += found
    assert (None if memory.car is None else memory.car.plate or "") == plate
    assert said == effects


@pytest.mark.parametrize("read", [A, UNSURE, BLIND], ids=["another plate", "the plate in doubt", "no plate"])
def test_a_worse_read_takes_nobody_off_the_block_list(read: Car) -> None:
    memory = CarMemory()
    for event in (Loop(True), CarRead(BLOCKED), CarRead(read)):
        memory, _ = step(memory, event, 1.0)
    assert memory.car is BLOCKED


def test_a_passage_ends_the_car_that_it_names_and_no_other() -> None:
    here, there = Subject(stream="0" * 32, seq=7), Subject(stream="0" * 32, seq=6)
    memory, _ = step(CarMemory(), CarRead(A), 1.0)
    assert memory.car is not None
    memory = placed(memory, memory.car, here)
    assert step(memory, Passed(there), 2.0)[0].car is not None
    assert step(memory, Passed(None), 2.0)[0].car is not None
    assert step(memory, Passed(here), 2.0) == (step(memory, Passed(here), 2.0)[0], ())
    assert step(memory, Passed(here), 2.0)[0].car is None


def test_a_place_that_comes_late_is_not_another_cars() -> None:
    first, _ = step(CarMemory(), CarRead(A), 1.0)
    assert first.car is not None
    second, _ = step(first, CarRead(B), 2.0)
    assert placed(second, first.car, Subject(stream="0" * 32, seq=1)) is second


EVENTS = st.one_of(
    st.sampled_from([CarRead(A), CarRead(B), CarReadAgain("A"), Opened(), Opened(taken=False), Passed(None), Waited()]),
    st.sampled_from([Loop(True), Loop(False), Loop(None)]),
)


@given(st.lists(st.tuples(st.floats(0.0, 40.0), EVENTS), max_size=40))
def test_whatever_happens_a_car_ends_at_last(events: list[tuple[float, Any]]) -> None:
    memory, now = CarMemory(), 0.0
    for after, event in events:
        now += after
        memory, _ = step(memory, event, now)
        # Either the loop holds it there, or time will end it.
        assert memory.car is None or memory.on_loop or next_wake(memory) is not None
    memory, _ = step(memory, Loop(False), now + 1)
    for _ in range(2):
        memory, _ = step(memory, Waited(), now + 10 + APPROACH_S + UNSEEN_S)
    assert (memory.car, memory.going) == (None, ())
