"""Meters: roll-over where the product says, which meter speaks, and how wrong its clock is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.instants import milliseconds
from rules.metering.registers import CONFIRMED, Held, clock_error_s, same_number, step

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = milliseconds("2026-09-21T04:00:00.000Z")


@pytest.mark.parametrize(
    ("before", "value", "rolls_over", "kind", "used"),
    [
        (999_998.5, 1.5, 1_000_000.0, "rollover", 3.0),
        (99_998.0, 3.0, 1_000_000.0, "odd", 0.0),
        (65_530.0, 4.0, 65_536.0, "rollover", 10.0),
        (65_530.0, 4.0, None, "odd", 0.0),
        (9.95, 0.05, 10.0, "odd", 0.0),
    ],
)
def test_a_register_rolls_over_where_its_product_says(
    before: float, value: float, rolls_over: float | None, kind: str, used: float
) -> None:
    found = step(Held("m", before), "m", value, rolls_over)
    assert found.kind == kind
    assert found.used == pytest.approx(used)


@given(
    before=st.floats(0, 999_999.99),
    value=st.floats(0, 999_999.99),
    rolls_over=st.sampled_from([None, 1e6, 1e5]),
)
def test_no_step_ever_takes_back(before: float, value: float, rolls_over: float | None) -> None:
    assert step(Held("m", before), "m", value, rolls_over).used >= 0


def used(values: Sequence[float]) -> tuple[float, str]:
    """What a meter used in all by these readings, and what each step was."""
    held: Held | None = None
    total, kinds = 0.0, ""
    for value in values:
        found = step(held, "m", value)
        held, total = found.held, total + found.used
        kinds += f" {found.kind}"
    return total, kinds.strip()


@pytest.mark.parametrize(
    ("name", "values", "total", "kinds"),
    [
        ("a dip", [5, 4, 10], 5, "first odd used"),
        ("a dip that goes deeper", [5, 4, 3, 10], 5, "first odd odd used"),
        ("a dip that climbs back slowly", [5, 4, 4.5, 5, 6], 1, "first odd odd used used"),
        ("set back", [50, 0, 1, 2, 3, 5], 5, "first odd odd odd reset used"),
        ("set back after a dip", [50, 40, 0, 1, 2, 3, 5], 5, "first odd odd odd odd reset used"),
        ("a zero that stood for long", [50, 0, 0, 0, 0, 0, 51], 1, "first odd odd odd reset used used"),
        ("low and counting, then right again", [50, 0, 1, 2, 3, 54], 4, "first odd odd odd reset used"),
        ("set back and past its mark", [5, 0, 1, 2, 3, 4, 6, 7], 7, "first odd odd odd reset used used used"),
        ("set back, and a dip", [50, 0, 1, 2, 9, 8, 12], 12, "first odd odd odd reset odd used"),
        ("rolled over", [99_998, 3, 10], 12, "first rollover used"),
        ("a zero near the end", [99_998, 0, 99_999, 100_000], 3, "first rollover used used"),
        ("a dip near the end, then rolled over", [99_998, 99_990, 3], 5, "first odd rollover"),
    ],
)
def test_a_register_over_time(name: str, values: list[float], total: float, kinds: str) -> None:
    found, steps = used(values)
    assert (name, steps) == (name, kinds)
    assert found == pytest.approx(total)


@given(
    steps=st.lists(st.floats(0, 50), min_size=2, max_size=30),
    dips=st.lists(st.tuples(st.integers(1, 29), st.floats(0, 1), st.integers(1, 2 * CONFIRMED)), max_size=3),
)
def test_misreadings_below_the_truth_never_count(steps: list[float], dips: list[tuple[int, float, int]]) -> None:
    """A register that only grows, and is at times misread as some lower value for a while."""
    truth = list(itertools.accumulate(steps, initial=100.0))
    read: list[float] = []
    for place, value in enumerate(truth):
        for at, part, times in {dip[0]: dip for dip in dips}.values():
            if at == place:
                read += [truth[place - 1] * part] * times
        read.append(value)
    total, _ = used(read)
    assert total == pytest.approx(truth[-1] - truth[0])


@pytest.mark.parametrize(
    ("ours", "told", "same"),
    [
        ("20260001", "000020260001", True),
        ("398192000337", "398192000337", True),
        ("20260001", "20260002", False),
        ("ab12", "AB12", True),
        ("", "1", False),
    ],
)
def test_one_number_written_in_two_ways(ours: str, told: str, same: bool) -> None:
    assert same_number(ours, told) is same


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ("2026-09-21T12:00:00", 0.0),
        ("2026-09-21T12:07:30", 450.0),
        ("2026-09-21T11:59:57", -3.0),
        ("2026-09-21T04:00:00+00:00", 0.0),
        ("2026-13-40T00:00:00", None),
        ("", None),
    ],
)
def test_a_meters_clock(told: str, error: float | None) -> None:
    assert clock_error_s(told, NOON, SHANGHAI) == error
