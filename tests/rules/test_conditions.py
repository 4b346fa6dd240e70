"""Conditions: which points they name, what they answer, and that what is not known is no answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.readings import Quality, Value
from rules.conditions import Condition, ConditionError, Observed, PointName, compile_condition, identifier

DEVICES = {"pump_1": "pump-1", "pump_2": "pump-2", "sump_1": "sump-1"}


def bound(text: str) -> Condition:
    return compile_condition(text).bind("pump-1", DEVICES)


def good(**values: Value) -> dict[str, Observed]:
    return {f"pump-1.{name}": Observed(value, "good") for name, value in values.items()}


NAMES = [
    ("flow < 2.0 && rotating", ["flow", "rotating"]),
    ("pump_2.flow < flow", ["pump_2.flow", "flow"]),
    ("!alarm", ["alarm"]),
    ("alarm_code != 'dry_running'", ["alarm_code"]),
    ("mode in ['flow', 'level']", ["mode"]),
    ('mode == "pump_2.flow" && level > 1.0', ["mode", "level"]),
    ("(flow<2.0)||(level>2.4)", ["flow", "level"]),
    ("flow < 2.0 && flow > 1.0", ["flow"]),
    ("double(flow) > 1.0e3", ["flow"]),
    ("true", []),
    ("on && sump_1.level > 2.0", ["on", "sump_1.level"]),
]


@pytest.mark.parametrize(("text", "names"), NAMES)
def test_the_points_it_names(text: str, names: list[str]) -> None:
    assert [str(name) for name in compile_condition(text).names] == names


def test_names_are_bound_to_devices() -> None:
    assert bound("flow < 2.0 && sump_1.level > 2.0").points == ("pump-1.flow", "sump-1.level")
    assert identifier("pump-1") == "pump_1"


ANSWERS: list[tuple[str, dict[str, Value], bool | None]] = [
    ("flow < 2.0", {"flow": 1.5}, True),
    ("flow < 2", {"flow": 1.5}, True),
    ("flow < 2.0", {"flow": 1}, True),
    ("flow + 1.0 < 3.0", {"flow": 1}, True),
    ("flow == 57", {"flow": 57.0}, True),
    ("flow < 2.0 && rotating", {"flow": 1.5, "rotating": False}, False),
    ("alarm_code == 'dry_running'", {"alarm_code": "dry_running"}, True),
    ("mode in ['hand', 'max']", {"mode": "auto"}, False),
    ("rotating", {"rotating": True}, True),
    ("flow > 2.0 ? rotating : true", {"flow": 1.0, "rotating": False}, True),
    # The types of this moment do not fit: no answer
    ("flow < 2.0", {"flow": "blocked"}, None),
    ("flow + 1 < 3.0", {"flow": 1.0}, None),
    ("flow", {"flow": 1.0}, None),
    ("flow < 2.0", {"flow": float("nan")}, None),
    ("flow < 2.0", {"flow": None}, None),
]


@pytest.mark.parametrize(("text", "values", "answer"), ANSWERS)
def test_an_answer(text: str, values: dict[str, Value], answer: bool | None) -> None:
    assert bound(text).answer(good(**values)) is answer


@pytest.mark.parametrize("quality", ["stale", "bad"])
def test_what_is_not_good_is_not_known(quality: Quality) -> None:
    seen = good(flow=1.0, rotating=False)
    assert bound("flow < 2.0 || rotating").answer(seen) is True
    assert bound("flow < 2.0 || rotating").answer(seen | {"pump-1.rotating": Observed(False, quality)}) is None
    del seen["pump-1.rotating"]
    assert bound("flow < 2.0 || rotating").answer(seen) is None


def test_devices_stand_beside_own_points() -> None:
    seen = good(flow=1.0) | {"sump-1.level": Observed(2.5, "good"), "pump-2.rotating": Observed(False, "good")}
    assert bound("flow < 2.0 && sump_1.level > 2.0 && !pump_2.rotating").answer(seen) is True


MISTAKES = [
    ("flow <", "ends too early"),
    ("", "empty"),
    ("   ", "empty"),
    ("flow and rotating", "'and rotating'"),
    ("flow = 3", "'= 3'"),
    ("flow < 2.0 &&& x", "column 14"),
    ("pump_1.motor.temp > 3.0", "one dot"),
    ("level > 1.0 && level.level > 2.0", "a point here and a device there"),
]


@pytest.mark.parametrize(("text", "why"), MISTAKES)
def test_a_mistake_says_where(text: str, why: str) -> None:
    with pytest.raises(ConditionError) as caught:
        compile_condition(text)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_checked_says_why_there_is_no_answer() -> None:
    with pytest.raises(ConditionError, match="float"):
        compile_condition("flow + 1 > 2.0").checked({PointName("", "flow"): 1.5})
    with pytest.raises(ConditionError, match="not true or false"):
        compile_condition("flow").checked({PointName("", "flow"): 1.5})


@given(st.floats(allow_nan=False), st.integers(-(2**40), 2**40))
def test_numbers_compare_as_numbers(one: float, other: int) -> None:
    assert compile_condition("a < b").checked({PointName("", "a"): one, PointName("", "b"): other}) == (one < other)
