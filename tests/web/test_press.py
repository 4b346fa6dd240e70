"""How old a press is: by a clock that nobody sets, and never by a moment that is still to come."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from web.session import press


def told() -> datetime:
    return datetime.fromisoformat(press.told_time())


def test_a_press_is_as_old_as_the_clock_says_that_is_told() -> None:
    assert abs(told() - datetime.now(UTC)) < timedelta(seconds=5)
    age = press.age_of(told() - timedelta(seconds=20))
    assert timedelta(seconds=20) <= age < timedelta(seconds=22)
    assert press.age_of(None) == timedelta(0)
    assert press.age_of(told() - timedelta(days=400)) == press.OLDEST


@pytest.mark.parametrize("leap_s", [3600.0, -3600.0])
def test_a_clock_that_is_set_meanwhile_makes_no_press_older_or_younger(
    leap_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed = told()
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + leap_s)
    monkeypatch.setattr(time, "time_ns", lambda: int((real + leap_s) * 1e9))
    assert press.age_of(pressed) < timedelta(seconds=2)
    assert press.age_of(pressed - timedelta(seconds=30)) >= timedelta(seconds=30)
    assert abs(told() - pressed) < timedelta(seconds=2)


def test_what_is_said_to_come_from_the_future_is_counted_and_told_once() -> None:
    press._warn_of_future.cache_clear()
    before = press.FUTURE._value.get()
    with capture_logs() as logs:
        assert press.age_of(told() + timedelta(seconds=1)) == timedelta(0)
        for _ in range(3):
            assert press.age_of(told() + timedelta(minutes=15)) == timedelta(0)
    assert press.FUTURE._value.get() - before == 3
    assert [each["log_level"] for each in logs] == ["warning"]
