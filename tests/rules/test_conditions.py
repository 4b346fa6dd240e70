"""Conditions: which points they name, what they answer, and that what is not known is no answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.readings import Quality, Value
from rules.alarms.conditions import Condition, ConditionError, Observed, PointName, compile_condition, identifier

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
    # It fails in a way of its own: no answer either, and never more than that
    ("int(flow) > 1", {"flow": 1e300}, None),
    ("1 / int(flow) > 1", {"flow": 0.0}, None),
    ("[1.0, 2.0][int(flow)] > 1.0", {"flow": 7.0}, None),
    ("double(mode) > 1.0", {"mode": "auto"}, None),
    ("'a'.matches(mode)", {"mode": "("}, None),
]


@pytest.mark.parametrize(("text", "values", "answer"), ANSWERS)
def test_an_answer(text: str, values: dict[str, Value], answer: bool | None) -> None:
    assert bound(text).answer(good(**values)) is answer


@pytest.mark.parametrize("quality", ["stale", "bad"])
def test_what_is_not_good_is_not_known(quality: Quality) -> None:
    seen = good(flow=1.0, rotating=False)
    assert bound("flow < 2.0 || rotating").answer(seen) is True
    assert bound("flow > 2.0 || rotating").answer(seen) is False
    assert bound("flow > 2.0 || rotating").answer(seen | {"pump-1.rotating": Observed(False, quality)}) is None
    del seen["pump-1.rotating"]
    assert bound("flow > 2.0 || rotating").answer(seen) is None


UNKNOWN: dict[str, Observed | None] = {
    "missing": None,
    "nothing": Observed(None, "good"),
    "stale": Observed(1.0, "stale"),
    "bad": Observed(None, "bad"),
    "no number": Observed(float("nan"), "good"),
}

WITH_ONE_UNKNOWN = [
    # x is unknown; yes and no are what they say, zero is 0.0
    ("zero < 160.0 || x < 160.0", True),
    ("x < 160.0 || zero < 160.0", True),
    ("zero > 1.0 && x > 1.0", False),
    ("x > 1.0 && zero > 1.0", False),
    ("zero > 1.0 || x > 1.0", None),
    ("zero < 1.0 && x > 1.0", None),
    ("x > 1.0", None),
    ("!(x > 1.0)", None),
    ("!(x > 1.0 && no)", True),
    ("!(x > 1.0 || yes)", False),
    ("x == x", None),
    ("x != 1.0", None),
    ("x > 1.0 || !(x > 1.0)", None),
    ("(x > 1.0 && zero > 1.0) || (x > 1.0 || yes)", True),
    ("(x > 1.0 || yes) && (x > 1.0 && no)", False),
    ("(x > 1.0 && yes) || (x > 1.0 && no)", None),
    ("x in [1.0, 2.0] || yes", True),
    ("zero in [0.0, x]", None),
    ("double(x) > 1.0 && no", False),
    ("x > 1.0 ? yes : yes", None),
    ("(x > 1.0 ? yes : no) || yes", True),
    ("yes ? yes : x > 1.0", True),
    ("no ? x > 1.0 : no", False),
    ("x + zero * 2.0 > 1.0 || yes", True),
    ("type(x) == double", None),
    # over two devices
    ("sump_1.level < 1.0 || x < 1.0", True),
    ("x < 1.0 || sump_1.level < 1.0", True),
    ("sump_1.flow < 1.0 || sump_1.level < 1.0", True),
    ("pump_2.flow < 1.0 || sump_1.level < 1.0", True),
    ("pump_2.flow < 1.0 && sump_1.level > 1.0", False),
    ("pump_2.flow < 1.0 || sump_1.level > 1.0", None),
    # what fails is unknown too
    ("int(huge) > 1 || yes", True),
    ("yes || int(huge) > 1", True),
    ("1 / int(zero) > 1 && no", False),
    ("1 / int(zero) > 1 || no", None),
    ("zero || yes", True),
    ("yes && zero", None),
]


@pytest.mark.parametrize("x", UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize(("text", "answer"), WITH_ONE_UNKNOWN)
def test_what_is_known_is_enough_where_it_decides(text: str, answer: bool | None, x: Observed | None) -> None:
    seen = good(zero=0.0, yes=True, no=False, huge=1e300) | {"sump-1.level": Observed(0.0, "good")}
    if x is not None:
        seen |= {"pump-1.x": x, "sump-1.flow": x, "pump-2.flow": x}
    assert bound(text).answer(seen) is answer


@pytest.mark.parametrize("text", ["has(sump_1.level)", "on || !has (sump_1.level)"])
def test_nobody_asks_whether_a_point_is_there(text: str) -> None:
    with pytest.raises(ConditionError, match="not absent"):
        compile_condition(text)
    assert compile_condition("'has(x)' == mode && has < 3.0").names == (PointName("", "mode"), PointName("", "has"))


Tree = str | tuple["Tree", ...]
LEAVES = {
    "a": "a",
    "b": "b < 1.0",
    "c": "pump_2.c == 'on'",
    "d": "sump_1.d in [1.0, 2.0]",
    "true": "true",
    "false": "false",
}

trees: st.SearchStrategy[Tree] = st.recursive(
    st.sampled_from(sorted(LEAVES)),
    lambda inner: st.one_of(
        st.tuples(st.just("!"), inner),
        st.tuples(st.sampled_from(["&&", "||", "=="]), inner, inner),
        st.tuples(st.just("?"), inner, inner, inner),
    ),
    max_leaves=12,
)


def written(tree: Tree) -> str:
    match tree:
        case str():
            return LEAVES[tree]
        case ("!", inner):
            return f"!({written(inner)})"
        case ("?", asked, yes, no):
            return f"(({written(asked)}) ? ({written(yes)}) : ({written(no)}))"
        case (sign, left, right):
            return f"(({written(left)}) {sign} ({written(right)}))"
    raise AssertionError(tree)


def kleene(tree: Tree, known: dict[str, bool | None]) -> bool | None:
    """Kleene's strong logic; `==` and the asked side of `? :` need to know."""
    match tree:
        case str():
            return {"true": True, "false": False}[tree] if tree in {"true", "false"} else known[tree]
        case ("!", inner):
            value = kleene(inner, known)
            return None if value is None else not value
        case ("?", asked, yes, no):
            value = kleene(asked, known)
            return None if value is None else kleene(yes if value else no, known)
        case (sign, left, right):
            both = [kleene(left, known), kleene(right, known)]
            if sign == "==":
                return None if None in both else both[0] == both[1]
            decides = sign == "||"
            return decides if decides in both else None if None in both else not decides
    raise AssertionError(tree)


VALUES: dict[str, tuple[str, Value, Value]] = {
    # leaf: its point, what makes it true, what makes it false
    "a": ("pump-1.a", True, False),
    "b": ("pump-1.b", 0.5, 1.5),
    "c": ("pump-2.c", "on", "off"),
    "d": ("sump-1.d", 2.0, 3.0),
}


@given(trees, st.fixed_dictionaries({leaf: st.sampled_from([True, False, *UNKNOWN]) for leaf in VALUES}))
def test_it_answers_as_kleene_does(tree: Tree, given_: dict[str, bool | str]) -> None:
    seen: dict[str, Observed] = {}
    known: dict[str, bool | None] = {}
    for leaf, what in given_.items():
        point, yes, no = VALUES[leaf]
        found = UNKNOWN[what] if isinstance(what, str) else Observed(yes if what else no, "good")
        known[leaf] = None if isinstance(what, str) else what
        if found is not None:
            seen[point] = found
    assert bound(written(tree)).answer(seen) is kleene(tree, known)


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
