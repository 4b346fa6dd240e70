"""When a rule raises and clears, step by step; what people make of an alarm; what holds whatever is observed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.readings import Quality, Value
from contract.texts import Text
from rules.alarms.causes import BUILT_IN
from rules.alarms.conditions import Observed, compile_condition
from rules.alarms.rule import (
    ALARM_STATES,
    AlarmMemory,
    AlarmRule,
    AlarmState,
    Clear,
    Raise,
    fill,
    next_wake,
    placeholders,
    state_after,
    step,
)


def rule(when: str = "level > 2.4", clear: str | None = "level < 2.0", **more: Any) -> AlarmRule:
    def condition(text: str) -> Any:
        return compile_condition(text).bind("sump-1", {"pump_1": "pump-1"})

    return AlarmRule(
        id="sump-high",
        device="sump-1",
        when=condition(when),
        clear_when=None if clear is None else condition(clear),
        severity="major",
        message=Text("{name}水位高：{level}", "{name}: level high, {level}"),
        **{"for_s": 10.0, "clear_for_s": 30.0, **more},
    )


def level(value: Value, quality: Quality = "good") -> dict[str, Observed]:
    return {"sump-1.level": Observed(value, quality)}


def both(own: float | None, other: float | None) -> dict[str, Observed]:
    """The levels of two devices; None: its sensor is broken."""
    seen = {"sump-1.level": own, "pump-1.level": other}
    return {point: Observed(value, "bad" if value is None else "good") for point, value in seen.items()}


RISES, FALLS = "raise", "clear"
LOST: dict[str, Observed] = {}

STORIES: dict[str, tuple[AlarmRule, list[tuple[float, dict[str, Observed], str | None, float | None]]]] = {
    # at, observed, what happens, next wake
    "up for long enough, down for long enough": (
        rule(),
        [
            (0, level(1.0), None, None),
            (5, level(2.5), None, 15),
            (14.9, level(2.6), None, 15),
            (15, level(2.6), RISES, None),
            (20, level(2.6), None, None),
            (30, level(1.9), None, 60),
            (60, level(1.9), FALLS, None),
        ],
    ),
    "a splash": (rule(), [(0, level(2.5), None, 10), (5, level(2.3), None, None), (12, level(2.5), None, 22)]),
    "between the two limits nothing changes": (
        rule(for_s=0.0),
        [(0, level(2.5), RISES, None), (1, level(2.2), None, None), (100, level(2.2), None, None)],
    ),
    "the fall is interrupted": (
        rule(for_s=0.0),
        [
            (0, level(2.5), RISES, None),
            (1, level(1.9), None, 31),
            (20, level(2.1), None, None),
            (21, level(1.9), None, 51),
            (51, level(1.9), FALLS, None),
        ],
    ),
    "without a clearing condition it clears when it holds no longer": (
        rule(clear=None, for_s=0.0, clear_for_s=0.0),
        [(0, level(2.5), RISES, None), (1, level(2.4), FALLS, None), (2, level(2.5), RISES, None)],
    ),
    "what is not known starts the wait again": (
        rule(),
        [
            (0, level(2.5), None, 10),
            (9, level(None, "stale"), None, None),
            (10, level(2.5), None, 20),
            (20, level(2.5), RISES, None),
        ],
    ),
    "what is not known clears nothing": (
        rule(for_s=0.0),
        [
            (0, level(2.5), RISES, None),
            (1, level(1.0), None, 31),
            (2, LOST, None, None),
            (100, LOST, None, None),
            (101, level(1.0), None, 131),
            (131, level(1.0), FALLS, None),
        ],
    ),
    "one sensor is enough, whatever becomes of the other": (
        rule("level > 2.4 || pump_1.level > 2.4", "level < 2.0 && pump_1.level < 2.0"),
        [
            (0, both(2.5, None), None, 10),
            (9, both(2.5, 1.0), None, 10),
            (10, both(2.5, None), RISES, None),
            # not known: it stays; known to hold no longer on one side is not enough to clear
            (20, both(1.0, None), None, None),
            (100, both(None, None), None, None),
            (110, both(1.0, 1.0), None, 140),
            (120, both(1.0, None), None, None),
            (130, both(1.0, 1.0), None, 160),
            (140, both(2.1, None), None, None),
            (150, both(1.0, 1.0), None, 180),
            (180, both(1.0, 1.0), FALLS, None),
        ],
    ),
    "without a clearing condition the negation is as well known": (
        rule("level > 2.4 && pump_1.level > 2.4", None, for_s=0.0, clear_for_s=0.0),
        [
            (0, both(2.5, None), None, None),
            (1, both(2.5, 2.5), RISES, None),
            (2, both(None, 2.5), None, None),
            (3, both(None, 1.0), FALLS, None),
        ],
    ),
    "a value with a bad quality raises nothing": (rule(for_s=0.0), [(0, level(9.9, "bad"), None, None)]),
}


@pytest.mark.parametrize(("watched", "story"), STORIES.values(), ids=STORIES.keys())
def test_a_story(watched: AlarmRule, story: list[tuple[float, dict[str, Observed], str | None, float | None]]) -> None:
    memory = AlarmMemory()
    for now, observed, happens, wake in story:
        memory, effect = step(watched, memory, observed, now)
        assert {Raise: RISES, Clear: FALLS, type(None): None}[type(effect)] == happens, f"at {now}"
        assert next_wake(watched, memory) == wake, f"at {now}"


def test_an_episode_tells_the_values_it_was_raised_with() -> None:
    _, effect = step(rule(for_s=0.0, shown=("pump-1.flow",)), AlarmMemory(), level(2.5), 0)
    assert isinstance(effect, Raise)
    assert effect.values == {"sump-1.level": 2.5}
    seen = level(2.5) | {"pump-1.flow": Observed(3.0, "stale")}
    _, effect = step(rule(for_s=0.0, shown=("pump-1.flow",)), AlarmMemory(), seen, 0)
    assert isinstance(effect, Raise)
    # What is only shown never holds an alarm back, and a value that is not good is not told.
    assert effect.values == {"sump-1.level": 2.5, "pump-1.flow": None}


def test_a_condition_that_fails_on_good_values_is_counted() -> None:
    memory, effect = step(rule(for_s=0.0), AlarmMemory(), level("high"), 0)
    assert effect is None
    assert (memory.failures, memory.unknown) == (1, True)
    memory, _ = step(rule(), memory, LOST, 1)
    assert memory.failures == 1
    memory, _ = step(rule(), memory, level(1.0), 2)
    assert not memory.unknown


def test_a_rule_knows_its_cause_and_its_points() -> None:
    watched = rule("level > 2.4 && pump_1.rotating", shown=("pump-1.flow",))
    assert watched.key == "sump-high@sump-1"
    assert watched.decisive == ("sump-1.level", "pump-1.rotating")
    assert watched.points == ("sump-1.level", "pump-1.rotating", "pump-1.flow")


values = st.one_of(st.floats(0, 4), st.none(), st.just("?"), st.booleans())
observations = st.lists(
    st.tuples(st.floats(0, 40), values, st.sampled_from(["good", "good", "good", "stale", "bad"]), st.booleans()),
    max_size=60,
)


@given(observations, st.booleans(), st.sampled_from([0.0, 10.0]), st.sampled_from([0.0, 30.0]))
def test_raise_and_clear_alternate(
    seen: list[tuple[float, Value, Quality, bool]], hysteresis: bool, for_s: float, clear_for_s: float
) -> None:
    watched = rule(clear="level < 2.0" if hysteresis else None, for_s=for_s, clear_for_s=clear_for_s)
    memory, now, open_ = AlarmMemory(), 0.0, False
    for pause, value, quality, known in seen:
        now += pause
        observed = level(value, quality) if known else LOST
        memory, effect = step(watched, memory, observed, now)
        number = isinstance(value, float)
        if not known or quality != "good" or not number:
            assert effect is None
        if isinstance(effect, Raise):
            assert not open_
            assert isinstance(value, float)
            assert value > 2.4
            open_ = True
        elif isinstance(effect, Clear):
            assert open_
            assert isinstance(value, float)
            assert value < 2.0 or (not hysteresis and value <= 2.4)
            open_ = False
        assert memory.active is open_
        wake = next_wake(watched, memory)
        assert wake is None or wake > now


@given(st.floats(2.41, 4), st.floats(0, 1000))
def test_waking_when_asked_raises(value: float, start: float) -> None:
    memory, effect = step(rule(), AlarmMemory(), level(value), start)
    assert effect is None
    wake = next_wake(rule(), memory)
    assert wake is not None
    assert isinstance(step(rule(), memory, level(value), wake)[1], Raise)


# --- What people make of it


@pytest.mark.parametrize(
    ("story", "end"),
    [
        (["alarm.acknowledged", "alarm.cleared"], "closed"),
        (["alarm.cleared", "alarm.acknowledged"], "closed"),
        (["alarm.cleared"], "cleared"),
        (["alarm.cleared", "alarm.raised"], "active"),
        (["alarm.shelved", "alarm.unshelved"], "active"),
        (["alarm.shelved", "alarm.cleared"], "closed"),
        (["alarm.acknowledged", "alarm.shelved", "alarm.unshelved"], "active"),
        (["alarm.acknowledged", "alarm.acknowledged"], "acknowledged"),
        (["alarm.unshelved"], "active"),
    ],
)
def test_an_alarms_life(story: list[str], end: AlarmState) -> None:
    state: AlarmState = "active"
    for kind in story:
        state = state_after(state, kind)
    assert state == end


KINDS = ["alarm.raised", "alarm.cleared", "alarm.acknowledged", "alarm.shelved", "alarm.unshelved", "door.opened"]


@given(st.lists(st.sampled_from(KINDS), max_size=20))
def test_closed_is_the_end_and_needs_the_device_to_be_well(story: list[str]) -> None:
    state: AlarmState = "active"
    gone = False
    for kind in story:
        before, state = state, state_after(state, kind)
        if before == "closed":
            assert state == "closed"
        elif before != state and kind == "alarm.cleared":
            gone = True
        elif before != state and kind == "alarm.raised":
            gone = False
        assert (state in {"cleared", "closed"}) == gone


def test_the_table_speaks_of_alarm_events_only() -> None:
    assert {kind for _, kind in ALARM_STATES} <= set(KINDS[:-1])


# --- Texts


def test_words_are_filled_in_by_language() -> None:
    said = fill(Text("{name}水位 {level}", "{name}: {level}"), {"name": Text("集水坑", "Sump"), "level": "2.5 m"})
    assert said == Text("集水坑水位 2.5 m", "Sump: 2.5 m")
    assert fill(Text("{x}", "{x}"), {}) == Text("{x}", "{x}")
    assert placeholders(Text("{name}{flow}", "{flow} {pump_1.flow}")) == ("name", "flow", "pump_1.flow")


@pytest.mark.parametrize("cause", BUILT_IN)
def test_built_in_alarms_name_only_what_is_known_of_them(cause: Any) -> None:
    alarm = BUILT_IN[cause]
    for text in (alarm.message, alarm.response, *([alarm.ticket] if alarm.ticket else [])):
        told = {"lock.failed", "clock.error", "file.damaged", "camera.replayed", "line.in_clear"}
        explained = cause in told or cause.startswith(("meter.", "hub."))
        known = {"name", "device", "why"} if explained else {"name"}
        known |= {"place"} if cause == "line.in_clear" else set()
        assert set(placeholders(text)) <= known
        assert text.zh
        assert text.en


def test_rules_are_values() -> None:
    assert replace(rule(), id="other").key == "other@sump-1"
