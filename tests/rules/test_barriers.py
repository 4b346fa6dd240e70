"""A barrier lived through, step by step; then what holds whatever happens to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.passage.barriers import (
    WAITING_LIMIT,
    Admission,
    Clear,
    Closed,
    Closing,
    LaneEffect,
    LaneEvent,
    LaneMemory,
    LaneTraits,
    LoopsSeen,
    Opened,
    Opening,
    Passage,
    Position,
    PositionSeen,
    Raise,
    Taken,
    Tick,
    Untaken,
    next_wake,
    position_of,
    step,
)

TRAITS = LaneTraits(travel_s=15)
NO_LOOP = LaneTraits(has_loop_under=False, travel_s=15)
CAR = Admission("decision", after=41, holder="h-1")
NEXT = Admission("decision", after=42)
AGAIN = Admission("command", after=41, command="c-7")
GUARD = Admission("command", command="c-1")
DOWN, MOVING, UP, LOST = (PositionSeen(at) for at in ("down", "moving", "up", "unknown"))
BEFORE, UNDER, FREE = LoopsSeen(True, False), LoopsSeen(False, True), LoopsSeen(False, False)

Story = list[tuple[float, LaneEvent, list[LaneEffect]]]
STORIES: dict[str, tuple[LaneTraits, Story]] = {
    "a car passes": (
        TRAITS,
        [
            (0, DOWN, []),
            (0, FREE, []),
            (1, BEFORE, []),
            (2, Opening(CAR), []),
            (2.5, MOVING, []),
            (4, UP, [Opened("decision", None)]),
            (6, UNDER, []),
            (8, FREE, [Passage(CAR, last=True)]),
            (8, Closing(), []),
            (9, MOVING, []),
            (11, DOWN, [Closed("decision", None)]),
        ],
    ),
    "the controller refuses, then obeys": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (2, Untaken("up"), [Raise("up")]),
            (3, Opening(NEXT), []),
            (4, Untaken("up"), []),
            (20, Tick(), []),
            (21, Opening(GUARD), []),
            (21.1, Taken(), [Clear()]),
            (24, UP, [Opened("command", "c-1")]),
            (25, UNDER, []),
            (26, FREE, [Passage(GUARD, last=True)]),
        ],
    ),
    "the controller takes the command but the arm does not move": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (1, Untaken("up"), [Raise("up")]),
            (5, Opening(CAR), []),
            (5, Taken(), [Clear()]),
            (20, Tick(), [Raise("up")]),
            (21, Taken(), []),
            (22, UP, [Clear(), Opened("decision", None)]),
        ],
    ),
    "the arm moves though the answer was lost": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (2, Untaken("up"), [Raise("up")]),
            (3, MOVING, []),
            (4, UP, [Clear(), Opened("decision", None)]),
            (5, Taken(), []),
        ],
    ),
    "a second opening for a car that was let in is refused": (
        TRAITS,
        [
            (0, UP, [Opened("unknown", None)]),
            (1, Opening(CAR), []),
            (2, Opening(AGAIN), []),
            (2, Untaken("up", AGAIN), [Raise("up")]),
            (3, UNDER, []),
            (4, FREE, [Passage(CAR, last=True)]),
        ],
    ),
    "an opening is refused after the next one was asked": (
        TRAITS,
        [
            (0, UP, [Opened("unknown", None)]),
            (1, Opening(CAR), []),
            (2, Opening(NEXT), []),
            (2, Untaken("up", CAR), [Raise("up")]),
            (3, UNDER, []),
            (4, FREE, [Passage(NEXT, last=True)]),
        ],
    ),
    "the guard opens and closes": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(GUARD), []),
            (3, UP, [Opened("command", "c-1")]),
            (30, Closing("c-2"), []),
            (33, DOWN, [Closed("command", "c-2")]),
        ],
    ),
    "two cars on one opening": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (3, UP, [Opened("decision", None)]),
            (4, Opening(NEXT), []),
            (5, UNDER, []),
            (6, FREE, [Passage(CAR, last=False)]),
            (7, UNDER, []),
            (8, FREE, [Passage(NEXT, last=True)]),
        ],
    ),
    "a second car that nobody let in": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (3, UP, [Opened("decision", None)]),
            (5, UNDER, []),
            (6, FREE, [Passage(CAR, last=True)]),
            (7, UNDER, []),
            (8, FREE, [Passage(None, last=True)]),
        ],
    ),
    "let in, but backed away": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (3, UP, [Opened("decision", None)]),
            (60, DOWN, [Closed("decision", None)]),
            (70, Opening(NEXT), []),
            (72, UP, [Opened("decision", None)]),
            (73, UNDER, []),
            (74, FREE, [Passage(NEXT, last=True)]),
        ],
    ),
    "stuck on its way up, then freed": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (2, MOVING, []),
            (16, Tick(), [Raise("up")]),
            (20, Tick(), []),
            (40, UP, [Clear(), Opened("decision", None)]),
        ],
    ),
    "does not move at all": (TRAITS, [(0, DOWN, []), (1, Opening(CAR), []), (16, Tick(), [Raise("up")])]),
    "stops half-way by itself": (
        TRAITS,
        [
            (0, UP, [Opened("unknown", None)]),
            (5, MOVING, []),
            (20, Tick(), [Raise("down")]),
            (30, DOWN, [Clear(), Closed("unknown", None)]),
        ],
    ),
    "waits rightly for the vehicle below": (
        TRAITS,
        [
            (0, UP, [Opened("unknown", None)]),
            (1, Closing(), []),
            (10, UNDER, []),
            (17, Tick(), []),
            (24, FREE, [Passage(None, last=True)]),
            (25, Tick(), [Raise("down")]),
        ],
    ),
    "by hand": (
        TRAITS,
        [(0, DOWN, []), (9, MOVING, []), (11, UP, [Opened("unknown", None)]), (12, DOWN, [Closed("unknown", None)])],
    ),
    "seen down for the first time": (TRAITS, [(0, DOWN, []), (1, DOWN, [])]),
    "lost and found where it was": (TRAITS, [(0, DOWN, []), (1, LOST, []), (2, DOWN, [])]),
    "lost while it moved": (
        TRAITS,
        [(0, DOWN, []), (1, Opening(CAR), []), (2, LOST, []), (16, Tick(), []), (20, UP, [Opened("decision", None)])],
    ),
    "no loop below: down again is passed": (
        NO_LOOP,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (3, UP, [Opened("decision", None)]),
            (4, Opening(NEXT), []),
            (20, DOWN, [Closed("decision", None), Passage(CAR, last=False), Passage(NEXT, last=True)]),
        ],
    ),
    "somebody walks over the loop": (TRAITS, [(0, DOWN, []), (1, UNDER, []), (2, FREE, [])]),
    "a loop that fails is no vehicle": (
        TRAITS,
        [
            (0, DOWN, []),
            (1, Opening(CAR), []),
            (2, UP, [Opened("decision", None)]),
            (3, UNDER, []),
            (4, LoopsSeen(None, None), []),
            (5, FREE, []),
        ],
    ),
}


@pytest.mark.parametrize(("traits", "story"), STORIES.values(), ids=STORIES.keys())
def test_a_story(traits: LaneTraits, story: Story) -> None:
    memory = LaneMemory()
    for now, event, expected in story:
        memory, effects = step(traits, memory, event, now)
        assert list(effects) == expected, f"at {now}"


@pytest.mark.parametrize(
    ("up", "down", "where"),
    [
        (True, False, "up"),
        (False, True, "down"),
        (False, False, "moving"),
        (True, True, "unknown"),
        (None, None, "unknown"),
        (True, None, "up"),
        (None, True, "down"),
        (None, False, "unknown"),
    ],
)
def test_where_the_end_contacts_say_it_is(up: bool | None, down: bool | None, where: Position) -> None:
    assert position_of(up, down) == where


def test_without_end_contacts_nothing_can_be_stuck() -> None:
    memory, _ = step(LaneTraits(has_position=False), LaneMemory(), Opening(CAR), 0)
    assert next_wake(memory) is None


admissions = st.sampled_from([CAR, NEXT, GUARD])
events = st.one_of(
    st.sampled_from(
        [DOWN, MOVING, UP, LOST, Tick(), Closing(), Closing("c-9"), Untaken("up"), Untaken("down"), Taken()]
    ),
    st.builds(Opening, admissions),
    st.builds(LoopsSeen, st.sampled_from([True, False, None]), st.sampled_from([True, False, None])),
)
lives = st.lists(st.tuples(st.floats(0, 20), events), max_size=40)


@given(st.booleans(), lives)
def test_whatever_happens(loop: bool, life: list[tuple[float, Any]]) -> None:
    traits = LaneTraits(has_loop_under=loop)
    memory, now, stuck = LaneMemory(), 0.0, False
    ends: list[type] = []
    let_in = passed = 0
    for pause, event in life:
        now += pause
        memory, effects = step(traits, memory, event, now)
        let_in += isinstance(event, Opening)
        for effect in effects:
            match effect:
                case Raise():
                    assert not stuck
                    stuck = True
                case Clear():
                    assert stuck
                    stuck = False
                case Opened() | Closed():
                    assert ends[-1:] != [type(effect)]
                    ends.append(type(effect))
                case Passage(admission):
                    passed += admission is not None
        # Nobody passes twice on one admission, and what waits is bounded.
        assert passed <= let_in
        assert len(memory.waiting) <= WAITING_LIMIT
        woken = next_wake(memory)
        assert woken is None or woken > now
