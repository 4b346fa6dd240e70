"""A door lived through, step by step; then what holds whatever happens to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.passage.doors import (
    ALARMS,
    GRACE_S,
    TRANSITIONS,
    Cause,
    Clear,
    Closed,
    ContactSeen,
    DoorEffect,
    DoorEvent,
    DoorMemory,
    DoorTraits,
    LockChanged,
    ModeSet,
    Opened,
    Passage,
    Raise,
    Release,
    Tick,
    lock_of,
    next_wake,
    step,
)

TRAITS = DoorTraits(release_s=5, held_s=30)
CARD = Release("decision", after=41, holder="h-1")
GUARD = Release("command")
BUTTON = Release("exit", direction="out")
OPEN, SHUT, LOST = ContactSeen("open"), ContactSeen("closed"), ContactSeen("unknown")
UNLOCKED, LOCKED = LockChanged("released"), LockChanged("locked")
FORCED: Cause = "door.forced"
HELD: Cause = "door.held"

Story = list[tuple[float, DoorEvent, list[DoorEffect]]]

STORIES: dict[str, Story] = {
    "a card, in, and shut": [
        (0, SHUT, []),
        (10, CARD, [UNLOCKED]),
        (12, OPEN, [Opened("decision"), Passage(CARD)]),
        (14, SHUT, [Closed("decision")]),
        (15, Tick(), [LOCKED]),
    ],
    "a card and nobody goes": [(0, SHUT, []), (10, CARD, [UNLOCKED]), (15, Tick(), [LOCKED]), (17, Tick(), [])],
    "opened a moment after the lock closed": [
        (0, SHUT, []),
        (10, CARD, [UNLOCKED]),
        (15, Tick(), [LOCKED]),
        (16.5, OPEN, [Opened("decision"), Passage(CARD)]),
    ],
    "opened long after the lock closed": [
        (0, SHUT, []),
        (10, CARD, [UNLOCKED]),
        (18, OPEN, [LOCKED, Opened("unknown"), Raise(FORCED)]),
        (20, SHUT, [Closed("unknown"), Clear(FORCED)]),
    ],
    "forced": [
        (0, SHUT, []),
        (5, OPEN, [Opened("unknown"), Raise(FORCED)]),
        (9, SHUT, [Closed("unknown"), Clear(FORCED)]),
    ],
    "a card does not undo a forced door": [
        (0, SHUT, []),
        (5, OPEN, [Opened("unknown"), Raise(FORCED)]),
        (6, CARD, [UNLOCKED]),
        (7, SHUT, [Closed("unknown"), Clear(FORCED)]),
    ],
    "held": [
        (0, SHUT, []),
        (10, CARD, [UNLOCKED]),
        (11, OPEN, [Opened("decision"), Passage(CARD)]),
        (15, Tick(), [LOCKED]),
        (41, Tick(), [Raise(HELD)]),
        (60, SHUT, [Closed("decision"), Clear(HELD)]),
    ],
    "a late tick does not lose the alarm": [
        (0, SHUT, []),
        (10, GUARD, [UNLOCKED]),
        (11, OPEN, [Opened("command"), Passage(GUARD)]),
        (90, SHUT, [LOCKED, Raise(HELD), Closed("command"), Clear(HELD)]),
    ],
    "the next one comes while it is open": [
        (0, SHUT, []),
        (10, CARD, [UNLOCKED]),
        (11, OPEN, [Opened("decision"), Passage(CARD)]),
        (13, GUARD, [Passage(GUARD)]),
        (18, Tick(), [LOCKED]),
        (42, Tick(), []),
        (43, Tick(), [Raise(HELD)]),
    ],
    "pulled again before the lock closed": [
        (0, SHUT, []),
        (10, CARD, [UNLOCKED]),
        (11, OPEN, [Opened("decision"), Passage(CARD)]),
        (12, SHUT, [Closed("decision")]),
        (13, OPEN, [Opened("decision")]),
    ],
    "the exit button": [
        (0, SHUT, []),
        (1, BUTTON, [UNLOCKED]),
        (2, OPEN, [Opened("exit"), Passage(BUTTON)]),
        (3, SHUT, [Closed("exit")]),
    ],
    "seen open for the first time": [
        (0, OPEN, []),
        (30, Tick(), [Raise(HELD)]),
        (40, SHUT, [Closed("unknown"), Clear(HELD)]),
    ],
    "the contact is lost while forced, and comes back open": [
        (0, SHUT, []),
        (5, OPEN, [Opened("unknown"), Raise(FORCED)]),
        (6, LOST, []),
        (90, OPEN, []),
        (91, SHUT, [Closed("unknown"), Clear(FORCED)]),
    ],
    "the contact is lost while open, and comes back open": [
        (0, SHUT, []),
        (1, CARD, [UNLOCKED]),
        (2, OPEN, [Opened("decision"), Passage(CARD)]),
        (3, LOST, []),
        (60, Tick(), [LOCKED]),
        (70, OPEN, []),
        (99, Tick(), []),
        (100, Tick(), [Raise(HELD)]),
    ],
    "released before anybody saw it, and seen open after": [
        (0, CARD, [UNLOCKED]),
        (7, Tick(), [LOCKED]),
        (9, OPEN, []),
        (39, Tick(), [Raise(HELD)]),
    ],
    "unlocked for the day": [
        (0, SHUT, []),
        (1, ModeSet("unlocked"), [UNLOCKED]),
        (2, OPEN, [Opened("free")]),
        (200, Tick(), []),
        (201, SHUT, [Closed("free")]),
        (202, OPEN, [Opened("free")]),
        (203, ModeSet("normal"), [LOCKED]),
        (233, Tick(), [Raise(HELD)]),
    ],
    "unlocked ends a forced door": [
        (0, SHUT, []),
        (1, OPEN, [Opened("unknown"), Raise(FORCED)]),
        (2, ModeSet("unlocked"), [UNLOCKED, Clear(FORCED)]),
        (3, SHUT, [Closed("unknown")]),
        (4, ModeSet("normal"), [LOCKED]),
        (5, OPEN, [Opened("unknown"), Raise(FORCED)]),
    ],
    "a longer release by command": [
        (0, SHUT, []),
        (1, Release("command", for_s=20), [UNLOCKED]),
        (3, CARD, []),
        (8, Tick(), []),
        (21, Tick(), [LOCKED]),
    ],
    "the same again is nothing": [
        (0, SHUT, []),
        (1, SHUT, []),
        (2, OPEN, [Opened("unknown"), Raise(FORCED)]),
        (3, OPEN, []),
    ],
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_a_story(story: Story) -> None:
    memory = DoorMemory()
    for now, event, expected in story:
        memory, effects = step(TRAITS, memory, event, now)
        assert list(effects) == expected, f"at {now}"


def test_the_door_asks_to_be_woken_for_what_time_alone_changes() -> None:
    memory, _ = step(TRAITS, DoorMemory(), SHUT, 0)
    assert next_wake(memory) is None
    memory, _ = step(TRAITS, memory, CARD, 10)
    assert next_wake(memory) == 15
    memory, _ = step(TRAITS, memory, Tick(), 15)
    assert next_wake(memory) == 15 + GRACE_S
    memory, _ = step(TRAITS, memory, OPEN, 16)
    memory, _ = step(TRAITS, memory, Tick(), 17)
    assert next_wake(memory) == 46


def test_a_door_without_a_contact_only_locks_again() -> None:
    traits = DoorTraits(release_s=5, has_contact=False)
    memory, effects = step(traits, DoorMemory(), CARD, 0)
    assert effects == (UNLOCKED,)
    memory, effects = step(traits, memory, Tick(), 7)
    assert effects == (LOCKED,)
    assert next_wake(memory) is None


def test_the_table_names_alarms_only_for_doors_that_stand_open() -> None:
    for (state, what), to in TRANSITIONS.items():
        assert to != state or what == "release"
    assert set(ALARMS) == {"held", "forced"}


events = st.sampled_from(
    [CARD, GUARD, BUTTON, OPEN, SHUT, LOST, ModeSet("normal"), ModeSet("unlocked"), ModeSet("locked"), Tick()]
)
lives = st.lists(st.tuples(st.floats(0, 40), events), max_size=40)


@given(lives)
def test_whatever_happens(life: list[tuple[float, Any]]) -> None:
    memory, now = DoorMemory(), 0.0
    alarms: set[str] = set()
    door: list[DoorEffect] = []
    unlocked = False
    for pause, event in life:
        now += pause
        wake = next_wake(memory)
        assert wake is None or wake >= now - pause
        memory, effects = step(TRAITS, memory, event, now)
        if event == LOST:
            # They alternate for as long as somebody sees the door: it may have been opened meanwhile.
            door.clear()
        for effect in effects:
            match effect:
                case Raise(cause):
                    # At most one open episode per cause, and they alternate.
                    assert cause not in alarms
                    alarms.add(cause)
                case Clear(cause):
                    assert cause in alarms
                    alarms.remove(cause)
                case LockChanged(lock):
                    assert (lock == "released") != unlocked
                    unlocked = lock == "released"
                case Opened() | Closed():
                    if door:
                        assert type(effect) is not type(door[-1])
                    door.append(effect)
                case Passage():
                    pass
        assert unlocked == (lock_of(memory) == "released")
        if memory.contact == "closed":
            assert not alarms
        if memory.mode == "unlocked":
            assert not alarms
        woken = next_wake(memory)
        assert woken is None or woken > now
