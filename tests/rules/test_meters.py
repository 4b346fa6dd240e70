"""Meters: roll-over where the product says, which meter speaks, and how wrong its clock is."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.instants import milliseconds
from rules.meters import Held, clock_error_s, same_number, step

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
